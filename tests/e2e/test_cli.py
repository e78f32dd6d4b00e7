"""docker commands through the gateway do what they do on the engine: output, exit codes, standard
streams with half-close, lists, life cycle."""
import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
import time

from client import CliCase, every_cli, LineReader
from harness import IMAGE, SLOW, eventually, session


@every_cli("tls", "unix")
class Run(CliCase):
    def test_prints_output(self):
        result = self.docker.run("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((result.code, result.out, result.err), (0, "out\n", "err\n"))

    def test_exit_code_is_the_program_s(self):
        for code in (0, 3):
            result = self.docker.run("run", "--rm", IMAGE, "sh", "-c", f"exit {code}")
            self.assertEqual(result.code, code, result)

    def test_exit_code_125_engine_refuses(self):
        name = self.name()
        self.docker.ok("create", "--name", name, IMAGE, "true")
        result = self.docker.run("run", "--name", name, IMAGE, "true")
        self.assertEqual(result.code, 125, result)
        self.assertIn("already in use", result.err)

    def test_exit_code_126_not_executable(self):
        result = self.docker.run("run", "--name", self.name(), IMAGE, "/etc/passwd")
        self.assertEqual(result.code, 126, result)

    def test_exit_code_127_not_found(self):
        result = self.docker.run("run", "--name", self.name(), IMAGE, "no-such-program")
        self.assertEqual(result.code, 127, result)

    def test_stdin_is_piped(self):
        self.assertEqual(self.docker.ok("run", "-i", "--rm", IMAGE, "cat", input=b"to and fro\n"),
                         "to and fro")

    def test_output_after_end_of_stdin(self):
        script = "cat >/dev/null; sleep 1; echo late"
        self.assertEqual(self.docker.ok("run", "-i", "--rm", IMAGE, "sh", "-c", script,
                                        input=b"something\n"), "late")

    def test_end_of_empty_stdin(self):
        self.assertEqual(self.docker.ok("run", "-i", "--rm", IMAGE, "wc", "-c", input=b""), "0")

    def test_large_stdin(self):
        data = os.urandom(3 << 20)
        out = self.docker.ok("run", "-i", "--rm", IMAGE, "sha256sum", input=data)
        self.assertEqual(out.split()[0], hashlib.sha256(data).hexdigest())

    def test_large_stdout(self):
        data = self.docker.ok("run", "--rm", IMAGE, "sh", "-c",
                              "head -c 6000000 /dev/zero | tr '\\0' x", binary=True)
        self.assertEqual((len(data), data.count(b"x")), (6000000, 6000000))

    def test_large_both_ways_at_once(self):
        data = os.urandom(1 << 20)
        out = self.docker.ok("run", "-i", "--rm", IMAGE, "cat", input=data, binary=True)
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(data).digest())

    def test_detached_then_wait(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c", "sleep 0.5; exit 5")
        self.assertEqual(self.docker.ok("wait", name), "5")

    def test_settings_arrive(self):
        name = self.name()
        self.docker.ok("create", "--name", name, "-e", "A=b c", "--label", "k=v", "-w", "/tmp", "-u",
                       "user", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50",
                       "--cap-drop", "ALL", "--read-only", "--tmpfs", "/run:size=1m", "--hostname",
                       "inside", "--restart", "on-failure:2", IMAGE, "sh", "-c", "id -u; pwd")
        got = self.engine.api("GET", f"/containers/{name}/json")[1]
        host, config = got["HostConfig"], got["Config"]
        self.assertEqual((host["Memory"], host["NanoCpus"], host["PidsLimit"], host["CapDrop"],
                          host["ReadonlyRootfs"], host["Tmpfs"], host["RestartPolicy"]),
                         (64 << 20, 500000000, 50, ["ALL"], True, {"/run": "size=1m"},
                          {"Name": "on-failure", "MaximumRetryCount": 2}))
        self.assertEqual((config["Hostname"], config["User"], config["WorkingDir"],
                          config["Labels"]["k"]), ("inside", "user", "/tmp", "v"))
        self.assertIn("A=b c", config["Env"])
        self.assertEqual(self.docker.ok("start", "-a", name).split(), ["1000", "/tmp"])


@every_cli("tls", "unix")
class Exec(CliCase):
    def test_output_and_exit_code(self):
        name = self.sleeper(self.name())
        result = self.docker.run("exec", "-e", "X=1", name, "sh", "-c", "echo $X; exit 4")
        self.assertEqual((result.code, result.out), (4, "1\n"))

    def test_output_after_end_of_stdin(self):
        name = self.sleeper(self.name())
        self.assertEqual(self.docker.ok("exec", "-i", name, "sh", "-c",
                                        "wc -c; sleep 1; echo late", input=b"12345"), "5\nlate")

    def test_detached(self):
        name = self.sleeper(self.name())
        self.docker.ok("exec", "-d", name, "sh", "-c", "echo here >/tmp/mark")
        eventually(lambda: self.docker.run("exec", name, "cat", "/tmp/mark").out == "here\n", 10,
                   "the detached exec has written its file")

    def test_of_a_stopped_container(self):
        name = self.name()
        self.docker.ok("create", "--name", name, IMAGE, "true")
        result = self.docker.run("exec", name, "true")
        self.assertEqual(result.code, 1, result)
        self.assertIn("is not running", result.err)


@every_cli("tls", "unix")
class Streams(CliCase):
    def test_attach_sees_the_end(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                       "i=0; while [ $i -lt 20 ]; do echo tick; sleep 0.1; i=$((i+1)); done; exit 6")
        result = self.docker.run("attach", "--no-stdin", name)
        self.assertEqual(result.code, 6, result)
        self.assertIn("tick", result.out)

    def test_logs(self):
        name = self.name()
        self.docker.ok("run", "--name", name, IMAGE, "sh", "-c", "echo one; echo two; echo err >&2")
        result = self.docker.run("logs", name)
        self.assertEqual((result.out, result.err), ("one\ntwo\n", "err\n"))
        last = self.docker.run("logs", "--tail", "1", name)
        self.assertIn(last.out + last.err, ("two\n", "err\n"))
        self.assertRegex(self.docker.ok("logs", "-t", name), r"^\d{4}-\d\d-\d\dT\S+Z one")

    def test_followed_logs_end_with_the_container(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                       "echo first; sleep 1; echo last")
        self.assertEqual(self.docker.ok("logs", "-f", name), "first\nlast")

    def test_followed_logs_come_at_once(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                       "while [ ! -e /tmp/go ]; do sleep 0.1; done; echo went; sleep 100")
        follow = self.background(self.docker.popen("logs", "-f", name))
        self.docker.ok("exec", name, "sh", "-c", ">/tmp/go")
        self.assertEqual(LineReader(follow).line(), "went")
        self.assertIsNone(follow.poll())

    def test_events_live_and_filtered(self):
        name, other = self.name(), self.name()
        events = self.background(self.docker.popen(
            "events", "--filter", f"container={name}", "--filter", "type=container",
            "--format", "{{.Action}} {{.Actor.Attributes.name}}"))
        lines = LineReader(events)
        time.sleep(0.5)  # until the stream is open
        self.docker.ok("run", "--name", other, IMAGE, "true")
        self.docker.ok("run", "--name", name, IMAGE, "true")
        seen = []
        while not seen or not seen[-1].startswith("die"):
            seen.append(lines.line())
        self.assertEqual([s.split()[0] for s in seen if not s.startswith("attach")],
                         ["create", "start", "die"])
        self.assertEqual({s.split()[1] for s in seen}, {name})
        self.interrupt(events)

    def test_events_of_the_past_end(self):
        name = self.name()
        since = str(int(time.time()) - 1)
        self.docker.ok("create", "--name", name, IMAGE, "true")
        out = self.docker.ok("events", "--since", since, "--until", str(int(time.time()) + 1),
                             "--filter", f"container={name}", "--format", "{{json .}}")
        self.assertEqual([json.loads(line)["Action"] for line in out.splitlines()], ["create"])

    def test_stats_once(self):
        name = self.sleeper(self.name())
        self.assertEqual(self.docker.ok("stats", "--no-stream", "--format", "{{.Name}}", name), name)

    def test_stats_stream(self):
        name = self.sleeper(self.name())
        stats = self.background(self.docker.popen("stats", "--format", "{{.Name}}", name))
        lines = LineReader(stats)
        seen = 0  # a line per refresh, between lines that only clear the screen
        while seen < 3:
            seen += name in lines.line()


@every_cli("tls", "unix")
class Copy(CliCase):
    def setUp(self):
        self.folder = os.path.join(session().folder, session().name("cp"))
        os.makedirs(self.folder)
        self.container = self.name()
        self.docker.ok("create", "--name", self.container, IMAGE, "true")

    def test_in_and_out(self):
        data = os.urandom(2 << 20)
        with open(self.folder + "/in", "wb") as f:
            f.write(data)
        self.docker.ok("cp", self.folder + "/in", f"{self.container}:/tmp/there")
        self.docker.ok("cp", f"{self.container}:/tmp/there", self.folder + "/out")
        with open(self.folder + "/out", "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).digest(), hashlib.sha256(data).digest())

    def test_tar_streams(self):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            info = tarfile.TarInfo("note")
            info.size = 5
            archive.addfile(info, io.BytesIO(b"hello"))
        self.docker.ok("cp", "-", f"{self.container}:/tmp", input=tar.getvalue())
        out = self.docker.ok("cp", f"{self.container}:/tmp/note", "-", binary=True)
        with tarfile.open(fileobj=io.BytesIO(out)) as archive:
            self.assertEqual(archive.extractfile("note").read(), b"hello")

    def test_missing_path(self):
        result = self.docker.run("cp", f"{self.container}:/no/such", self.folder + "/x")
        self.assertEqual(result.code, 1, result)


@every_cli("tls", "unix")
class LifeCycle(CliCase):
    def state(self, name):
        return self.engine.api("GET", f"/containers/{name}/json")[1]["State"]

    def test_stop_and_start_again(self):
        name = self.sleeper(self.name())
        self.assertEqual(self.docker.ok("stop", name), name)
        self.assertEqual(self.state(name)["Status"], "exited")
        self.docker.ok("start", name)
        self.assertEqual(self.state(name)["Status"], "running")

    def test_stop_by_force_after_the_grace(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sleep", "1000")
        self.docker.ok("stop", "-t", "1", name)
        self.assertEqual(self.state(name)["ExitCode"], 137)

    def test_kill(self):
        name = self.sleeper(self.name())
        self.docker.ok("kill", name)
        eventually(lambda: self.state(name)["Status"] == "exited", what="the container ends")
        self.assertEqual(self.state(name)["ExitCode"], 137)

    def test_kill_with_a_signal(self):
        name = self.sleeper(self.name())
        eventually(lambda: self.docker.run("kill", "-s", "TERM", name).code == 0)
        eventually(lambda: self.state(name)["Status"] == "exited", what="the container ends")
        self.assertEqual(self.state(name)["ExitCode"], 0)

    def test_restart(self):
        name = self.sleeper(self.name())
        before = self.state(name)["StartedAt"]
        self.docker.ok("restart", "-t", "1", name)
        self.assertNotEqual(self.state(name)["StartedAt"], before)

    def test_pause_and_unpause(self):
        name = self.sleeper(self.name())
        self.docker.ok("pause", name)
        self.assertTrue(self.state(name)["Paused"])
        self.docker.ok("unpause", name)
        self.assertFalse(self.state(name)["Paused"])

    def test_rename(self):
        name, other = self.name(), self.name()
        self.docker.ok("create", "--name", name, IMAGE, "true")
        self.docker.ok("rename", name, other)
        self.assertIn(other, self.engine.containers())
        self.assertNotIn(name, self.engine.containers())

    def test_update(self):
        name = self.sleeper(self.name())
        self.docker.ok("update", "--memory", "128m", "--memory-swap", "256m", "--pids-limit", "99",
                       name)
        host = self.engine.api("GET", f"/containers/{name}/json")[1]["HostConfig"]
        self.assertEqual((host["Memory"], host["PidsLimit"]), (128 << 20, 99))

    def test_remove(self):
        name = self.sleeper(self.name())
        result = self.docker.run("rm", name)
        self.assertNotEqual(result.code, 0)
        self.assertIn(name, self.engine.containers())
        self.docker.ok("rm", "-f", name)
        self.assertNotIn(name, self.engine.containers())

    def test_removed_when_it_ends(self):
        name = self.name()
        self.docker.ok("run", "--rm", "--name", name, IMAGE, "true")
        eventually(lambda: name not in self.engine.containers(), what="--rm removes it")

    def test_prefix_of_an_id(self):
        name = self.sleeper(self.name())
        ident = self.engine.api("GET", f"/containers/{name}/json")[1]["Id"]
        self.assertEqual(self.docker.ok("exec", ident[:12], "echo", "same"), "same")


@every_cli("tls", "unix")
class Reads(CliCase):
    def test_ps_and_inspect(self):
        name = self.sleeper(self.name(), "--label", "find=me")
        self.assertEqual(self.docker.ok("ps", "--filter", f"name={name}", "--format", "{{.Names}}"),
                         name)
        self.assertEqual(self.docker.ok("ps", "-q", "--filter", "name=no-such-container"), "")
        self.assertEqual(json.loads(self.docker.ok("inspect", name))[0]["Name"], "/" + name)
        self.assertEqual(self.docker.ok("inspect", "-f", "{{.Config.Labels.find}}", name), "me")

    def test_inspect_of_nothing(self):
        result = self.docker.run("inspect", "no-such-container")
        self.assertEqual(result.code, 1, result)
        self.assertIn("No such", result.err)

    def test_top(self):
        name = self.sleeper(self.name())
        self.assertIn("while :; do sleep", self.docker.ok("top", name))

    def test_images(self):
        self.assertIn(IMAGE, self.docker.ok("images", "--format", "{{.Repository}}:{{.Tag}}"))
        self.assertEqual(json.loads(self.docker.ok("image", "inspect", IMAGE))[0]["RepoTags"],
                         [IMAGE])
        self.assertTrue(self.docker.ok("history", "-q", IMAGE))

    def test_info(self):
        self.assertTrue(self.docker.ok("info", "--format", "{{.ServerVersion}}"))

    def test_version(self):
        self.assertEqual(self.docker.ok("version", "--format", "{{.Server.Version}}"),
                         self.engine.api("GET", "/version")[1]["Version"])

    def test_diff_and_port(self):
        name = self.sleeper(self.name())
        self.docker.ok("exec", name, "sh", "-c", "echo >/tmp/new")
        self.assertIn("A /tmp/new", self.docker.ok("diff", name))
        self.assertEqual(self.docker.ok("port", name), "")

    def test_volumes(self):
        name = session().name("vol")
        self.assertEqual(self.docker.ok("volume", "create", name), name)
        self.addCleanup(self.engine.api, "DELETE", f"/volumes/{name}?force=1")
        self.assertIn(name, self.docker.ok("volume", "ls", "-q").splitlines())
        self.assertEqual(self.docker.ok("volume", "inspect", "-f", "{{.Driver}}", name), "local")
        self.docker.ok("run", "--rm", "-v", f"{name}:/data", IMAGE, "sh", "-c", "echo x >/data/kept")
        self.assertEqual(self.docker.ok("run", "--rm", "-v", f"{name}:/data:ro", IMAGE, "cat",
                                        "/data/kept"), "x")
        self.docker.ok("volume", "rm", name)
        self.assertEqual(self.engine.api("GET", f"/volumes/{name}")[0], 404)

    def test_networks(self):
        self.assertIn("none", self.docker.ok("network", "ls", "--format", "{{.Name}}").split())
        self.assertEqual(self.docker.ok("network", "inspect", "-f", "{{.Driver}}", "none"), "null")


@every_cli("tls")
class Pull(CliCase):
    def test_from_a_local_registry(self):
        reference = session().start_registry() + "/team/tool:1"
        repository, tag = reference.rsplit(":", 1)
        auth = {"X-Registry-Auth": "e30="}
        self.engine.api("POST", f"/images/{IMAGE}/tag?repo={repository}&tag={tag}")
        status, progress = self.engine.api("POST", f"/images/{repository}/push?tag={tag}",
                                           headers=auth)
        self.assertEqual(status, 200)
        self.assertNotIn('"error"', progress if isinstance(progress, str) else json.dumps(progress))
        self.engine.api("DELETE", f"/images/{reference}")
        self.assertEqual(self.engine.api("GET", f"/images/{reference}/json")[0], 404)
        self.assertIn("Status: ", self.docker.ok("pull", reference))
        self.addCleanup(self.engine.api, "DELETE", f"/images/{reference}?force=1")
        self.assertEqual(self.docker.ok("run", "--rm", reference, "echo", "pulled"), "pulled")

    def test_of_what_is_not_there(self):
        result = self.docker.run("pull", session().start_registry() + "/team/absent:1")
        self.assertEqual(result.code, 1, result)
        self.assertIn("not found", result.err)


@every_cli("tls", "unix")
class Interrupt(CliCase):
    """Ctrl-C of a CLI leaves nothing open behind the gateway."""
    ROUNDS = 8
    POOL = 4  # idle connections to the engine that it may keep for later

    def settled(self):
        """The number of the gateway's sockets once it no longer changes."""
        seen = []

        def steady():
            seen.append(self.gateway.sockets())
            return len(seen) > 5 and len(set(seen[-5:])) == 1
        eventually(steady, 15, "the gateway is at rest", step=0.1)
        return seen[-1]

    def leaves_nothing(self, once):
        once()
        before = self.settled()
        for _ in range(self.ROUNDS):
            once()
        eventually(lambda: self.gateway.sockets() <= before + self.POOL, 15,
                   f"connections are closed: there were {before}, now {self.gateway.sockets()}")

    def test_of_run(self):
        def once():
            run = self.background(self.docker.popen(
                "run", "--name", self.name(), IMAGE, "sh", "-c",
                "trap 'echo caught; exit 7' INT; echo up; while :; do sleep 0.1; done"))
            lines = LineReader(run)
            self.assertEqual(lines.line(), "up")
            run.send_signal(signal.SIGINT)
            self.assertEqual(lines.line(), "caught")
            self.assertEqual(run.wait(30 * SLOW), 7)
        self.leaves_nothing(once)

    def test_of_followed_logs(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                       "echo up; while :; do sleep 0.1; done")

        def once():
            follow = self.background(self.docker.popen("logs", "-f", name))
            self.assertEqual(LineReader(follow).line(), "up")
            self.interrupt(follow)
        self.leaves_nothing(once)
        self.assertEqual(self.docker.ok("exec", name, "echo", "alive"), "alive")

    def test_killed_client(self):
        name = self.sleeper(self.name())

        def once():
            cat = self.background(self.docker.popen("exec", "-i", name, "cat",
                                                    stdin=subprocess.PIPE))
            cat.stdin.write(b"x\n")
            cat.stdin.flush()
            self.assertEqual(LineReader(cat).line(), "x")
            cat.kill()
            cat.wait()
        self.leaves_nothing(once)
