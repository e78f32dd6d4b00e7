"""Sizes and numbers: large bodies, many connections, connection limits."""
import resource
import time

from client import GatewayCase, Raw
from harness import IMAGE, OPEN_POLICY, SLOW, session

MIB = 1 << 20


class Sizes(GatewayCase):
    gateway_name = "open"
    options = {"policies": OPEN_POLICY}

    def body(self, size):
        head = b'{"Image":"busybox:local","Cmd":["true"],"Env":["A=' + b"x" * 1000 + b'"]'
        return head + b" " * (size - len(head) - 1) + b"}"

    def test_just_below_the_limit(self):
        name = self.name()
        answer = self.raw().request("POST", f"/v1.41/containers/create?name={name}",
                                    self.body(4 * MIB - 1))
        self.assertEqual(answer.status, 201, answer)

    def test_declared_above_the_limit(self):
        name = self.name()
        answer = self.raw().request("POST", f"/v1.41/containers/create?name={name}",
                                    self.body(4 * MIB + 1))
        self.assertEqual(answer.status, 413, answer)
        self.assertNotIn(name, self.engine.containers())

    def test_counted_above_the_limit(self):
        name = self.name()
        connection = self.raw()
        connection.send(f"POST /v1.41/containers/create?name={name} HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            for _ in range(5 * MIB // 65536):
                connection.send(chunk)
        except OSError:
            pass  # refused before the end; the answer may still be there to read
        answer = connection.answer()
        if answer is not None:  # a reset while sending can swallow it
            self.assertEqual(answer.status, 413, answer)
        self.assertNotIn(name, self.engine.containers())

    def test_expected_above_the_limit(self):
        """A client that asks first is told before it sends anything."""
        connection = self.raw()
        connection.send("POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {64 * MIB}\r\n\r\n")
        self.assertEqual(connection.head()[0], 413)

    def test_upload_is_not_limited(self):
        import io
        import tarfile
        name = self.name()
        self.engine.api("POST", f"/containers/create?name={name}",
                        {"Image": IMAGE, "Cmd": ["true"]})
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            info = tarfile.TarInfo("big")
            info.size = 12 * MIB
            archive.addfile(info, io.BytesIO(b"x" * info.size))
        data = tar.getvalue()
        connection = self.raw()
        connection.send(f"PUT /v1.41/containers/{name}/archive?path=/tmp HTTP/1.1\r\nHost: x\r\n"
                        f"Content-Type: application/x-tar\r\nContent-Length: {len(data)}\r\n\r\n")
        connection.send(data)
        self.assertEqual(connection.answer().status, 200)


class Connections(GatewayCase):
    def open(self, gateway, count):
        """That many TLS connections, each past its handshake and one request."""
        certs = session().pki.client("alice")
        held = []
        self.addCleanup(lambda: [c.close() for c in held])
        for _ in range(count):
            held.append(Raw(gateway, certs))
        return held

    def test_many_idle_ones(self):
        count = 2000 if SLOW <= 1 else 500
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertGreater(soft, count + 200, "too few file descriptors for this test")
        gateway = session().own_gateway("many", limits={"idleTimeout": "300s", "headerTimeout": "300s"})
        held = self.open(gateway, count)
        with Raw(gateway, session().pki.client("bert")) as fresh:
            self.assertEqual(fresh.request("GET", "/_ping").status, 200)
        for connection in (held[0], held[count // 2], held[-1]):
            self.assertEqual(connection.request("GET", "/_ping").status, 200)
        self.assertGreaterEqual(gateway.sockets(), count)
        for connection in held:
            connection.close()
        end = time.monotonic() + 20 * SLOW
        while gateway.sockets() > 20 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertLessEqual(gateway.sockets(), 20, "connections are not given back")
        gateway.stop()

    def test_limit_of_connections(self):
        gateway = session().own_gateway("few", limits={"maxConnections": "8"})
        held = self.open(gateway, 8)
        for connection in held:
            self.assertEqual(connection.request("GET", "/_ping").status, 200)
        try:
            with Raw(gateway, session().pki.client("alice"), timeout=2) as extra:
                answer = extra.request("GET", "/_ping")
                self.assertTrue(answer is None or answer.status == 503, answer)
        except (OSError, TimeoutError):
            pass  # not accepted at all: as good
        for connection in held:
            connection.close()
        end = time.monotonic() + 20 * SLOW
        status = 0
        while status != 200 and time.monotonic() < end:
            try:
                with Raw(gateway, session().pki.client("alice"), timeout=2) as again:
                    answer = again.request("GET", "/_ping")
                    status = answer.status if answer else 0
            except OSError:
                time.sleep(0.1)
        self.assertEqual(status, 200)
        gateway.stop()
