"""Teams beside each other on one engine: what lists, events, disk usage, inspects and prunes show
and take, with own-resources-only."""
import json
import subprocess
import threading
import time
import urllib.parse

from client import DockerCli, GatewayCase, LineReader, Raw, find_clis
from harness import IMAGE, SLOW, eventually, session

SITE = """\
apiVersion: dockreeve/v1
kind: Identities
unknown: deny
identities:
  - name: "{{cert.cn}}"
    match: { certCN: "*" }
teams:
  web: [ { certOU: web } ]
  data: [ { certOU: data }, { certCN: both } ]
roles:
  caretaker: [ { certCN: keeper } ]
---
apiVersion: dockreeve/v1
kind: Policy
metadata: { name: site }
spec:
  extends: [baseline@1]
  rules:
    own-resources-only: { mode: enforce, by: team, reads: READS, unowned: [caretaker] }
    no-prune: enforce
---
apiVersion: dockreeve/v1
kind: Binding
metadata: { name: everyone }
spec:
  subjects: { everyone: true }
  policies: [site]
"""
SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
API = "/v1.41"


def filters(**kw):
    return "filters=" + urllib.parse.quote(json.dumps(kw))


class Teams(GatewayCase):
    """alice is in web, bob in data, `both` in both, keeper in web with the role for unowned things."""
    gateway_name = "teams"
    options = {"policies": SITE.replace("READS", "true")}
    people = {"alice": "web", "bob": "data", "both": "web", "keeper": "web"}

    def setUp(self):
        self.alice, self.bob, self.both, self.keeper = (
            DockerCli(find_clis()[0][1], f"tcp://127.0.0.1:{self.gateway.port}",
                      session().pki.client(who, team)) for who, team in self.people.items())
        self.engine.remove_all()
        self.addCleanup(self.clean)

    def clean(self):
        self.engine.remove_all()
        for volume in self.engine.api("GET", "/volumes")[1]["Volumes"] or []:
            self.engine.api("DELETE", f"/volumes/{volume['Name']}?force=1")
        for network in self.engine.api("GET", "/networks")[1]:
            if network["Name"] not in ("bridge", "host", "none"):
                self.engine.api("DELETE", f"/networks/{network['Id']}")

    def get(self, who, path, method="GET"):
        with Raw(self.gateway, session().pki.client(who, self.people[who])) as connection:
            return connection.request(method, API + path)

    def json(self, who, path):
        answer = self.get(who, path)
        self.assertEqual(answer.status, 200, answer)
        return json.loads(answer.body)

    def names(self, who, query="all=1"):
        return sorted(c["Names"][0][1:] for c in self.json(who, f"/containers/json?{query}"))

    def container(self, docker, name, *extra):
        docker.ok("run", "-d", "--name", name, "-e", "TOKEN=hunter2", *extra, IMAGE, *SLEEP)
        return name

    def stray(self, name):
        """A container that was made beside the gateway."""
        status, made = self.engine.api("POST", f"{API}/containers/create?name={name}",
                                       {"Image": IMAGE, "Cmd": SLEEP, "Env": ["TOKEN=hunter2"]})
        self.assertEqual(status, 201, made)
        return made["Id"]


class Lists(Teams):
    def test_containers(self):
        self.container(self.alice, "web-1")
        self.container(self.bob, "data-1")
        self.stray("stray-1")
        self.assertEqual(self.names("alice"), ["web-1"])
        self.assertEqual(self.names("bob"), ["data-1"])
        self.assertEqual(self.names("both"), ["data-1", "web-1"])
        self.assertEqual(self.names("keeper"), ["stray-1", "web-1"])
        self.assertEqual(self.alice.ok("ps", "-a", "--format", "{{.Names}}"), "web-1")

    def test_client_filters_only_narrow(self):
        self.container(self.alice, "web-1", "--label", "x=1")
        self.container(self.alice, "web-2")
        self.container(self.bob, "data-1", "--label", "x=1")
        for who, seen in (("alice", ["web-1"]), ("both", ["data-1", "web-1"])):
            self.assertEqual(self.names(who, "all=1&" + filters(label=["x=1"])), seen)
        for label in ("io.dockreeve.team=data", "io.dockreeve.owner=bob"):
            self.assertEqual(self.names("alice", "all=1&" + filters(label=[label])), [])
            self.assertEqual(self.names("alice", "all=1&" + filters(label={label: True})), [])
        self.assertEqual(self.names("alice", "all=1&" + filters(label=["io.dockreeve.team"])),
                         ["web-1", "web-2"])
        self.assertEqual(self.names("alice", "all=1&" + filters(id=[self.id_of("data-1")])), [])
        twice = urllib.parse.quote('{"label":["io.dockreeve.team=web"],"label":["x"]}')
        self.assertEqual(self.get("alice", "/containers/json?filters=" + twice).status, 400)
        folded = urllib.parse.quote('{"label":["io.dockreeve.team=web"],"Label":["x"]}')
        answer = self.get("alice", "/containers/json?all=1&filters=" + folded)
        self.assertNotIn(b"data-1", answer.body)
        self.assertEqual(self.get("alice", "/containers/json?filters={}&filters={}").status, 400)

    def test_limit_counts_what_is_seen(self):
        self.container(self.both, "web-1")
        for i in range(3):
            self.stray(f"stray-{i}")
        self.assertEqual(self.names("both", "limit=1"), ["web-1"])
        self.assertEqual(self.both.ok("ps", "-lq", "--no-trunc"), self.id_of("web-1"))
        self.container(self.bob, "data-1")
        self.assertEqual(self.names("both", "limit=1"), ["data-1"])

    def test_before_and_since_tell_nothing(self):
        self.container(self.bob, "data-1")
        self.container(self.alice, "web-1")
        self.container(self.alice, "web-2")
        for key in ("before", "since"):
            there = self.alice.run("ps", "-a", "--filter", f"{key}=data-1")
            absent = self.alice.run("ps", "-a", "--filter", f"{key}=nobody")
            self.assertNotEqual(there.code, 0)
            self.assertEqual(there.err.replace("data-1", "nobody"), absent.err)
            self.assertEqual(self.get("alice", f"/containers/json?all=1&{key}=data-1").status, 404)
        self.assertEqual(self.names("alice", "all=1&" + filters(since=["web-1"])), ["web-2"])
        self.assertEqual(self.names("alice", "all=1&" + filters(before=["/web-2"])), ["web-1"])

    def id_of(self, name):
        return self.engine.containers()[name]["Id"]

    def test_volumes(self):
        self.alice.ok("volume", "create", "web-v")
        self.bob.ok("volume", "create", "data-v")
        self.engine.api("POST", f"{API}/volumes/create", {"Name": "stray-v"})
        for who, seen in (("alice", ["web-v"]), ("bob", ["data-v"]), ("both", ["data-v", "web-v"]),
                          ("keeper", ["stray-v", "web-v"])):
            found = self.json(who, "/volumes")["Volumes"] or []
            self.assertEqual(sorted(v["Name"] for v in found), seen, who)
        self.assertEqual(self.get("alice", "/volumes/data-v").status, 404)
        self.assertEqual(self.get("alice", "/volumes/stray-v").status, 404)
        self.assertEqual(self.get("keeper", "/volumes/stray-v").status, 200)
        self.assertEqual(self.alice.ok("volume", "ls", "-q"), "web-v")
        self.assertNotIn("data-v", self.alice.ok("volume", "ls", "-q", "--filter", "dangling=true"))

    def test_networks(self):
        labels = {"io.dockreeve.owner": "alice", "io.dockreeve.team": "web"}
        status, _ = self.engine.api("GET", "/networks/none")
        self.assertEqual(status, 200)
        self.container(self.bob, "data-1", "--network", "none")
        seen = {n["Name"] for n in self.json("alice", "/networks")}
        self.assertLessEqual(seen, {"bridge", "host", "none"})
        self.assertIn("none", seen)
        self.assertTrue(self.engine.api("GET", "/networks/none")[1]["Containers"])
        for who in ("alice", "bob", "keeper"):
            self.assertEqual(self.json(who, "/networks/none")["Containers"], {}, who)
        self.assertNotIn("data-1", self.alice.ok("network", "inspect", "none"))
        # The engine of the tests makes no bridges of its own, but its records of them.
        made = self.engine.api("POST", f"{API}/networks/create",
                               {"Name": "web-n", "Driver": "macvlan", "Internal": True,
                                "Labels": labels})
        if made[0] == 201:
            self.assertIn("web-n", {n["Name"] for n in self.json("alice", "/networks")})
            self.assertNotIn("web-n", {n["Name"] for n in self.json("bob", "/networks")})
            self.assertEqual(self.get("bob", "/networks/web-n").status, 404)

    def test_disk_usage(self):
        self.container(self.alice, "web-1")
        self.container(self.bob, "data-1")
        self.alice.ok("volume", "create", "web-v")
        self.bob.ok("volume", "create", "data-v")
        usage = self.json("alice", "/system/df")
        self.assertEqual([c["Names"] for c in usage["Containers"]], [["/web-1"]])
        self.assertEqual([v["Name"] for v in usage["Volumes"]], ["web-v"])
        self.assertFalse(usage["BuildCache"])
        self.assertTrue(usage["Images"])
        self.assertNotIn("data-", self.alice.ok("system", "df", "-v"))


class Events(Teams):
    def watch(self, docker, *extra):
        return self.background(docker.popen("events", "--format", "{{json .}}", *extra,
                                            stdout=subprocess.PIPE))

    def test_own_events_only(self):
        self.container(self.bob, "data-1")
        watchers = {who: self.watch(docker) for who, docker in
                    (("alice", self.alice), ("bob", self.bob), ("both", self.both),
                     ("keeper", self.keeper))}
        time.sleep(1 * SLOW)
        self.bob.ok("exec", "data-1", "echo", "secret-word")
        self.bob.ok("volume", "create", "data-v")
        self.stray("stray-1")
        self.container(self.alice, "web-1")
        self.bob.ok("rm", "-f", "data-1")
        self.alice.ok("rm", "-f", "web-1")
        seen = {}
        for who, last in (("alice", "web-1"), ("bob", "data-1"), ("both", "web-1"),
                          ("keeper", "web-1")):
            lines, found = LineReader(watchers[who]), []
            while not found or (found[-1]["Action"], found[-1]["Actor"]["Attributes"].get("name")) \
                    != ("destroy", last):
                found.append(json.loads(lines.line()))
            seen[who] = found

        def names(who):
            return {e["Actor"]["Attributes"].get("name") for e in seen[who]}
        self.assertEqual(names("alice"), {"web-1"})
        self.assertEqual(names("bob"), {"data-1"})
        self.assertEqual(names("both"), {"web-1", "data-1"})
        self.assertEqual(names("keeper"), {"web-1", "stray-1"})
        self.assertNotIn("secret-word", json.dumps(seen["alice"]) + json.dumps(seen["keeper"]))
        self.assertIn("secret-word", json.dumps(seen["bob"]))

    def test_past_events_end_and_the_connection_goes_on(self):
        since = int(time.time()) - 1
        self.container(self.bob, "data-1")
        self.container(self.alice, "web-1")
        with Raw(self.gateway, session().pki.client("both", "web")) as connection:
            until = int(time.time()) + 1
            answer = connection.request("GET", f"{API}/events?since={since}&until={until}")
            self.assertEqual(answer.status, 200)
            found = {json.loads(line)["Actor"]["Attributes"]["name"]
                     for line in answer.body.splitlines()}
            self.assertEqual(found, {"web-1", "data-1"})
            self.assertEqual(connection.request("GET", "/_ping").status, 200)

    def test_a_client_that_goes_ends_the_stream_at_the_engine(self):
        def watchers():
            return self.engine.api("GET", "/info")[1]["NEventsListener"]
        before = watchers()
        watcher = self.watch(self.both)
        eventually(lambda: watchers() > before, 10, "the engine has one more listener")
        watcher.kill()
        eventually(lambda: watchers() == before, 10, "the listener is gone")

    def test_filter_for_a_foreign_container(self):
        self.container(self.bob, "data-1")
        until = int(time.time()) + 1
        answer = self.get("alice", f"/events?since=1&until={until}&" + filters(container=["data-1"]))
        self.assertEqual((answer.status, answer.body), (200, b""))


class Prunes(Teams):
    def test_system_prune_takes_only_what_is_own(self):
        for docker, team in ((self.alice, "web"), (self.bob, "data")):
            docker.ok("create", "--name", team + "-1", IMAGE, "true")
            docker.ok("volume", "create", team + "-v")
        self.stray("stray-1")
        out = self.alice.ok("system", "prune", "-f", "--volumes")
        self.assertIn("Deleted Containers", out)
        self.assertEqual(sorted(self.engine.containers()), ["data-1", "stray-1"])
        volumes = [v["Name"] for v in self.engine.api("GET", "/volumes")[1]["Volumes"]]
        self.assertEqual(volumes, ["data-v"])
        self.assertEqual(self.engine.api("GET", f"/images/{IMAGE}/json")[0], 200)

    def test_each_prune(self):
        self.bob.ok("create", "--name", "data-1", IMAGE, "true")
        self.bob.ok("volume", "create", "data-v")
        self.stray("stray-1")
        for who in (self.alice, self.keeper):
            for kind in (["container"], ["volume"], ["network"], ["image"], ["image", "-a"],
                         ["builder"], ["builder", "-a"]):
                who.ok(kind[0], "prune", "-f", *kind[1:])
        self.assertEqual(sorted(self.engine.containers()), ["data-1", "stray-1"])
        self.assertTrue(self.engine.api("GET", "/volumes")[1]["Volumes"])
        self.assertEqual(self.engine.api("GET", f"/images/{IMAGE}/json")[0], 200)
        # Whoever is in several teams prunes for the one that is stamped on what they make.
        self.alice.ok("create", "--name", "web-1", IMAGE, "true")
        self.both.ok("container", "prune", "-f")
        self.assertEqual(sorted(self.engine.containers()), ["stray-1", "web-1"])

    def test_client_filters_only_narrow(self):
        self.alice.ok("create", "--name", "web-1", "--label", "x=1", IMAGE, "true")
        self.alice.ok("create", "--name", "web-2", IMAGE, "true")
        self.bob.ok("create", "--name", "data-1", "--label", "x=1", IMAGE, "true")
        self.alice.ok("container", "prune", "-f", "--filter", "label=io.dockreeve.team=data")
        self.alice.ok("container", "prune", "-f", "--filter", "label!=io.dockreeve.team=web")
        self.assertEqual(len(self.engine.containers()), 3)
        self.alice.ok("container", "prune", "-f", "--filter", "label=x=1")
        self.assertEqual(sorted(self.engine.containers()), ["data-1", "web-2"])
        with Raw(self.gateway, session().pki.client("alice", "web")) as connection:
            answer = connection.request("POST", f"{API}/containers/prune?Filters=%7B%7D")
            self.assertEqual(answer.status, 400)


class OtherPeoplesThings(Teams):
    def test_unowned_role_acts_on_them(self):
        self.stray("stray-1")
        for docker in (self.alice, self.both, self.bob):
            result = docker.run("rm", "-f", "stray-1")
            self.assertIn("No such container: stray-1", result.err + result.out)
        self.assertIn("stray-1", self.engine.containers())
        self.keeper.ok("start", "stray-1")
        self.keeper.ok("rm", "-f", "stray-1")
        self.assertNotIn("stray-1", self.engine.containers())

    def test_volume_made_anew_by_somebody_else_is_not_shown(self):
        """A volume that changes hands again and again: no answer ever shows the other's."""
        stop = threading.Event()

        def swap():
            while not stop.is_set():
                for team, mark in (("web", "mine"), ("data", "theirs")):
                    self.engine.api("DELETE", "/volumes/swap")
                    self.engine.api("POST", f"{API}/volumes/create", {
                        "Name": "swap", "Labels": {"io.dockreeve.team": team, "mark": mark}})
        swapper = threading.Thread(target=swap)
        swapper.start()
        try:
            statuses = set()
            with Raw(self.gateway, session().pki.client("alice", "web")) as connection:
                for _ in range(300):
                    answer = connection.request("GET", f"{API}/volumes/swap")
                    statuses.add(answer.status)
                    self.assertNotIn(b"theirs", answer.body)
            self.assertEqual(statuses, {200, 404})
        finally:
            stop.set()
            swapper.join()


class ReadsOpen(Teams):
    """reads: false. Others are seen, their environment and bind paths are not."""
    gateway_name = "teams-open"
    options = {"policies": SITE.replace("READS", "false")}

    def test_no_environment_and_no_paths_of_others(self):
        self.container(self.bob, "data-1", "-v", "/var/tmp:/x", "-v", "data-v:/y",
                       "--mount", "type=bind,source=/var/tmp,target=/z")
        self.container(self.alice, "web-1", "-v", "/var/tmp:/x")
        own = self.json("alice", "/containers/web-1/json")
        self.assertIn("TOKEN=hunter2", own["Config"]["Env"])
        self.assertEqual(own["HostConfig"]["Binds"], ["/var/tmp:/x"])
        answer = self.get("alice", "/containers/data-1/json")
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"hunter2", answer.body)
        self.assertNotIn(b"/var/tmp", answer.body)
        other = json.loads(answer.body)
        self.assertIn("TOKEN=", other["Config"]["Env"])
        self.assertEqual(sorted(other["HostConfig"]["Binds"]), [":/x", "data-v:/y"])
        self.assertEqual(self.names("alice"), ["data-1", "web-1"])
        for path in ("/containers/json", "/system/df"):
            listed = self.get("alice", path).body
            self.assertIn(b"data-1", listed)
            self.assertEqual(listed.count(b'"/var/tmp"'), 1, path)
        with_environment = self.get("alice", "/containers/data-1/top?ps_args=-eo%20pid,args%20e")
        self.assertEqual(with_environment.status, 404)

    def test_prunes_and_changes_are_limited_all_the_same(self):
        self.bob.ok("create", "--name", "data-1", IMAGE, "true")
        self.alice.ok("container", "prune", "-f")
        self.assertIn("data-1", self.engine.containers())
        self.assertNotEqual(self.alice.run("rm", "data-1").code, 0)


class Races(Teams):
    """What changes between a look-up and the engine's use of its answer."""
    gateway_name = "races"
    options = {"policies": SITE.replace("READS", "true").replace(
        "no-prune: enforce", "no-prune: enforce\n    run-as-non-root: enforce")}

    def test_a_volume_has_one_owner(self):
        """Two teams make a volume of one name at one time: one of them gets it, the other is told."""
        links = {who: Raw(self.gateway, session().pki.client(who, self.people[who]))
                 for who in ("alice", "bob")}
        for link in links.values():
            self.addCleanup(link.close)
        for turn in range(40):
            got, barrier = {}, threading.Barrier(2)

            def make(who):
                barrier.wait()
                got[who] = links[who].request("POST", f"{API}/volumes/create", {"Name": f"same-{turn}"})
            threads = [threading.Thread(target=make, args=(who,)) for who in links]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(a.status for a in got.values()), [201, 403], got)

    def import_image(self, name, user):
        """An image of the files of the test image, made on the engine itself."""
        made = self.engine.api("POST", f"{API}/containers/create", {"Image": IMAGE, "Cmd": ["true"]})[1]
        status, image = self.engine.api("POST", f"{API}/commit?container={made['Id']}",
                                        {"Image": IMAGE, "User": user, "Cmd": ["true"]})
        self.assertEqual(status, 201, image)
        self.addCleanup(self.engine.api, "DELETE", f"/images/{name}?force=1")
        return image["Id"]

    def test_a_tag_that_moves_wins_nothing(self):
        good, bad = self.import_image("good", "1000:1000"), self.import_image("bad", "0:0")
        self.assertNotEqual(good, bad)
        self.addCleanup(self.engine.api, "DELETE", "/images/moving:1?force=1")
        stop = threading.Event()

        def move():
            while not stop.is_set():
                for image in (good, bad):
                    self.engine.api("POST", f"{API}/images/{image}/tag?repo=moving&tag=1")
        self.engine.api("POST", f"{API}/images/{good}/tag?repo=moving&tag=1")
        mover = threading.Thread(target=move)
        mover.start()
        statuses = {}
        try:
            with Raw(self.gateway, session().pki.client("alice", "web")) as connection:
                for i in range(150):
                    answer = connection.request("POST", f"{API}/containers/create?name=moved-{i}",
                                                {"Image": "moving:1"})
                    statuses[answer.status] = statuses.get(answer.status, 0) + 1
                    if answer.status == 409:
                        self.assertIn("changed between its check and its use", answer.message)
        finally:
            stop.set()
            mover.join()
        made = [c for name, c in self.engine.containers().items() if name.startswith("moved-")]
        self.assertEqual({c["ImageID"] for c in made}, {good})
        self.assertEqual(len(made), statuses[201])
        self.assertLessEqual(set(statuses), {201, 403, 409})
        removed = [r for r in self.gateway.records()
                   if r.get("note", {}).get("event") == "created-container-removed"]
        self.assertEqual(len(removed), statuses.get(409, 0))

    def test_an_image_that_stays_is_run(self):
        good = self.import_image("good", "1000:1000")
        self.engine.api("POST", f"{API}/images/{good}/tag?repo=steady&tag=1")
        self.addCleanup(self.engine.api, "DELETE", "/images/steady:1?force=1")
        self.assertEqual(self.alice.ok("run", "--rm", "steady:1", "echo", "hello"), "hello")
