"""Images through the gateway: what a CLI does with them, and what keeps teams from each other's."""
import json

from client import CliCase, GatewayCase, Raw, every_cli
from harness import DIRECT, IMAGE, policy, session

OWN = "own-resources-only: { mode: enforce, by: team, reads: false }"


def labelled(engine, repo, owner):
    """A tagged image with the owner label of somebody, made on the engine itself."""
    made = engine.api("POST", "/containers/create", {"Image": IMAGE, "Cmd": ["true"], "Labels": {
        "io.dockreeve.owner": owner}})[1]["Id"]
    status, answer = engine.api("POST", f"/commit?container={made}&repo={repo}&tag=1", {})
    engine.api("DELETE", f"/containers/{made}")
    assert status == 201, answer
    return answer["Id"]


@every_cli("tls")
class Images(CliCase):
    gateway_name = "images"
    options = {"policies": policy("{ " + OWN + " }")}

    def setUp(self):
        if DIRECT:
            self.skipTest("direct mode")

    def image(self, repo):
        self.addCleanup(self.engine.api, "DELETE", f"/images/{repo}?force=1")
        return repo

    def id_of(self, name):
        status, answer = self.engine.api("GET", f"/images/{name}/json")
        return answer["Id"] if status == 200 else None

    def test_tag_push_pull_save_remove(self):
        registry = session().start_registry()
        repo = self.image(f"{registry}/app/{session().name('img')}")
        name = repo + ":1"
        self.docker.ok("tag", IMAGE, name)
        self.assertEqual(self.id_of(name), self.id_of(IMAGE))
        self.docker.ok("push", name, timeout=120)
        saved = self.docker.ok("save", name, binary=True)
        self.assertIn(b"manifest.json", saved)
        self.assertIn(name.encode(), saved)
        self.assertIn(b"manifest.json", self.docker.ok("save", name, IMAGE, binary=True))
        self.assertIn("Untagged: " + name, self.docker.ok("rmi", name))
        self.assertIsNone(self.id_of(name))
        self.docker.ok("pull", name, timeout=120)
        self.assertIsNotNone(self.id_of(name))
        self.assertIn("CREATED BY", self.docker.ok("history", name))
        self.docker.ok("rmi", name)

    def test_absent_images_look_like_the_engine_s(self):
        for arguments in (["rmi", "nothing-here:1"], ["tag", "nothing-here:1", "x:1"],
                          ["save", "nothing-here:1"]):
            result = self.docker.run(*arguments)
            self.assertEqual(result.code, 1, result)
            self.assertRegex(result.err, "^Error(:| response from daemon:) ")
            self.assertNotIn("dockreeve", result.err)

    def test_images_of_others_keep_their_names(self):
        name = self.image(session().name("img")) + ":1"
        theirs = labelled(self.engine, name[:-2], "bob")
        for arguments in (["rmi", name], ["rmi", "-f", name], ["rmi", "-f", theirs],
                          ["rmi", "-f", theirs[7:19]], ["tag", IMAGE, name]):
            result = self.docker.run(*arguments)
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("[own-resources-only]", result.err)
            self.assertIn("belongs to another team", result.err)
            self.assertEqual(self.id_of(name), theirs)
        # Everybody may use it and give it further names.
        other = self.image(session().name("img")) + ":1"
        self.docker.ok("tag", name, other)
        self.assertEqual(self.id_of(other), theirs)

    def test_images_in_use_by_others_keep_their_names(self):
        name = self.image(session().name("img")) + ":1"
        mine = labelled(self.engine, name[:-2], "alice")
        used = self.name()
        self.engine.api("POST", f"/containers/create?name={used}", {"Image": name, "Cmd": ["true"],
                                                                       "Labels": {
            "io.dockreeve.owner": "bob", "io.dockreeve.team": "data"}})
        for arguments in (["rmi", "-f", name], ["tag", IMAGE, name]):
            result = self.docker.run(*arguments)
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("used by a container that is not yours", result.err)
        self.assertEqual(self.id_of(name), mine)
        self.engine.api("DELETE", f"/containers/{used}")
        self.docker.ok("rmi", name)
        self.assertIsNone(self.id_of(name))

    def test_names_like_ids(self):
        short = self.id_of(IMAGE)[7:19]
        result = self.docker.run("tag", IMAGE, short)
        self.assertNotEqual(result.code, 0, result)
        self.assertIn("looks like the id", result.err)


@every_cli("tls")
class TrustedNames(CliCase):
    gateway_name = "trusted-names"

    @property
    def gateway(self):
        rules = ("{ trusted-registry: { mode: enforce, registries: ['busybox:local', "
                 f"'{session().start_registry()}/team/*'] }} }}")
        return session().gateway(self.gateway_name, policies=policy(rules))

    def setUp(self):
        if DIRECT:
            self.skipTest("direct mode")

    def test_only_what_was_pulled_has_them(self):
        registry = session().start_registry()
        own = session().name("img")
        pulled = f"{registry}/team/{own}"
        self.addCleanup(self.engine.api, "DELETE", f"/images/{own}:1?force=1")
        for tag in ("1", "2"):
            self.addCleanup(self.engine.api, "DELETE", f"/images/{pulled}:{tag}?force=1")
        other = labelled(self.engine, own, "alice")
        for name in (pulled + ":1", "busybox:local", "docker.io/library/busybox:local"):
            result = self.docker.run("tag", own + ":1", name)
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("[trusted-registry]", result.err)
        self.assertNotEqual(self.engine.api("GET", f"/images/{IMAGE}/json")[1]["Id"], other)
        # An administrator puts it there; from then on it may move within its repository.
        self.engine.api("POST", f"/images/{own}:1/tag?repo={pulled}&tag=1")
        status, answer = self.engine.api("POST", f"/images/{pulled}/push?tag=1",
                                         headers={"X-Registry-Auth": "e30="})
        self.assertEqual(status, 200, answer)
        self.engine.api("DELETE", f"/images/{pulled}:1")
        self.docker.ok("pull", pulled + ":1", timeout=120)
        self.docker.ok("tag", pulled + ":1", pulled + ":2")
        self.assertNotEqual(self.docker.run("tag", pulled + ":1", f"{registry}/team/other:1").code, 0)


TUNNELS = ("{ endpoint-allowlist: { mode: enforce, allow: ['*', session, grpc, system.auth, "
           "container.attach_ws] } }")


class Tunnels(GatewayCase):
    gateway_name = "tunnels"
    options = {"policies": policy(TUNNELS)}
    SHAKE = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]

    def test_opened_tunnels_speak_http2(self):
        preface, settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0"
        for route, extra in (("grpc", []), ("session", [
                "X-Docker-Expose-Session-Uuid: s1", "X-Docker-Expose-Session-Name: n",
                "X-Docker-Expose-Session-Sharedkey: k",
                "X-Docker-Expose-Session-Grpc-Method: /grpc.health.v1.Health/Check"])):
            with Raw(self.gateway, session().pki.client("alice")) as connection:
                answer = connection.request("POST", "/v1.41/" + route, headers=[
                    "Connection: Upgrade", "Upgrade: h2c"] + extra)
                self.assertEqual((answer.status, answer.headers["upgrade"]), (101, "h2c"), route)
                if route == "grpc":  # the engine is the server there, the client of a session
                    connection.send(preface + settings)
                while len(connection.data) < 24:
                    self.assertTrue(connection.more(), route)
                if route == "grpc":
                    self.assertEqual(connection.data[3:4], b"\4", "a SETTINGS frame")
                else:
                    self.assertTrue(connection.data.startswith(preface), connection.data)
            rules = [f["rule"] for r in self.gateway.records() if r.get("kind") == "decision"
                     and r["request"].get("route") == route for f in r["decision"]["findings"]]
            self.assertIn("uninspectable-stream", rules)

    def test_closed_tunnels_name_the_way_out(self):
        gateway = session().gateway("core")
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("POST", "/v1.41/grpc", headers=["Connection: Upgrade",
                                                                        "Upgrade: h2c"])
        self.assertEqual(answer.status, 403)
        self.assertIn("DOCKER_BUILDKIT=0", answer.message)

    def sleeper(self):
        name = self.name()
        self.engine.api("POST", f"/containers/create?name={name}",
                        {"Image": IMAGE, "Cmd": ["sh", "-c", "read x; echo got $x"],
                         "OpenStdin": True, "HostConfig": {"NetworkMode": "none"}})
        self.engine.api("POST", f"/containers/{name}/start")
        return name

    def test_websocket_attach(self):
        path = f"/v1.41/containers/{self.sleeper()}/attach/ws?stream=1&stdin=1&stdout=1"
        with Raw(self.gateway, session().pki.client("alice")) as connection:
            answer = connection.request("GET", path, headers=self.SHAKE)
            self.assertEqual(answer.status, 101)
            self.assertEqual(answer.headers["upgrade"].lower(), "websocket")
            self.assertEqual(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            text, mask = b"hello\n", b"\1\2\3\4"
            masked = bytes(b ^ mask[i % 4] for i, b in enumerate(text))
            connection.send(bytes([0x82, 0x80 | len(text)]) + mask + masked)
            while b"got hello" not in connection.data:
                self.assertTrue(connection.more(), connection.data)

    def test_websocket_refusals(self):
        path = f"/v1.41/containers/{self.sleeper()}/attach/ws?stream=1"
        for headers, status in ((self.SHAKE + ["Origin: https://evil.example"], 403),
                                (self.SHAKE[2:], 400), (["Connection: Upgrade", "Upgrade: tcp"], 400),
                                (self.SHAKE[:3], 400)):
            with Raw(self.gateway, session().pki.client("alice")) as connection:
                self.assertEqual(connection.request("GET", path, headers=headers).status, status)

    def test_login_leaves_no_secret_behind(self):
        registry = session().start_registry()
        with Raw(self.gateway, session().pki.client("alice")) as connection:
            answer = connection.request("POST", "/v1.41/auth", {
                "username": "alice", "password": "hunter2-secret", "serveraddress": registry})
        self.assertEqual(answer.status, 200, answer)
        with open(self.gateway.audit, encoding="utf-8") as f:
            text = f.read()
        self.assertIn("system.auth", text)
        self.assertNotIn("hunter2-secret", text)
        record = [r for r in self.gateway.records() if r.get("kind") == "decision"
                  and r["request"].get("route") == "system.auth"][0]
        self.assertNotIn("bodySha256", json.dumps(record["request"]))
