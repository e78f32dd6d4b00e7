"""What arrives through the gateway is what the client meant: the engine's view of a container made
through it equals that of one made from the same body directly."""
from bodies import bodies
from client import Case
from harness import OPEN_POLICY


def normal(got):
    """HostConfig, Config and mounts, flat, without what differs between any two containers."""
    config, host = dict(got["Config"]), dict(got["HostConfig"])
    if config["Hostname"] == got["Id"][:12]:
        config["Hostname"] = "<id>"
    config["Image"] = got["Image"]  # the gateway may forward the id it resolved
    config["Labels"] = {k: v for k, v in (config["Labels"] or {}).items()
                        if not k.startswith("io.dockreeve.")}
    mounts = sorted(({k: v for k, v in m.items() if k not in ("Name", "Source")}
                     for m in got["Mounts"]), key=lambda m: m["Destination"])
    return {**{"Config." + k: v for k, v in config.items()},
            **{"HostConfig." + k: v for k, v in host.items()}, "Mounts": mounts}


class Differential(Case):
    gateway_name = "open"
    options = {"policies": OPEN_POLICY}

    def compare(self, body):
        through, directly = self.name(), self.name()
        with self.raw() as connection:
            answer = connection.request("POST", f"/v1.41/containers/create?name={through}", body)
        # No HostConfig and an empty one differ in inspect (the engine fills in defaults at another
        # time), not in what runs; the gateway always sends one.
        body = {**body, "HostConfig": body.get("HostConfig") or {}}
        status, want = self.engine.api("POST", f"/v1.41/containers/create?name={directly}", body)
        self.assertEqual(answer.status, status, f"{answer} {want}")
        if status != 201:
            return False
        got, want = (normal(self.engine.api("GET", f"/containers/{n}/json")[1])
                     for n in (through, directly))
        different = {k: (got.get(k), want.get(k)) for k in {**got, **want} if got.get(k) != want.get(k)}
        self.assertEqual(different, {}, "(through the gateway, directly)")
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
