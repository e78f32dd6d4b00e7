"""What reaches the engine: requests that the gateway wrote itself, and nothing else."""
import json
import os
import socket
import threading

from client import GatewayCase, Raw
from harness import IMAGE, OPEN_POLICY, session

IMAGE_ID = "sha256:" + "ab" * 32
ALLOWED_HEADERS = {"host", "content-type", "content-length", "connection", "user-agent", "accept",
                   "x-registry-auth"}


class Recorder:
    """An engine that writes down what it is sent, and says yes."""

    def __init__(self):
        self.path = os.path.join(session().folder, session().name("rec") + ".sock")
        self.connections = []  # a list of requests each: (line, {header: value}, body)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def requests(self):
        return [r for connection in self.connections for r in connection]

    def _accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        seen, data = [], b""
        self.connections.append(seen)
        with connection:
            while True:
                while b"\r\n\r\n" not in data:
                    part = connection.recv(65536)
                    if not part:
                        return
                    data += part
                head, data = data.split(b"\r\n\r\n", 1)
                line, *rest = head.decode("latin-1").split("\r\n")
                headers = {}
                for text in rest:
                    name, _, value = text.partition(":")
                    assert name.lower() not in headers, f"{name} twice"
                    headers[name.lower()] = value.strip()
                length = int(headers.get("content-length", "0"))
                while len(data) < length:
                    data += connection.recv(65536)
                body, data = data[:length], data[length:]
                seen.append((line, headers, body))
                connection.sendall(self._answer(line))

    def _answer(self, line):
        method, path, _ = line.split(" ")
        if method == "POST" and "/containers/create" in path:
            status, body = "201 Created", {"Id": "cd" * 32, "Warnings": []}
        elif "/images/" in path:
            status, body = "200 OK", {"Id": IMAGE_ID, "RepoTags": [IMAGE], "Config": {}}
        else:
            status, body = "200 OK", []
        text = json.dumps(body)
        return (f"HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


class Forwarding(GatewayCase):
    def setUp(self):
        self.recorder = Recorder()
        self.addCleanup(self.recorder.close)
        self.own = session().own_gateway(session().name("fwd"), policies=OPEN_POLICY,
                                         upstream=self.recorder.path)
        self.addCleanup(self.own.stop)

    def client(self):
        connection = Raw(self.own, session().pki.client("alice"))
        self.addCleanup(connection.close)
        return connection

    def forwarded(self, word):
        found = [r for r in self.recorder.requests() if word in r[0]]
        self.assertEqual(len(found), 1, self.recorder.requests())
        return found[0]

    def test_head_is_rebuilt(self):
        self.client().send("GET /v1.41/containers/json?limit=5&al%6c=True&junk=%0d%0aX:1 HTTP/1.1\r\n"
                           "Host: evil.example\r\nX-Evil: 1\r\nCookie: a=b\r\nAuthorization: x\r\n"
                           "X-Forwarded-For: y\r\nConnection: keep-alive, X-Evil\r\n"
                           "Upgrade: websocket\r\nX-Http-Method-Override: POST\r\n\r\n")
        client = self.client()
        answer = client.request("GET", "/v1.41/containers/json?all=True&limit=5&size=no",
                                headers=["X-Evil: 1", "Cookie: a=b", "Authorization: x",
                                         "X-Http-Method-Override: POST", "Accept-Encoding: gzip"])
        self.assertEqual(answer.status, 200, answer)
        lines = {r[0] for r in self.recorder.requests() if "/containers/json" in r[0]}
        self.assertIn("GET /v1.41/containers/json?all=1&limit=5&size=0 HTTP/1.1", lines)
        for line, headers, _ in self.recorder.requests():
            self.assertNotIn("X:1", line)
            self.assertLessEqual(set(headers), ALLOWED_HEADERS)
            self.assertNotIn("evil", json.dumps(headers))

    def test_body_is_rebuilt(self):
        body = ('\n {"Cmd" : ["tr\\u0075e"], "Unknown": {"Privileged": true}, "Image":"busybox:local",'
                '"Env":null, "HostConfig":{"Memory": 67108864, "Frob": 1, "PidsLimit": null}}  \n')
        answer = self.client().request("POST", "/v1.41/containers/create?name=abc&Image=evil&x[]=1",
                                       body.encode(), headers=["Expect: 100-continue"])
        self.assertEqual(answer.status, 201, answer)
        line, headers, sent = self.forwarded("/containers/create")
        self.assertEqual(line, "POST /v1.41/containers/create?name=abc HTTP/1.1")
        self.assertLessEqual(set(headers), ALLOWED_HEADERS)
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(int(headers["content-length"]), len(sent))
        got = json.loads(sent)
        self.assertEqual((got["Cmd"], got["HostConfig"]["Memory"]), (["true"], 67108864))
        self.assertNotIn(b"Unknown", sent)
        self.assertNotIn(b"Frob", sent)
        self.assertIn(got["Image"], (IMAGE, IMAGE_ID))
        self.assertEqual(got["Labels"]["io.dockreeve.owner"], "alice")
        self.assertTrue(sent.isascii(), "one byte, one reading")

    def test_nothing_of_a_refused_request(self):
        for body in (b'{"Image":"busybox:local","image":"x"}', b"{", b"[]"):
            self.assertEqual(self.client().request("POST", "/v1.41/containers/create", body).status, 400)
        self.assertEqual([r for r in self.recorder.requests() if "create" in r[0]], [])

    def test_one_request_per_decision(self):
        """Pipelined requests are decided one by one and never share bytes upstream."""
        client = self.client()
        client.send("GET /v1.41/containers/json?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /v1.41/containers/json?limit=2 HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual([client.answer().status, client.answer().status], [200, 200])
        for limit in (1, 2):
            self.assertEqual(self.forwarded(f"limit={limit} ")[0],
                             f"GET /v1.41/containers/json?limit={limit} HTTP/1.1")
