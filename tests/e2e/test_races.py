"""What a name means may change between the gateway's look and the engine's act. A team that acts by
a name, while that name passes back and forth between the teams as fast as it can, never hits what is
the other's."""
import json
import os
import threading
import time
from urllib.parse import quote

from client import GatewayCase
from harness import IMAGE, policy, session
from teams import Speaker, separated

TRIES = int(os.environ.get("DOCKREEVE_E2E_TRIES", "1000"))
# A create takes the engine ten times as long as a rename.
SLOW_TRIES = max(50, TRIES // 10)
API = "/v1.41"
BODY = {"Image": IMAGE, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}}


class Race(GatewayCase):
    gateway_name = "two-teams"
    options = {}

    @property
    def gateway(self):
        return session().gateway(self.gateway_name, policies=separated())

    def setUp(self):
        self.stop = threading.Event()
        self.failure = None
        self.speakers = []

    def speaker(self, team):
        made = Speaker(self.gateway, team)
        self.addCleanup(made.close)
        return made

    def call(self, speaker, method, path, body=None, good=None):
        """(status, JSON); with `good`, any other status is a failure."""
        status, text = speaker.call(method, API + path, body)
        if good and status not in good:
            raise AssertionError(f"{speaker.team}: {method} {path} -> {status} {text[:300]}")
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def against(self, flip, attack, tries=TRIES):
        """`attack` that many times while another thread runs `flip` without a pause. How often the
        attack said that it took place, which has to be sometimes."""
        def loop():
            try:
                while not self.stop.is_set():
                    flip()
            except Exception as e:  # pylint: disable=broad-except
                self.failure = e
        thread = threading.Thread(target=loop)
        thread.start()
        hits = 0
        try:
            for _ in range(tries):
                hits += bool(attack())
                if self.failure:
                    break
        finally:
            self.stop.set()
            thread.join()
        if self.failure:
            raise AssertionError("the other team was hit") from self.failure
        self.assertGreater(hits, 0, "the name was never the attacker's own: nothing was tried")
        self.assertLess(hits, tries, "the name was never the other team's: nothing was tried")

    def container(self, speaker, name):
        ident = self.call(speaker, "POST", f"/containers/create?name={name}", BODY, (201,))[1]["Id"]
        self.addCleanup(self.engine.api, "DELETE", f"/containers/{ident}?force=1")
        return ident


class Rename(Race):
    """Both teams give the name to a container of theirs in turn."""

    def setUp(self):
        super().setUp()
        self.red, self.blue, self.attacker = (self.speaker(t) for t in ("red", "blue", "blue"))
        self.shared = session().name("shared")
        self.ids = {t.team: self.container(t, f"{self.shared}-{t.team}")
                    for t in (self.red, self.blue)}

    def flip(self):
        for speaker in (self.red, self.blue):
            ident = self.ids[speaker.team]
            self.call(speaker, "POST", f"/containers/{ident}/rename?name={self.shared}", good=(204,))
            self.call(speaker, "POST",
                      f"/containers/{ident}/rename?name={self.shared}-{speaker.team}", good=(204,))

    def test_update(self):
        def attack():
            return self.call(self.attacker, "POST", f"/containers/{self.shared}/update",
                             {"CpuShares": 77})[0] == 200
        self.against(self.flip, attack)
        shares = {t: self.engine.api("GET", f"/containers/{i}/json")[1]["HostConfig"]["CpuShares"]
                  for t, i in self.ids.items()}
        self.assertEqual(shares, {"red": 0, "blue": 77})

    def test_inspect(self):
        def attack():
            status, got = self.call(self.attacker, "GET", f"/containers/{self.shared}/json")
            self.assertNotIn(self.ids["red"], json.dumps(got))
            return status == 200
        self.against(self.flip, attack)


class Recreate(Race):
    """Both teams make an object of the name and remove it again, in turn."""

    def setUp(self):
        super().setUp()
        self.red, self.blue, self.attacker = (self.speaker(t) for t in ("red", "blue", "blue"))
        self.shared = session().name("shared")

    def test_remove_a_container(self):
        path = f"/containers/create?name={self.shared}"

        def flip():
            ident = self.call(self.red, "POST", path, BODY, (201,))[1]["Id"]
            self.call(self.red, "DELETE", f"/containers/{ident}", good=(204,))
            ident = self.call(self.blue, "POST", path, BODY, (201,))[1]["Id"]
            self.call(self.blue, "DELETE", f"/containers/{ident}", good=(204, 404, 409))

            # The name is free only when a removal that the attacker began has ended.
            while self.engine.api("GET", f"/containers/{ident}/json")[0] != 404:
                pass

        self.against(flip, lambda: self.call(self.attacker, "DELETE",
                                             f"/containers/{self.shared}")[0] == 204)

    def test_remove_a_volume(self):
        def flip():
            self.call(self.red, "POST", "/volumes/create", {"Name": self.shared}, (201,))
            self.call(self.red, "DELETE", f"/volumes/{self.shared}", good=(204,))
            self.call(self.blue, "POST", "/volumes/create", {"Name": self.shared}, (201,))
            self.call(self.blue, "DELETE", f"/volumes/{self.shared}", good=(204, 404))

        self.against(flip, lambda: self.call(self.attacker, "DELETE",
                                             f"/volumes/{self.shared}")[0] == 204)

    def test_mount_a_volume(self):
        body = {**BODY, "HostConfig": {"NetworkMode": "none", "Binds": [f"{self.shared}:/data"]}}

        def owner():
            status, volume = self.engine.api("GET", f"/volumes/{self.shared}")
            return (volume.get("Labels") or {}).get("io.dockreeve.team") if status == 200 else None

        def flip():
            # While the attacker's container holds a volume of the name, that is the one.
            status = self.call(self.red, "POST", "/volumes/create", {"Name": self.shared})[0]
            if status == 201 and owner() == "red":
                self.call(self.red, "DELETE", f"/volumes/{self.shared}", good=(204,))

        def attack():
            status, got = self.call(self.attacker, "POST", "/containers/create", body)
            if status != 201:
                return False
            holder = owner()
            self.assertNotEqual(holder, "red", "the container of blue holds the volume of red")
            self.engine.api("DELETE", f"/containers/{got['Id']}?force=1")
            self.engine.api("DELETE", f"/volumes/{self.shared}")
            return True

        self.addCleanup(self.engine.api, "DELETE", f"/volumes/{self.shared}")
        self.against(flip, attack, SLOW_TRIES)


class Retag(Race):
    """A tag passes between an image that the policy allows and one that it does not."""

    @property
    def gateway(self):
        return session().gateway("no-root-image",
                                 policies=policy("{ run-as-non-root: enforce }"))

    def test_an_absent_image_looks_absent(self):
        status, got = self.call(self.speaker("blue"), "POST", "/containers/create",
                                {**BODY, "Image": "not-here:1"})
        self.assertEqual((status, got), (404, {"message": "No such image: not-here:1"}))

    def image(self, user):
        """The id of an image that runs as that user."""
        engine, name = self.engine, session().name("made")
        ident = engine.api("POST", f"/containers/create?name={name}", BODY)[1]["Id"]
        status, got = engine.api("POST", f"/commit?container={name}&repo={name}",
                                 {"User": user, "Cmd": ["true"], "Labels": {"runs-as": user}})
        self.assertEqual(status, 201, got)
        engine.api("DELETE", f"/containers/{ident}")
        self.addCleanup(engine.api, "DELETE", f"/images/{name}?force=1")
        return engine.api("GET", f"/images/{name}/json")[1]["Id"]

    def test_create(self):
        attacker = self.speaker("blue")
        images = {user: self.image(user) for user in ("root", "1000")}

        def attack():
            status, got = self.call(attacker, "POST", "/containers/create",
                                    {**BODY, "Image": self.shared})
            if status != 201:
                return False
            made = self.engine.api("GET", f"/containers/{got['Id']}/json")[1]
            self.engine.api("DELETE", f"/containers/{got['Id']}?force=1")
            self.assertEqual((made["Config"]["User"], made["Image"]), ("1000", images["1000"]))
            return True

        self.against(self.between(images), attack, SLOW_TRIES)

    def test_start_at_once(self):
        """A container of the wrong image must not even live for a moment, for it can be started."""
        attacker, starter = self.speaker("blue"), self.speaker("blue")
        images = {user: self.image(user) for user in ("root", "1000")}
        name, began = self.name(), int(time.time()) - 1
        done = threading.Event()

        def start():
            while not done.is_set():
                starter.call("POST", f"{API}/containers/{name}/start")

        def attack():
            status, got = self.call(attacker, "POST", f"/containers/create?name={name}",
                                    {**BODY, "Image": self.shared})
            if status == 201:
                self.engine.api("DELETE", f"/containers/{got['Id']}?force=1")
            return status == 201

        thread = threading.Thread(target=start)
        thread.start()
        try:
            self.against(self.between(images), attack, SLOW_TRIES)
        finally:
            done.set()
            thread.join()
        until = int(time.time()) + 1

        def started(user):
            query = quote(json.dumps({"event": ["start"], "label": ["runs-as=" + user]},
                                     separators=(",", ":")))
            status, text = self.engine.api(
                "GET", f"/events?since={began}&until={until}&filters={query}")
            self.assertEqual(status, 200, text)
            return text
        self.assertTrue(started("1000"), "no container was ever started in time")
        self.assertEqual(started("root"), "")

    def between(self, images):
        """A flip of the tag `self.shared` between the images."""
        self.shared = session().name("tag") + ":1"
        repository = self.shared.split(":")[0]

        def flip():
            for ident in images.values():
                status, got = self.engine.api("POST", f"/images/{ident}/tag?repo={repository}&tag=1")
                if status != 201:
                    raise AssertionError(f"tag: {status} {got}")
        flip()
        self.addCleanup(self.engine.api, "DELETE", f"/images/{self.shared}?force=1")
        return flip
