"""Streams outlive every time-out that is meant for requests."""
import subprocess
import time

from client import CliCase, GatewayCase, every_cli, LineReader
from harness import IMAGE, SLOW

SILENCE = 4  # seconds; the limits below are a quarter of it


class Quick:
    gateway_name = "quick"
    options = {"limits": {"headerTimeout": "1s", "idleTimeout": "1s", "bodyTimeout": "1s",
                          "lookupTimeout": "5s"}}


@every_cli("tls", "unix")
class Idle(Quick, CliCase):
    def test_hijacked_stream(self):
        name = self.sleeper(self.name())
        cat = self.background(self.docker.popen("exec", "-i", name, "cat", stdin=subprocess.PIPE))
        lines = LineReader(cat)
        for word in (b"before\n", b"after\n"):
            cat.stdin.write(word)
            cat.stdin.flush()
            self.assertEqual(lines.line().encode() + b"\n", word)
            if word == b"before\n":
                time.sleep(SILENCE)
        cat.stdin.close()
        self.assertEqual(cat.wait(20 * SLOW), 0)

    def test_followed_logs(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c",
                       f"echo before; sleep {SILENCE}; echo after; sleep 1")
        self.assertEqual(self.docker.ok("logs", "-f", name), "before\nafter")

    def test_attached_run_that_says_nothing(self):
        result = self.docker.run("run", "--rm", IMAGE, "sh", "-c", f"sleep {SILENCE}; exit 3")
        self.assertEqual(result.code, 3, result)

    def test_wait(self):
        name = self.name()
        self.docker.ok("run", "-d", "--name", name, IMAGE, "sh", "-c", f"sleep {SILENCE}; exit 2")
        self.assertEqual(self.docker.ok("wait", name), "2")

    def test_events(self):
        name = self.name()
        events = self.background(self.docker.popen("events", "--filter", f"container={name}",
                                                   "--format", "{{.Action}}"))
        time.sleep(SILENCE)
        self.docker.ok("create", "--name", name, IMAGE, "true")
        self.assertEqual(LineReader(events).line(), "create")
        self.interrupt(events)


class Slow(Quick, GatewayCase):
    """Clients that take their time with a request are cut off; bounded, not exactly timed."""

    def assert_cut(self, connection, statuses):
        began = time.monotonic()
        answer = connection.answer()
        self.assertLess(time.monotonic() - began, 15 * SLOW)
        if answer is not None:
            self.assertIn(answer.status, statuses)
            self.assertTrue(connection.closed())

    def test_half_a_head(self):
        connection = self.raw()
        connection.send("GET /_ping HTTP/1.1\r\nHost: x\r\n")
        self.assert_cut(connection, (400, 408))

    def test_a_byte_at_a_time(self):
        connection = self.raw()
        end = time.monotonic() + 15 * SLOW
        text = b"GET /_ping HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 4000
        try:
            for i in range(len(text)):
                connection.send(text[i:i + 1])
                time.sleep(0.05)
                self.assertLess(time.monotonic(), end, "drip-fed head is still accepted")
        except OSError:
            pass  # cut: what the test is about

    def test_half_a_body(self):
        name = self.name()
        connection = self.raw()
        connection.send(f"POST /v1.41/containers/create?name={name} HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
                        '{"Image":"busybox:local","HostConfig":{}}')
        self.assert_cut(connection, (400, 408))
        self.assertNotIn(name, self.engine.containers())

    def test_nothing_at_all(self):
        connection = self.raw()
        self.assertIsNone(connection.answer())

    def test_idle_between_requests(self):
        connection = self.raw()
        self.assertEqual(connection.request("GET", "/_ping").status, 200)
        self.assertIsNone(connection.answer())

    def test_no_tls_handshake(self):
        import socket
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=20 * SLOW) as plain:
            self.assertEqual(plain.recv(10), b"")
