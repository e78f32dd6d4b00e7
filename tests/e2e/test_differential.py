"""What arrives through the gateway is what the client meant: the engine's view of a container made
through it equals that of one made from the same body directly."""
from bodies import bodies
from client import Case
from harness import OPEN_POLICY


def normal(got, name):
    """HostConfig, Config and mounts without what differs between any two containers."""
    config, host = dict(got["Config"]), dict(got["HostConfig"])
    if config["Hostname"] == got["Id"][:12]:
        config["Hostname"] = "<id>"
    config["Image"] = got["Image"]  # the gateway may forward the id it resolved
    config["Labels"] = {k: v for k, v in (config["Labels"] or {}).items()
                        if not k.startswith("io.dockreeve.")}
    mounts = sorted(({k: v for k, v in m.items() if k not in ("Name", "Source")}
                     for m in got["Mounts"]), key=lambda m: m["Destination"])
    return {"Config": config, "HostConfig": host, "Mounts": mounts}


class Differential(Case):
    gateway_name = "open"
    options = {"policies": OPEN_POLICY}

    def compare(self, body):
        import json
        text = json.dumps(body)
        through, directly = self.name(), self.name()
        with self.raw() as connection:
            answer = connection.request("POST", f"/v1.41/containers/create?name={through}",
                                        text.encode())
        status, want = self.engine.api("POST", f"/v1.41/containers/create?name={directly}", text,
                                       {"Content-Type": "application/json"})
        self.assertEqual(answer.status, status, f"{answer} {want}")
        if status != 201:
            return False
        self.assertEqual(normal(self.engine.api("GET", f"/containers/{through}/json")[1], through),
                         normal(self.engine.api("GET", f"/containers/{directly}/json")[1], directly))
        return True

    def test_bodies(self):
        made = refused = 0
        for name, body in bodies():
            with self.subTest(name, body=body):
                if self.compare(body):
                    made += 1
                else:
                    refused += 1
            self.doCleanups()
        self.assertGreater(made, 100)
        self.assertLess(refused, 30, "the bodies are meant to be good ones")
