"""Every row of the route table, called by another team: the objects of the first team look as if
they did not exist, and nothing about them changes. The table is read from docs/routes.md, which a
unit test holds against the code."""
import io
import json
import os
import re
import tarfile
import time

from client import GatewayCase, Raw
from harness import IMAGE, eventually, free_port, policy, session

ROWS = re.compile(r"^\| `([a-z_.]+)` \| `([A-Z]+) ([^`]+)` \| ([a-z, ]+) \| ([a-z]*) \|$", re.M)
DECISION = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")

# Shared by all teams, on purpose: images are shown to everybody (so their names are looked for
# nowhere); a node is nobody's, and who opens these routes by name shows the cluster.
SHARED = {"image.inspect", "image.history", "image.save", "image.tag", "image.push",
          "image.attestations", "node.inspect"}


def table():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/routes.md")
    with open(path, encoding="utf-8") as f:
        rows = ROWS.findall(f.read())
    assert len(rows) > 110, "docs/routes.md has lost its table"
    return rows


OPT_IN = [name for name, _, _, openness, _ in table() if openness == "by name"]
SCOPED = "own-resources-only: { mode: enforce, by: team, reads: true }"
CLOSED_POLICY = policy("{ " + SCOPED + " }")
OPENED_POLICY = policy("{ " + SCOPED + ", endpoint-allowlist: { mode: enforce, allow: ['*', "
                       + ", ".join(OPT_IN) + "] } }")


def small_tar():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo("marker-a-file")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    return data.getvalue()


class First:
    """What the first team owns, made on the engine itself, and what it looks like."""

    def __init__(self, engine):
        self.engine = engine
        labels = {"io.dockreeve.owner": "alice", "io.dockreeve.team": "web"}
        self.call("POST", "/volumes/create", {"Name": "marker-a-volume", "Labels": labels})
        self.call("POST", "/networks/create", {"Name": "marker-a-network", "Labels": labels})
        made = self.call("POST", "/containers/create?name=marker-a-container",
                         {"Image": IMAGE, "Cmd": ["sleep", "600"], "Labels": labels,
                          "Env": ["KEY=marker-a-secret"],
                          "HostConfig": {"NetworkMode": "none", "Binds": ["marker-a-volume:/v"]}})
        self.container = made["Id"]
        self.call("POST", f"/containers/{self.container}/start")
        self.exec = self.call("POST", f"/containers/{self.container}/exec", {"Cmd": ["true"]})["Id"]
        self.call("POST", f"/commit?container={self.container}&repo=marker-a-image&tag=1", {})
        port = free_port()
        self.call("POST", "/swarm/init", {"ListenAddr": f"127.0.0.1:{port}",
                                          "AdvertiseAddr": f"127.0.0.1:{port}"})
        self.secret = self.call("POST", "/secrets/create",
                                {"Name": "marker-a-s", "Labels": labels, "Data": "eA=="})["ID"]
        self.config = self.call("POST", "/configs/create",
                                {"Name": "marker-a-g", "Labels": labels, "Data": "eA=="})["ID"]
        self.service = self.call("POST", "/services/create", {
            "Name": "marker-a-service", "Labels": labels,
            "TaskTemplate": {"ContainerSpec": {"Image": IMAGE, "Command": ["sleep", "600"]},
                             "RestartPolicy": {"Condition": "none"},
                             "Networks": [{"Target": "host"}]}})["ID"]
        self.task = eventually(self.tasks, 30, "the service has a task")[0]["ID"]
        self.node = self.call("GET", "/nodes")[0]["ID"]
        eventually(lambda: self.call("GET", f"/tasks/{self.task}")["Status"]["State"] in
                   ("running", "failed", "rejected", "complete"), 30, "the task has settled")

    def call(self, method, path, body=None):
        status, answer = self.engine.api(method, "/v1.41" + path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def tasks(self):
        return self.call("GET", "/tasks")

    def end(self):
        self.engine.api("DELETE", f"/services/{self.service}")
        self.engine.api("POST", "/swarm/leave?force=1")
        self.engine.remove_all()
        self.engine.api("DELETE", "/images/marker-a-image:1?force=1")
        self.engine.api("DELETE", "/networks/marker-a-network")
        self.engine.api("DELETE", "/volumes/marker-a-volume?force=1")

    def state(self):
        """Everything of it that a call could have changed."""
        container = self.call("GET", f"/containers/{self.container}/json")
        return json.dumps({
            "container": [container["Name"], container["State"]["Status"],
                          container["State"]["StartedAt"], container["State"]["Paused"],
                          container["HostConfig"], container["RestartCount"],
                          container["ExecIDs"]],
            "changes": self.call("GET", f"/containers/{self.container}/changes"),
            "volume": self.call("GET", "/volumes/marker-a-volume"),
            "network": self.call("GET", "/networks/marker-a-network"),
            "image": self.call("GET", "/images/marker-a-image:1/json")["Id"],
            "tags": sorted(t for i in self.call("GET", "/images/json") for t in i["RepoTags"] or []
                           if "marker-b" not in t),
            "swarm": self.call("GET", "/swarm")["JoinTokens"],
            "node": self.call("GET", f"/nodes/{self.node}")["Spec"],
            "service": self.call("GET", f"/services/{self.service}")["Version"],
            "secret": self.call("GET", f"/secrets/{self.secret}")["Version"],
            "config": self.call("GET", f"/configs/{self.config}")["Version"]}, sort_keys=True)

    def names(self, kind):
        """Two names for an object of this kind: the first team's, and one that nothing has."""
        return {"container": ("marker-a-container", "marker-z-container"),
                "exec": (self.exec, "f" * 64),
                "image": ("marker-a-image:1", "marker-z-image:1"),
                "volume": ("marker-a-volume", "marker-z-volume"),
                "network": ("marker-a-network", "marker-z-network"),
                "plugin": ("marker-a-plugin", "marker-z-plugin"),
                "service": ("marker-a-service", "marker-z-service"),
                "node": (self.node, "z" * 25), "task": (self.task, "z" * 25),
                "secret": ("marker-a-s", "marker-z-s"),
                "config": ("marker-a-g", "marker-z-g")}[kind]


QUERIES = {
    "container.stats": "stream=0", "container.logs": "stdout=1", "container.archive_get": "path=/v",
    "container.archive_head": "path=/v", "container.archive_put": "path=/v",
    "container.resize": "h=1&w=1", "exec.resize": "h=1&w=1", "container.rename": "name=marker-b-new",
    "container.remove": "force=1&v=1", "container.kill": "signal=KILL", "volume.remove": "force=1",
    "image.remove": "force=1", "image.tag": "repo=marker-b-image", "service.logs": "stdout=1",
    "task.logs": "stdout=1", "node.remove": "force=1", "commit": "container={container}",
    "image.save_all": "names=marker-z-image", "build.cancel": "id=x", "image.search": "term=x",
}
BODIES = {
    "container.create": {"Image": IMAGE, "HostConfig": {"VolumesFrom": ["{container}"],
                                                        "NetworkMode": "container:{container}"}},
    "container.exec": {"Cmd": ["touch", "/v/by-b"]}, "exec.start": {"Detach": True},
    "container.update": {"PidsLimit": 7}, "volume.create": {"Name": "marker-b-volume"},
    "network.create": {"Name": "marker-b-network"},
    "network.connect": {"Container": "{container}"},
    "network.disconnect": {"Container": "{container}", "Force": True},
    "system.auth": {"username": "b", "password": "x", "serveraddress": "127.0.0.1:9"},
    "commit": {}, "service.create": {}, "service.update": {}, "node.update": {},
    "secret.create": {}, "secret.update": {}, "config.create": {}, "config.update": {},
}
NAMES_A_CONTAINER = {"commit", "container.create"}
UPGRADES = {
    "container.attach": ["Connection: Upgrade", "Upgrade: tcp"],
    "container.attach_ws": ["Connection: Upgrade", "Upgrade: websocket",
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                            "Sec-WebSocket-Version: 13"],
    "session": ["Connection: Upgrade", "Upgrade: h2c", "X-Docker-Expose-Session-Uuid: marker-b"],
    "grpc": ["Connection: Upgrade", "Upgrade: h2c"],
}


class EveryRow(GatewayCase):
    gateway_name = "scoped"
    options = {"policies": CLOSED_POLICY}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = First(session().engine)
        cls.addClassCleanup(cls.first.end)

    def ask(self, row, name, container):
        """Status and text of the second team's call, without names, ids and times."""
        route, method, pattern, _, kind = row
        path = re.sub(r"\{[a-z]+\*?\}", name, pattern, count=1)
        path = re.sub(r"\{[a-z]+\*?\}", "marker-z-part", path)
        query = QUERIES.get(route, "")
        if route == "system.events":
            query = f"until={int(time.time())}&since=1"
        body = BODIES.get(route)
        if body is not None:
            body = json.dumps(body).replace("{container}", container).encode()
        target = "/v1.41" + path + ("?" + query.replace("{container}", container) if query else "")
        if route.startswith("debug"):
            target = path
        headers = list(UPGRADES.get(route, []))
        with Raw(self.gateway, session().pki.client("bob", "data")) as connection:
            if route in ("container.archive_put", "image.load", "build"):
                data = small_tar()
                connection.send(f"{method} {target} HTTP/1.1\r\nHost: g\r\nContent-Type: "
                                f"application/x-tar\r\nContent-Length: {len(data)}\r\n\r\n")
                connection.send(data)
                answer = connection.answer(method)
            else:
                answer = connection.request(method, target, body, headers)
        self.assertIsNotNone(answer, f"no answer to {method} {target}")
        text = answer.body.decode("utf-8", "replace")
        if kind or route in NAMES_A_CONTAINER:  # what the caller says itself may be repeated
            for word in (name, container):
                text = text.replace(word, "<name>")
        return answer.status, DECISION.sub("<id>", text)

    def check_row(self, row):
        route, _, _, _, kind = row
        ours, absent = self.first.names(kind) if kind else ("marker-x", "marker-x")
        seen = self.ask(row, ours, "marker-a-container")
        if route in SHARED:
            return
        self.assertNotIn("marker-a", seen[1].replace("marker-a-image", ""), route)
        if not kind and route not in NAMES_A_CONTAINER:
            return
        self.assertEqual(seen, self.ask(row, absent, "marker-z-container"), route)

    def check_table(self):
        before = self.first.state()
        for row in table():
            with self.subTest(route=row[0], method=row[1]):
                if row[0] == "image.remove":
                    continue  # a refusal with its reason: test_images.py
                self.check_row(row)
                after = self.first.state()
                self.assertEqual(after, before, f"{row[0]} changed something")

    def test_every_row_as_another_team(self):
        self.check_table()


class EveryRowOpened(EveryRow):
    gateway_name = "opened"
    options = {"policies": OPENED_POLICY}

    def test_opened_routes_pass(self):
        """The opened rows reach the engine: what is everybody's is answered."""
        with Raw(self.gateway, session().pki.client("bob", "data")) as connection:
            for path in ("/nodes", "/plugins", f"/nodes/{self.first.node}"):
                self.assertEqual(connection.request("GET", "/v1.41" + path).status, 200, path)
        with Raw(self.gateway, session().pki.client("alice", "web")) as connection:
            for path in ("/services", "/secrets", "/configs", "/tasks"):
                answer = connection.request("GET", "/v1.41" + path)
                self.assertEqual(len(json.loads(answer.body)), 1, answer)
            for path in ("/services/marker-a-service", "/secrets/marker-a-s", "/configs/marker-a-g",
                         f"/tasks/{self.first.task}"):
                self.assertEqual(connection.request("GET", "/v1.41" + path).status, 200, path)
