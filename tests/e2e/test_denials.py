"""What a refused caller sees and what stays behind: nothing on the engine, a record in the audit
file."""
import re
import ssl

from client import CliCase, GatewayCase, Raw, every_cli
from harness import DIRECT, IMAGE, OpensslPki, policy, session

DECISION = re.compile(r"decision ([0-9A-HJKMNP-TV-Z]{26})")


@every_cli("tls", "unix")
class Denied(CliCase):
    def setUp(self):
        if DIRECT:
            self.skipTest("direct mode")

    def record(self, text):
        """The audit record of the decision that `text` names."""
        found = DECISION.search(text)
        self.assertIsNotNone(found, f"no decision id in {text!r}")
        records = [r for r in self.gateway.records() if r.get("kind") == "decision"
                   and r["request"]["id"] == found.group(1)]
        self.assertTrue(records, f"decision {found.group(1)} is not in the audit file")
        return records[0]

    def who(self):
        return "alice" if self.transport == "tls" else "uid-0"

    def test_privileged_with_the_host_s_root(self):
        name = self.name()
        result = self.docker.run("run", "--name", name, "--privileged", "-v", "/:/host", IMAGE, "true")
        self.assertEqual(result.code, 125, result)
        self.assertIn("denied by dockreeve", result.err)
        self.assertIn("[no-privileged]", result.err)
        self.assertIn("--privileged", result.err)
        self.assertIn("--cap-add", result.err)
        self.assertIn("[no-sensitive-host-mounts]", result.err)
        self.assertIn("-v ", result.err)
        self.assertNotIn(name, self.engine.containers())
        record = self.record(result.err)
        self.assertEqual(record["decision"]["outcome"], "deny")
        self.assertEqual(record["decision"]["status"], 403)
        self.assertEqual(record["request"]["route"], "container.create")
        self.assertEqual(record["identity"]["name"], self.who())
        rules = {f["rule"] for f in record["decision"]["findings"] if f["effect"] == "deny"}
        self.assertLessEqual({"no-privileged", "no-sensitive-host-mounts"}, rules)
        if self.transport == "tls":
            self.assertEqual(record["source"]["transport"], "tls")
            self.assertIn("CN=alice", record["source"]["tls"]["subject"])
        else:
            self.assertEqual((record["source"]["transport"], record["source"]["peer"]["uid"]),
                             ("unix", 0))

    def test_each_has_its_reason(self):
        for rule, arguments in (
                ("no-host-network", ["--network", "host"]),
                ("no-host-pid", ["--pid", "host"]),
                ("no-host-ipc", ["--ipc", "host"]),
                ("no-docker-socket-mount", ["-v", "/var/run/docker.sock:/s"]),
                ("cap-add-allowlist", ["--cap-add", "SYS_ADMIN"]),
                ("no-host-devices", ["--device", "/dev/mem"]),
                ("seccomp-not-unconfined", ["--security-opt", "seccomp=unconfined"]),
                ("reserved-labels", ["--label", "io.dockreeve.owner=someone"])):
            name = self.name()
            result = self.docker.run("create", "--name", name, *arguments, IMAGE, "true")
            self.assertEqual(result.code, 1, result)
            self.assertIn(f"[{rule}]", result.err)
            self.assertNotIn(name, self.engine.containers())
            self.assertIn(rule, [f["rule"] for f in self.record(result.err)["decision"]["findings"]])

    def test_what_no_policy_opens(self):
        """Routes that are known and closed: refused with a decision, whoever asks."""
        name = self.sleeper(self.name())
        for arguments in (["service", "ls"], ["node", "ls"],
                          ["swarm", "init"], ["plugin", "ls"]):
            result = self.docker.run(*arguments)
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("dockreeve", result.err)
            self.assertEqual(self.record(result.err)["decision"]["outcome"], "deny", result)
        self.assertEqual(self.engine.containers()[name]["State"], "running")
        self.assertEqual(self.engine.api("GET", f"/images/{IMAGE}/json")[0], 200)

    def test_exec_privileged(self):
        name = self.sleeper(self.name())
        result = self.docker.run("exec", "--privileged", name, "true")
        self.assertNotEqual(result.code, 0, result)
        self.assertIn("[no-exec-privileged]", result.err)

    def test_allowed_is_recorded_too(self):
        name = self.name()
        self.docker.ok("create", "--name", name, IMAGE, "true")
        got = [r for r in self.gateway.records()
               if r.get("kind") == "decision" and r["request"].get("route") == "container.create"
               and r["request"].get("query", {}).get("name") == name]
        self.assertEqual([r["decision"]["outcome"] for r in got if r["stage"] == "decided"][:1],
                         ["allow"])
        labels = self.engine.api("GET", f"/containers/{name}/json")[1]["Config"]["Labels"]
        self.assertEqual(labels["io.dockreeve.owner"], self.who())
        self.assertEqual(labels["io.dockreeve.decision"], got[0]["request"]["id"])


class Strangers(GatewayCase):
    def assert_no_answer(self, connect):
        """The handshake fails, or the connection ends before any answer (TLS 1.3 tells late)."""
        try:
            with connect() as connection:
                answer = connection.request("GET", "/_ping")
        except (ssl.SSLError, ConnectionError):
            return
        self.assertIsNone(answer)

    def test_certificate_of_another_ca(self):
        other = OpensslPki(session().folder + "/other-pki")
        self.assert_no_answer(lambda: Raw(self.gateway, other.client("alice")))

    def test_no_certificate(self):
        self.assert_no_answer(lambda: Raw(self.gateway))

    def test_plain_http(self):
        import socket
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=20) as plain:
            plain.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
            data = b""
            try:
                while True:
                    part = plain.recv(4096)
                    if not part:
                        break
                    data += part
            except ConnectionError:
                pass
        self.assertNotIn(b"HTTP/1.1 200", data)
        self.assertNotIn(b"OK", data)

    def test_server_certificate_as_client(self):
        """A certificate for servers does not make a client."""
        self.assert_no_answer(lambda: Raw(self.gateway, session().pki.server))

    def test_known_ca_unknown_identity(self):
        rules = policy().replace('certCN: "*"', 'certCN: "alice"')
        gateway = session().own_gateway("named", policies=rules)
        pki = session().pki
        with Raw(gateway, pki.client("alice")) as connection:
            self.assertEqual(connection.request("GET", "/_ping").status, 200)
        with Raw(gateway, pki.client("mallory")) as connection:
            self.assertEqual(connection.request("GET", "/v1.41/containers/json").status, 403)
        gateway.stop()

    def test_no_policy_for_an_identity(self):
        rules = policy().replace("everyone: true", 'identities: ["alice"]')
        gateway = session().own_gateway("bound", policies=rules)
        pki = session().pki
        with Raw(gateway, pki.client("alice")) as connection:
            self.assertEqual(connection.request("GET", "/v1.41/containers/json").status, 200)
        with Raw(gateway, pki.client("bert")) as connection:
            self.assertEqual(connection.request("GET", "/v1.41/containers/json").status, 403)
        gateway.stop()
