"""The gateway over time: reload, revocation, drain, an engine that goes away, kill -9, an audit file
that cannot be written."""
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

from client import DockerCli, GatewayCase, LineReader, Raw, find_clis
from harness import IMAGE, SLOW, eventually, policy, read, replace, session, tool, write

PRIVILEGED = {"Image": IMAGE, "Cmd": ["true"], "HostConfig": {"Privileged": True}}
PLAIN = {"Image": IMAGE, "Cmd": ["true"]}
CREATE = "/v1.41/containers/create"


class OwnGateway(GatewayCase):
    """A gateway per test, ended (and its end judged) with the test."""

    def own(self, **kw):
        gateway = session().own_gateway(session().name("own"), **kw)
        self.addCleanup(gateway.stop)
        return gateway

    def docker(self, gateway, who="alice"):
        return DockerCli(find_clis()[0][1], f"tcp://127.0.0.1:{gateway.port}",
                         session().pki.client(who))

    def create(self, gateway, body, who="alice", name=None):
        """Status of a create on a fresh connection; None when there was no answer."""
        name = name or self.name()
        with Raw(gateway, session().pki.client(who)) as connection:
            answer = connection.request("POST", f"{CREATE}?name={name}", body)
            return answer and answer.status


class Reload(OwnGateway):
    def test_good_policy_takes_over(self):
        gateway = self.own()
        self.assertEqual(self.create(gateway, PRIVILEGED), 403)
        replace(gateway.policy_file, policy("{ no-privileged: audit }"))
        gateway.reload()
        eventually(lambda: self.create(gateway, PRIVILEGED) == 201, 15, "the new policy is in force")
        replace(gateway.policy_file, policy())
        gateway.reload()
        eventually(lambda: self.create(gateway, PRIVILEGED) == 403, 15, "the old one is back")

    def test_an_open_connection_gets_the_new_policy(self):
        gateway = self.own()
        with Raw(gateway, session().pki.client("alice")) as connection:
            self.assertEqual(connection.request("POST", CREATE, PRIVILEGED).status, 403)
            replace(gateway.policy_file, policy("{ no-privileged: audit }"))
            gateway.reload()
            eventually(lambda: self.create(gateway, PRIVILEGED) == 201, 15)
            name = self.name()
            self.assertEqual(connection.request("POST", f"{CREATE}?name={name}", PRIVILEGED).status,
                             201)

    def test_broken_policy_changes_nothing(self):
        gateway = self.own()
        before = len(gateway.log_text())
        replace(gateway.policy_file, policy("{ no-privileged: maybe }"))
        gateway.reload()
        eventually(lambda: "site.yaml" in gateway.log_text()[before:], 15, "the error is logged")
        self.assertIn("no-privileged", gateway.log_text()[before:])
        self.assertEqual(self.create(gateway, PRIVILEGED), 403)
        self.assertEqual(self.create(gateway, PLAIN), 201)
        eventually(lambda: [r for r in gateway.records() if r["kind"] == "policy"], 15,
                   "the failed reload is in the audit file")
        replace(gateway.policy_file, policy("{ no-privileged: audit }"))
        gateway.reload()
        eventually(lambda: self.create(gateway, PRIVILEGED) == 201, 15, "a mended policy is taken")

    def test_streams_survive_a_reload(self):
        gateway, name = self.own(), self.name()
        docker = self.docker(gateway)
        self.sleeper_on(docker, name)
        cat = self.background(docker.popen("exec", "-i", name, "cat", stdin=subprocess.PIPE))
        lines = LineReader(cat)
        for word in (b"one\n", b"two\n"):
            cat.stdin.write(word)
            cat.stdin.flush()
            self.assertEqual(lines.line().encode() + b"\n", word)
            gateway.reload()
            time.sleep(0.5)
        cat.stdin.close()
        self.assertEqual(cat.wait(20 * SLOW), 0)

    def sleeper_on(self, docker, name):
        docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                  "trap 'exit 0' TERM; while :; do sleep 0.1; done")


class Revocation(OwnGateway):
    def test_of_new_and_open_connections(self):
        gateway, pki = self.own(), session().pki
        who = session().name("leaver")
        certs = pki.client(who)
        with Raw(gateway, certs) as open_one, Raw(gateway, pki.client("alice")) as other:
            self.assertEqual(open_one.request("GET", "/_ping").status, 200)
            pki.revoke(who)
            gateway.reload()

            def refused():
                try:
                    with Raw(gateway, certs) as fresh:
                        answer = fresh.request("GET", "/v1.41/containers/json")
                    return answer is None or answer.status == 403
                except OSError:
                    return True
            eventually(refused, 15, "a new connection of the revoked certificate is refused")
            try:
                answer = open_one.request("GET", "/v1.41/containers/json")
            except OSError:
                answer = None
            self.assertTrue(answer is None or answer.status in (401, 403), answer)
            self.assertEqual(other.request("GET", "/v1.41/containers/json").status, 200)


class Drain(OwnGateway):
    def test_streams_get_their_grace(self):
        gateway, name = self.own(limits={"drainTimeout": "20s"}), self.name()
        docker = self.docker(gateway)
        docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                  "while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last words")
        follow = self.background(docker.popen("logs", "-f", name))
        attach = self.background(docker.popen("attach", "--no-stdin", name))
        idle = Raw(gateway, session().pki.client("alice"))
        self.addCleanup(idle.close)
        self.assertEqual(idle.request("GET", "/_ping").status, 200)
        time.sleep(1)
        gateway.process.send_signal(signal.SIGTERM)

        def deaf():
            try:
                socket.create_connection(("127.0.0.1", gateway.port), timeout=1).close()
                return False
            except OSError:
                return True
        eventually(deaf, 15, "no new connections are taken")
        self.assertIsNone(follow.poll(), "the stream is cut at once")
        self.assertIsNone(gateway.process.poll())
        status, made = self.engine.api("POST", f"/containers/{name}/exec",
                                       {"Cmd": ["sh", "-c", ">/tmp/go"]})
        self.assertEqual(status, 201)
        self.engine.api("POST", f"/exec/{made['Id']}/start", {"Detach": True})
        self.assertEqual(LineReader(follow).line(), "last words")
        self.assertEqual(LineReader(attach).line(), "last words")
        self.assertEqual(follow.wait(20 * SLOW), 0)
        gateway.stop()

    def test_the_grace_ends(self):
        gateway, name = self.own(limits={"drainTimeout": "1s"}), self.name()
        docker = self.docker(gateway)
        docker.ok("run", "-d", "--name", name, IMAGE, "sleep", "1000")
        follow = self.background(docker.popen("logs", "-f", name))
        time.sleep(0.5)
        gateway.stop(timeout=15)
        follow.wait(20 * SLOW)

    def test_nothing_to_wait_for(self):
        gateway = self.own(limits={"drainTimeout": "60s"})
        with Raw(gateway, session().pki.client("alice")) as idle:
            self.assertEqual(idle.request("GET", "/_ping").status, 200)
            gateway.stop(timeout=15)  # an idle connection is nothing to wait for


class Engine(OwnGateway):
    def test_down_and_up_again(self):
        link = os.path.join(session().folder, session().name("up") + ".sock")
        gateway = self.own(upstream=link)
        docker = self.docker(gateway)
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("GET", "/v1.41/containers/json")
            self.assertEqual(answer.status, 502, answer)
            self.assertIn("cannot reach the Docker engine", answer.message)
        result = docker.run("ps")
        self.assertEqual(result.code, 1, result)
        self.assertIn("cannot reach the Docker engine", result.err)
        self.assertEqual(self.create(gateway, PRIVILEGED), 403, "a denial needs no engine")
        self.assertEqual(self.create(gateway, PLAIN), 502)
        os.symlink(session().engine.socket, link)
        docker.ok("ps")
        self.assertEqual(self.create(gateway, PLAIN), 201)

    def silent_engine(self, behaviour):
        """A socket that takes connections and does with each what `behaviour` says."""
        path = os.path.join(session().folder, session().name("mute") + ".sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(16)
        held = []

        def serve():
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return
                threading.Thread(target=behaviour, args=(held[-1],), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()

        def end():
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            for connection in held:
                connection.close()
        self.addCleanup(end)
        return path

    def test_silent(self):
        gateway = self.own(upstream=self.silent_engine(lambda c: None),
                           limits={"upstreamTimeout": "1s", "lookupTimeout": "1s"})
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("GET", "/v1.41/containers/json")
            self.assertEqual(answer.status, 504, answer)
            self.assertTrue(answer.message)

    def test_closes_an_idle_connection(self):
        """A connection that the gateway kept and the engine has closed since is no error."""
        def one_answer(connection):
            request = connection.recv(65536)
            body = b'{"Id":"%s"}' % (b"cd" * 32) if request.startswith(b"POST") else b"[]"
            if b"/images/" in request:
                body = b'{"Id":"sha256:%s","Config":{}}' % (b"ab" * 32)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            time.sleep(0.1)
            connection.close()
        gateway = self.own(upstream=self.silent_engine(one_answer))
        with Raw(gateway, session().pki.client("alice")) as connection:
            for _ in range(3):
                for method, path, body in (("GET", "/v1.41/containers/json", None),
                                           ("POST", CREATE + "?name=x", PLAIN)):
                    answer = connection.request(method, path, body)
                    self.assertEqual(answer.status, 200, answer)
                    time.sleep(0.3)

    def test_hangs_up(self):
        gateway = self.own(upstream=self.silent_engine(lambda c: (c.recv(4096), c.close())))
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("GET", "/v1.41/containers/json")
            self.assertEqual(answer.status, 502, answer)

    def test_cut_answer_is_not_completed(self):
        """What the engine did not finish must not look finished."""
        def half(connection):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1234\r\n")
            connection.close()
        gateway = self.own(upstream=self.silent_engine(half))
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("GET", "/v1.41/containers/json")
            self.assertTrue(answer is None or answer.status == 502, answer)


class Killed(OwnGateway):
    ROUNDS = 20

    def test_no_denial_is_lost(self):
        """SIGKILL while denials stream in: every one that a client has seen is on disk."""
        gateway = self.own()
        certs = session().pki.client("alice")
        dice = random.Random(20)
        seen, lock = [], threading.Lock()

        def caller():
            try:
                with Raw(gateway, certs) as connection:
                    while True:
                        answer = connection.request("POST", CREATE, PRIVILEGED)
                        if answer is None:
                            return
                        with lock:
                            seen.append((answer.status, answer.headers.get("x-dockreeve-decision"),
                                         answer.message))
            except OSError:
                return  # the gateway died under it

        for _ in range(self.ROUNDS):
            before = len(seen)
            callers = [threading.Thread(target=caller) for _ in range(4)]
            for thread in callers:
                thread.start()
            eventually(lambda: len(seen) > before, 30, "denials stream in", step=0.005)
            time.sleep(dice.uniform(0.0, 0.1))
            gateway.kill()
            for thread in callers:
                thread.join()
            gateway.start()
        self.assertEqual({status for status, _, _ in seen}, {403})
        self.assertTrue(all(ident and ident in text for _, ident, text in seen))
        recorded = {r["request"]["id"] for r in gateway.records()
                    if r["kind"] == "decision" and r["decision"]["outcome"] == "deny"}
        lost = [ident for _, ident, _ in seen if ident not in recorded]
        self.assertEqual(lost, [], f"{len(lost)} of {len(seen)} denials are not in the audit file")
        self.assertEqual(self.create(gateway, PLAIN), 201, "and it still works")
        self.check_chain(gateway.audit)

    def check_chain(self, path):
        """Numbers without a gap, each record holding the hash of the line before it."""
        with open(path, "rb") as f:
            lines = f.read().split(b"\n")
        self.assertEqual(lines.pop(), b"", "the last line is complete")
        previous, number = None, None
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                previous = hashlib.sha256(line).hexdigest()  # torn by a kill, kept as it is
                continue
            if number is not None:
                self.assertEqual(record["seq"], number + 1)
                self.assertEqual(record["prev"], previous)
            number, previous = record["seq"], hashlib.sha256(line).hexdigest()


class Audit(OwnGateway):
    def setUp(self):
        self.folder = os.path.join(session().folder, session().name("tmpfs"))
        os.makedirs(self.folder)
        tool(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", self.folder])
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=False)

    def test_full_disk(self):
        gateway = self.own(audit=self.folder + "/audit.jsonl")
        self.assertEqual(self.create(gateway, PLAIN), 201)
        filler = self.folder + "/filler"
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 512)
            except OSError:
                pass
        # What is left of the last page takes some records; then there is no room.
        eventually(lambda: self.create(gateway, PLAIN) == 503, 30, "changes are refused with 503")
        name = self.name()
        with Raw(gateway, session().pki.client("alice")) as connection:
            answer = connection.request("POST", f"{CREATE}?name={name}", PLAIN)
            self.assertEqual(answer.status, 503, answer)
            self.assertIn("audit", answer.message)
            self.assertNotIn(name, self.engine.containers())
        self.assertEqual(self.create(gateway, PRIVILEGED), 503, "a denial that cannot be recorded")
        docker = self.docker(gateway)
        docker.ok("ps")
        docker.ok("version")
        os.unlink(filler)
        eventually(lambda: self.create(gateway, PLAIN) == 201, 30, "changes pass again")
        docker.ok("ps")

    def test_second_gateway_on_the_same_file(self):
        gateway = self.own(audit=self.folder + "/audit.jsonl")
        done = subprocess.run([session().binary, "serve", "-c", gateway.config], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30 * SLOW,
                              check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertTrue(done.stdout.strip())
        self.assertEqual(self.create(gateway, PLAIN), 201)


class BadConfiguration(OwnGateway):
    def refused(self, change):
        """Starts a gateway whose file was changed; returns what it printed before it gave up."""
        gateway = self.own()
        gateway.stop()
        text = read(gateway.config)
        changed = change(text)
        self.assertNotEqual(changed, text)
        write(gateway.config, changed)
        done = subprocess.run([session().binary, "serve", "-c", gateway.config], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30 * SLOW,
                              check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"gateway\.yaml:\d+:\d+")
        return done.stdout

    def test_unknown_key(self):
        self.assertIn("drainTimeout", self.refused(lambda t: t.replace("drainTimeout", "drainTimeuot")))

    def test_no_client_ca(self):
        self.assertIn("clientCA", self.refused(
            lambda t: "".join(l for l in t.splitlines(True) if "clientCA" not in l)))

    def test_plain_tcp(self):
        def without_tls(text):
            head, rest = text.split("    tls:\n")
            return head + "  - name: local" + rest.split("  - name: local")[1]
        self.refused(without_tls)
