"""Classic builds, image archives and imports: what real clients do works, what a policy forbids is
refused before the engine has seen a byte, and uploads cost disk, not memory."""
import gzip
import io
import json
import os
import tarfile
import tempfile

from client import CliCase, GatewayCase, Raw, every_cli
from harness import DIRECT, IMAGE, SLOW, eventually, policy, session, write
from util import UnixHTTP

MIB = 1 << 20
TRUST = policy("""
    trusted-registry: { mode: enforce, registries: ["docker.io/library/busybox:local"] }
    own-resources-only: { mode: enforce, by: identity }
    no-cgroup-parent: enforce
    no-image-import: { mode: enforce, allowLoad: true }
    no-secrets-in-build-args: enforce
    extra-hosts-restricted: enforce
""")


def tar_of(files):
    """A plain tar; a value is text, or ("link", target)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, content[1]
                archive.addfile(info)
            else:
                data = content.encode()
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@every_cli("tls", "unix")
class Build(CliCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=session().folder)

    def cli(self, *args, **kw):
        cli = super().cli(*args, **kw)
        cli.env["DOCKER_BUILDKIT"] = "0"
        return cli

    def put(self, **files):
        for name, text in files.items():
            write(os.path.join(self.folder, name), text)

    def build(self, *args, **kw):
        tag = self.name().lower()
        result = self.docker.run("build", "-t", tag, *args, **kw)
        self.addCleanup(lambda: self.engine.api("DELETE", f"/images/{tag}?force=1"))
        return tag, result

    def says(self, tag, *command):
        return self.docker.ok("run", "--rm", tag, *command)

    def test_several_stages_and_build_args(self):
        self.put(Dockerfile=f"""\
ARG BASE="busybox"
ARG TAG=none
FROM ${{BASE}}:$TAG AS Builder
ARG WORD=none
RUN echo $WORD \\
    # a comment inside

    > /word
FROM {IMAGE}
COPY --from=builder /word /copied
COPY --from=0 /word /again
LABEL kind="test image"
USER 1000
CMD ["cat", "/copied", "/again"]
""")
        tag, result = self.build("--build-arg", "TAG=local", "--build-arg", "WORD=hello",
                                 "--label", "own=1", self.folder)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.says(tag), "hello\nhello")
        labels = self.engine.api("GET", f"/images/{tag}/json")[1]["Config"]["Labels"]
        self.assertEqual((labels["kind"], labels["own"]), ("test image", "1"))
        if not DIRECT:
            self.assertEqual(labels["io.dockreeve.owner"],
                             "alice" if self.transport == "tls" else "uid-0")

    def test_ignored_files_and_another_dockerfile(self):
        self.put(**{"Dockerfile": "FROM nothing:here\n", "other/Dockerfile": f"FROM {IMAGE}\nCOPY . /c\n",
                    ".dockerignore": "secret\nDockerfile\n", "secret": "s", "open": "o"})
        tag, result = self.build("-f", os.path.join(self.folder, "other/Dockerfile"), self.folder)
        self.assertEqual(result.code, 0, result)
        listed = self.says(tag, "ls", "/c").split()
        self.assertIn("open", listed)
        self.assertNotIn("secret", listed)

    def test_lower_case_dockerfile(self):
        self.put(dockerfile=f"FROM {IMAGE}\nRUN echo lower > /x\n")
        tag, result = self.build("-f", os.path.join(self.folder, "dockerfile"), self.folder)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.says(tag, "cat", "/x"), "lower")

    def test_dockerfile_on_standard_input(self):
        tag, result = self.build("-", input=f"FROM {IMAGE}\nRUN echo in > /x\n".encode())
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.says(tag, "cat", "/x"), "in")

    def test_context_on_standard_input(self):
        data = tar_of([("./Dockerfile", f"FROM {IMAGE}\nCOPY f /x\n"), ("./f", "file")])
        for context in (data, gzip.compress(data)):
            tag, result = self.build("-", input=context)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(self.says(tag, "cat", "/x"), "file")

    def test_compressed(self):
        self.put(Dockerfile=f"FROM {IMAGE}\nCOPY f /x\n", f="packed" * 1000)
        tag, result = self.build("--compress", self.folder)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(len(self.says(tag, "cat", "/x")), 6000)

    def test_failing_step(self):
        self.put(Dockerfile=f"FROM {IMAGE}\nRUN exit 3\n")
        _, result = self.build(self.folder)
        self.assertNotEqual(result.code, 0)
        self.assertIn("returned a non-zero code: 3", result.err)

    def test_no_dockerfile(self):
        self.put(f="x")
        _, result = self.build("-", input=tar_of([("f", "x")]))
        self.assertNotEqual(result.code, 0)
        self.assertRegex(result.err, "(?i)cannot locate")

    def test_save_and_load(self):
        tag, result = self.build("-", input=f"FROM {IMAGE}\nRUN echo kept > /x\n".encode())
        self.assertEqual(result.code, 0, result)
        image = self.engine.api("GET", f"/images/{tag}/json")[1]["Id"]
        connection = UnixHTTP(self.engine.socket, 60)
        connection.request("GET", f"/images/{tag}/get")
        data = connection.getresponse().read()
        connection.close()
        self.engine.api("DELETE", f"/images/{tag}?force=1")
        for archive in (data, gzip.compress(data, 1)):
            out = self.docker.ok("load", input=archive)
            self.assertIn(f"Loaded image: {tag}", out)
            self.assertEqual(self.engine.api("GET", f"/images/{tag}/json")[1]["Id"], image)
            self.engine.api("DELETE", f"/images/{tag}?force=1")

    def test_import(self):
        tag = self.name().lower()
        self.addCleanup(lambda: self.engine.api("DELETE", f"/images/{tag}?force=1"))
        self.docker.ok("import", "--change", "ENV A=b", "-", tag, input=tar_of([("f", "x")]))
        config = self.engine.api("GET", f"/images/{tag}/json")[1]["Config"]
        self.assertIn("A=b", config["Env"])
        if not DIRECT:
            self.assertIn("io.dockreeve.owner", config["Labels"])


@every_cli("tls")
class Refused(CliCase):
    def setUp(self):
        if DIRECT:
            self.skipTest("direct mode")

    @property
    def gateway(self):
        return session().gateway("trust", policies=TRUST)

    def build(self, dockerfile, *args):
        cli = self.cli()
        cli.env["DOCKER_BUILDKIT"] = "0"
        return cli.run("build", "--force-rm", *args, "-", input=dockerfile.encode())

    def assert_denied(self, result, rule, message=""):
        self.assertNotEqual(result.code, 0, result)
        self.assertIn(f"[{rule}]", result.err)
        self.assertIn(message, result.err)

    def test_images(self):
        for line in ("FROM alpine", "FROM busybox:local AS a\nCOPY --from=other:1 /a /b",
                     "ARG X=alpine\nFROM $X", "FROM busybox:local\nONBUILD COPY --from=other / /",
                     "FROM busybox:local AS a\nFROM busybox:local AS b\nCOPY --from=b /x /x",
                     "FROM \\\n# comment\nalpine", "FROM busybox:local@sha256:" + "0" * 64):
            self.assert_denied(self.build(line + "\n"), "trusted-registry")

    def test_trusted_image(self):
        result = self.build(f"FROM {IMAGE} AS a\nFROM a\nRUN true\nFROM scratch\nCOPY --from=a /bin /bin\n")
        self.assertEqual(result.code, 0, result)

    def test_names(self):
        result = self.build(f"FROM {IMAGE}\n", "-t", IMAGE)
        self.assert_denied(result, "trusted-registry", "name of your own")

    def test_settings(self):
        for rule, arguments in (("no-host-network", ["--network", "host"]),
                                ("own-resources-only", ["--network", "container:nobody"]),
                                ("no-cgroup-parent", ["--cgroup-parent", "/x"]),
                                ("no-secrets-in-build-args", ["--build-arg", "API_TOKEN=abc"]),
                                ("extra-hosts-restricted", ["--add-host", "a:127.0.0.1"]),
                                ("reserved-labels", ["--label", "io.dockreeve.owner=bob"])):
            with self.subTest(rule=rule):
                self.assert_denied(self.build(f"FROM {IMAGE}\n", *arguments), rule)

    def test_label_in_the_dockerfile(self):
        self.assert_denied(self.build(f'FROM {IMAGE}\nLABEL a=b "io.dockreeve.owner"=bob\n'),
                           "reserved-labels")

    def test_buildkit(self):
        answer = self.raw().request("POST", "/v1.41/build?version=2", b"")
        self.assertEqual(answer.status, 403, answer)
        self.assertIn("DOCKER_BUILDKIT=0", answer.message)

    def test_remote(self):
        answer = self.raw().request("POST", "/v1.41/build?remote=http://127.0.0.1:1/x", b"")
        self.assertEqual(answer.status, 403, answer)
        self.assertIn("build-remote-context", answer.message)

    def test_import_and_load(self):
        result = self.cli().run("import", "-", "mine:1", input=tar_of([("f", "x")]))
        self.assert_denied(result, "no-image-import")
        manifest = json.dumps([{"Config": "c.json", "RepoTags": [IMAGE], "Layers": []}])
        result = self.cli().run("load", input=tar_of([("c.json", "{}"), ("manifest.json", manifest)]))
        self.assert_denied(result, "trusted-registry")

    def test_another_s_image_name(self):
        tag = self.name().lower()
        cli = self.cli("bob")
        cli.env["DOCKER_BUILDKIT"] = "0"
        cli.ok("build", "-t", tag, "-", input=f"FROM {IMAGE}\n".encode())
        self.addCleanup(lambda: self.engine.api("DELETE", f"/images/{tag}?force=1"))
        self.assert_denied(self.build(f"FROM {IMAGE}\nRUN echo x > /x\n", "-t", tag),
                           "own-resources-only")


class Archives(GatewayCase):
    """Contexts that the engine could read otherwise than the gateway."""

    @property
    def gateway(self):
        return session().gateway("trust", policies=TRUST)

    def build(self, data, query=""):
        connection = self.raw()
        connection.send(f"POST /v1.41/build?forcerm=1{query} HTTP/1.1\r\nHost: x\r\n"
                        f"Content-Type: application/x-tar\r\nContent-Length: {len(data)}\r\n\r\n")
        connection.send(data)
        return connection.answer()

    def test_refused(self):
        good, bad = f"FROM {IMAGE}\n", "FROM alpine\n"
        twice = tar_of([("Dockerfile", good), ("Dockerfile", bad)])
        cases = {
            "twice": twice,
            "another spelling": tar_of([("Dockerfile", good), (".//Dockerfile", bad)]),
            "link": tar_of([("Dockerfile", ("link", "x")), ("x", bad)]),
            "through a link": tar_of([("Dockerfile", good), ("a", ("link", ".")), ("a/Dockerfile", bad)]),
            "two archives": tar_of([("Dockerfile", good)]) + tar_of([("Dockerfile", bad)]),
            "two gzip members": gzip.compress(tar_of([("Dockerfile", good)])) + gzip.compress(twice),
            "bzip2": b"BZh91AY&SY" + b"x" * 600,
            "no tar": good.encode() * 100,
            "broken off": tar_of([("Dockerfile", good)])[:1024],
            "odd escape": tar_of([("Dockerfile", f"# x\n# escape=`\n{good}")]),
            "here-document": tar_of([("Dockerfile", f"{good}RUN <<EOF\n{bad}EOF\n")]),
            "unknown instruction": tar_of([("Dockerfile", f"{good}FROMM x\n")]),
        }
        for name, data in cases.items():
            with self.subTest(name):
                answer = self.build(data)
                self.assertEqual(answer.status, 400, answer)
                self.assertIn("[ambiguous-request]", answer.message)

    def test_chosen_dockerfile(self):
        data = tar_of([("Dockerfile", f"FROM {IMAGE}\n"), ("d/Dockerfile", "FROM alpine\n")])
        self.assertEqual(self.build(data).status, 200)
        answer = self.build(data, "&dockerfile=./d//Dockerfile")
        self.assertEqual(answer.status, 403, answer)
        self.assertEqual(self.build(data, "&dockerfile=../Dockerfile").status, 400)

    def test_upgrade(self):
        answer = self.raw().request("POST", "/v1.41/build", tar_of([("Dockerfile", f"FROM {IMAGE}\n")]),
                                    ["Connection: Upgrade", "Upgrade: h2c"])
        self.assertEqual(answer.status, 400, answer)

    def test_the_engine_reads_the_same(self):
        """Forms that versions of the engine treat alike, held against this engine."""
        for text in ("FROM busybox:local\nRUN true \\\n  # FROM alpine\n  && echo SEEN\n",
                     "# escape=`\nFROM `\nbusybox:local\nRUN echo SEEN\n",
                     "\ufeffFR\\\nOM busybox:local\nRUN echo SEEN\n",
                     "ARG A='busy'\nARG B=\"${A}box\"\nFROM ${B:-x}:${C:-local}\nRUN echo SEEN\n"):
            with self.subTest(text):
                answer = self.build(tar_of([("Dockerfile", text)]), "&nocache=1")
                self.assertEqual(answer.status, 200, answer)
                self.assertIn(b"SEEN", answer.body)
                self.assertNotIn(b"errorDetail", answer.body)


class Large(GatewayCase):
    gateway_name = "core"

    def kept(self):
        """How many files without a name the gateway holds."""
        folder = f"/proc/{self.gateway.process.pid}/fd"
        count = 0
        for fd in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{fd}").endswith("(deleted)")
            except OSError:
                pass
        return count

    def memory(self):
        with open(f"/proc/{self.gateway.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) * 1024

    def chunk(self, connection, data):
        connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def start(self, size):
        """A chunked build whose second file has `size` bytes, sent up to that content."""
        connection = self.raw(timeout=600)  # the engine unpacks it to disk first
        connection.send("POST /v1.41/build?forcerm=1 HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.chunk(connection, tar_of([("Dockerfile", "FROM scratch\nLABEL large=1\n")])[:1024])
        info = tarfile.TarInfo("large")
        info.size = size
        self.chunk(connection, info.tobuf(tarfile.USTAR_FORMAT))
        return connection

    def test_memory_stays(self):
        size = 1024 * MIB
        self.assertEqual(self.raw().request("GET", "/_ping").status, 200)
        before = self.memory()
        connection = self.start(size)
        piece = b"\0" * MIB
        most = 0
        for i in range(size // MIB):
            self.chunk(connection, piece)
            if i % 64 == 0:
                most = max(most, self.memory())
        self.assertEqual(self.kept(), 1)
        self.chunk(connection, b"\0" * 1024)
        connection.send(b"0\r\n\r\n")
        answer = connection.answer()
        most = max(most, self.memory())
        self.assertEqual(answer.status, 200, answer)
        self.assertNotIn(b"errorDetail", answer.body)
        # A sanitizer keeps hundreds of MiB of freed memory to itself.
        self.assertLess(most - before, (40 if SLOW == 1 else 512) * MIB)
        eventually(lambda: self.kept() == 0, 10, "the file is gone")

    def test_a_client_that_goes_away_leaves_nothing(self):
        connection = self.start(64 * MIB)
        for _ in range(8):
            self.chunk(connection, b"\0" * MIB)
        eventually(lambda: self.kept() == 1, 10, "the body is being kept")
        connection.close()
        eventually(lambda: self.kept() == 0, 10, "the file is gone")

    def test_limit(self):
        gateway = session().own_gateway("spool", limits={"maxSpoolBytes": "1MiB"})
        data = tar_of([("Dockerfile", "FROM scratch\nLABEL a=b\n"), ("f", "x" * (2 * MIB))])
        with Raw(gateway, session().pki.client("alice")) as connection:
            connection.send("POST /v1.41/build HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\n"
                            f"Content-Length: {len(data)}\r\n\r\n")
            self.assertEqual(connection.answer().status, 413)
        packed = gzip.compress(data)
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("POST", "/v1.41/build", packed,
                                        ["Content-Type: application/x-tar"])
            self.assertEqual(answer.status, 400, answer)
        gateway.stop()
