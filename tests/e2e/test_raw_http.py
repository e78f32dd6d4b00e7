"""Bytes that no docker client sends. Whatever the gateway answers, the engine is asked whether the
hidden request took effect."""
import json

from client import Case, GatewayCase
from harness import IMAGE, OPEN_POLICY, session

TOKEN = "bpTOKENxxxx"  # stands for the container name, which has the same length
BODY = json.dumps({"Image": IMAGE, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}},
                  separators=(",", ":"))
TARGET = f"/v1.41/containers/create?name={TOKEN}"


def create(headers="", body=BODY, target=TARGET, version="HTTP/1.1", method="POST", host="Host: x\r\n",
           content="Content-Type: application/json\r\n", length=None):
    """A create request; `length` None writes the right Content-Length, "" none."""
    if length is None:
        length = f"Content-Length: {len(body.encode())}\r\n"
    return f"{method} {target} {version}\r\n{host}{content}{length}{headers}\r\n{body}"


def chunked(body=BODY, size="%x", end="0\r\n\r\n", line="\r\n", after="\r\n"):
    return (size % len(body)) + line + body + after + end


TE = "Transfer-Encoding: chunked\r\n"
PING = "GET /_ping HTTP/1.1\r\nHost: x\r\n"

# name: (bytes, the statuses that refuse it). Sent alone on a connection; the first answer counts.
FRAMING = {
    "te_and_length": (create(TE, chunked(), length=f"Content-Length: {len(chunked())}\r\n"), {400}),
    "te_and_length_0": (create(TE, chunked(), length="Content-Length: 0\r\n"), {400}),
    "te_identity": (create("Transfer-Encoding: identity\r\n", length=""), {400, 501}),
    "te_gzip_chunked": (create("Transfer-Encoding: gzip, chunked\r\n", chunked(), length=""), {400, 501}),
    "te_chunked_chunked": (create("Transfer-Encoding: chunked, chunked\r\n", chunked(), length=""), {400, 501}),
    "te_twice": (create(TE + TE, chunked(), length=""), {400}),
    "te_empty": (create("Transfer-Encoding:\r\n", chunked(), length=""), {400, 501}),
    "te_quoted": (create('Transfer-Encoding: "chunked"\r\n', chunked(), length=""), {400, 501}),
    "te_vertical_tab": (create("Transfer-Encoding: \x0bchunked\r\n", chunked(), length=""), {400, 501}),
    "te_folded": (create("Transfer-Encoding:\r\n chunked\r\n", chunked(), length=""), {400}),
    "te_space_before_colon": (create("Transfer-Encoding : chunked\r\n", chunked(), length=""), {400}),
    "te_http10": (create(TE, chunked(), length="", version="HTTP/1.0"), {400}),
    "length_twice_equal": (create(f"Content-Length: {len(BODY)}\r\n"), {400}),
    "length_twice_different": (create("Content-Length: 5\r\n"), {400}),
    "length_list": (create(length=f"Content-Length: {len(BODY)}, {len(BODY)}\r\n"), {400}),
    "length_plus": (create(length=f"Content-Length: +{len(BODY)}\r\n"), {400}),
    "length_minus": (create(length="Content-Length: -1\r\n"), {400}),
    "length_hex": (create(length=f"Content-Length: {hex(len(BODY))}\r\n"), {400}),
    "length_zeros": (create(length=f"Content-Length: 00{len(BODY)}\r\n"), {400}),
    "length_huge": (create(length="Content-Length: 99999999999999999999999\r\n"), {400, 413}),
    "length_empty": (create(length="Content-Length:\r\n"), {400}),
    "length_0": (create(length="Content-Length: 0\r\n"), {400}),
    "length_none": (create(length=""), {400, 411}),
    "length_too_small": (create(length="Content-Length: 20\r\n"), {400}),
    "chunk_extension": (create(TE, chunked(size="%x;a=b"), length=""), {400}),
    "chunk_extension_empty": (create(TE, chunked(size="%x;"), length=""), {400}),
    "chunk_size_0x": (create(TE, chunked(size="0x%x"), length=""), {400}),
    "chunk_size_plus": (create(TE, chunked(size="+%x"), length=""), {400}),
    "chunk_size_long": (create(TE, chunked(size="0" * 20 + "%x"), length=""), {400}),
    "chunk_size_space": (create(TE, chunked(size="%x "), length=""), {400}),
    "chunk_size_empty": (create(TE, "\r\n" + BODY + "\r\n0\r\n\r\n", length=""), {400}),
    "chunk_lf_after_size": (create(TE, chunked(line="\n"), length=""), {400}),
    "chunk_lf_after_data": (create(TE, chunked(after="\n"), length=""), {400}),
    "chunk_junk_after_data": (create(TE, chunked(after="xx\r\n"), length=""), {400}),
    "lf_line_ends": (create().replace("\r\n", "\n"), {400}),
    "lf_hides_a_header": (create("X: a\nTransfer-Encoding: chunked\r\n"), {400}),
    "cr_in_value": (create("X: a\rb\r\n"), {400}),
    "nul_in_value": (create("X: a\0b\r\n"), {400}),
    "header_without_name": (create(": x\r\n"), {400}),
    "header_without_colon": (create("Nonsense\r\n"), {400}),
    "header_name_with_space": (create("X Y: z\r\n"), {400}),
    "folded_header": (create("X: a\r\n b\r\n"), {400}),
    "host_none": (create(host=""), {400}),
    "host_twice": (create(host="Host: x\r\nHost: y\r\n"), {400}),
    "headers_too_long": (create("X: " + "a" * 100000 + "\r\n"), {400, 431}),
    "headers_too_many": (create("X: a\r\n" * 3000), {400, 431}),
    "http_12": (create(version="HTTP/1.2"), {400, 505}),
    "http_20_line": (create(version="HTTP/2.0"), {400, 505}),
    "http_09": (f"GET {TARGET}\r\n\r\n", {400, 505}),
    "http2_preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    "two_spaces": (create(target=" " + TARGET), {400}),
    "tab_in_line": (create(target=TARGET + "\tx"), {400}),
    "space_in_target": (create(target=TARGET + " x"), {400}),
    "leading_space": (" " + create(), {400}),
    "content_encoding": (create("Content-Encoding: gzip\r\n"), {400, 415}),
    "expect_other": (create("Expect: 200-ok\r\n"), {400, 417}),
    "get_with_body": (PING + "Content-Length: 5\r\n\r\nhello", {400}),
}

ROUTING = {
    "percent_letter": (create(target=f"/v1.41/%63ontainers/create?name={TOKEN}"), {400}),
    "percent_slash": (create(target=f"/v1.41%2fcontainers/create?name={TOKEN}"), {400}),
    "percent_dot": (create(target=f"/v1%2e41/containers/create?name={TOKEN}"), {400}),
    "double_slash": (create(target="/" + TARGET), {400}),
    "dot_segment": (create(target=f"/v1.41/./containers/create?name={TOKEN}"), {400}),
    "dot_dot_segment": (create(target=f"/v1.41/x/../containers/create?name={TOKEN}"), {400}),
    "percent_dots": (create(target=f"/v1.41/%2e%2e/containers/create?name={TOKEN}"), {400}),
    "trailing_slash": (create(target=f"/v1.41/containers/create/?name={TOKEN}"), {400, 403, 404}),
    "backslash": (create(target=f"/v1.41\\containers/create?name={TOKEN}"), {400}),
    "fragment": (create(target=TARGET + "#x"), {400}),
    "semicolon": (create(target=f"/v1.41/containers/create;x=1?name={TOKEN}"), {400, 403, 404}),
    "upper_case_version": (create(target=f"/V1.41/containers/create?name={TOKEN}"), {400, 403, 404}),
    "upper_case_path": (create(target=f"/v1.41/Containers/create?name={TOKEN}"), {400, 403, 404}),
    "version_third_part": (create(target=f"/v1.41.0/containers/create?name={TOKEN}"), {400, 403}),
    "version_zeros": (create(target=f"/v01.041/containers/create?name={TOKEN}"), {400, 403}),
    "version_too_old": (create(target=f"/v1.12/containers/create?name={TOKEN}"), {400, 403}),
    "version_too_new": (create(target=f"/v1.999/containers/create?name={TOKEN}"), {400, 403}),
    "version_podman": (create(target=f"/v4.0.0/libpod/containers/create?name={TOKEN}"), {400, 403}),
    "absolute_form": (create(target=f"http://x{TARGET}"), {400}),
    "absolute_odd_scheme": (create(target=f"foo://x{TARGET}"), {400}),
    "opaque_form": (create(target=f"http:{TARGET}"), {400}),
    "authority_form": ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", {400, 403, 405}),
    "asterisk": ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", {400, 403, 405}),
    "method_lower_case": (create(method="post"), {400, 403, 405}),
    "method_unknown": (create(method="FROB"), {400, 403, 405}),
    "unknown_route": (create(target="/v1.41/containers/frobnicate"), {403}),
    "eight_bit_in_path": (create(target=f"/v1.41/containers/cr\u00e9ate?name={TOKEN}"), {400}),
    "debug_route": ("GET /debug/vars HTTP/1.1\r\nHost: x\r\n\r\n", {400, 403}),
    "grpc": (create(target="/grpc", headers="Upgrade: h2c\r\nConnection: Upgrade\r\n", body=""), {400, 403}),
}

QUERY = {
    "name_twice": (create(target=TARGET + "&name=other"), {400}),
    "bad_escape": (create(target=TARGET + "&platform=%zz"), {400}),
    "cut_escape": (create(target=TARGET + "&platform=%"), {400}),
    "semicolon": (create(target=f"/v1.41/containers/create?a=1;name={TOKEN}"), {400}),
    "line_break": (create(target=f"/v1.41/containers/create?name={TOKEN}%0d%0aX:y"), {400}),
    "nul": (create(target=f"/v1.41/containers/create?name={TOKEN}%00"), {400}),
    "prune_unknown_key": ("POST /v1.41/containers/prune?Filters=%7B%7D HTTP/1.1\r\nHost: x\r\n"
                          "Content-Length: 0\r\n\r\n", {400, 403}),
    "form_body": (create(content="Content-Type: application/x-www-form-urlencoded\r\n"), {400, 415}),
    "multipart_body": (create(content="Content-Type: multipart/form-data; boundary=x\r\n"), {400, 415}),
    "text_body": (create(content="Content-Type: text/plain\r\n"), {400, 415}),
    "type_twice": (create("Content-Type: application/json\r\n"), {400}),
    "type_none": (create(content=""), {400, 415}),
    "type_utf16": (create(content="Content-Type: application/json; charset=utf-16\r\n"), {400, 415}),
}


def doc(text):
    return create(body=text)


GOOD = '"Image":"busybox:local","Cmd":["true"]'
JSON = {
    "bom": (doc("\ufeff" + BODY), {400}),
    "second_document": (doc(BODY + "{}"), {400}),
    "garbage_after": (doc(BODY + "x"), {400}),
    "brace_after": (doc(BODY + "} "), {400}),
    "nul_after": (doc(BODY + "\0"), {400}),
    "comment": (doc("/*x*/" + BODY), {400}),
    "trailing_comma": (doc("{" + GOOD + ",}"), {400}),
    "array": (doc("[" + BODY + "]"), {400}),
    "null": (doc("null"), {400}),
    "string": (doc('"x"'), {400}),
    "key_case": (doc("{" + GOOD + ',"hostconfig":{}}'), {400}),
    "key_long_s": (doc("{" + GOOD + ',"Ho\u017ftConfig":{"Privileged":true}}'), {400}),
    "key_kelvin": (doc("{" + GOOD + ',"HostConfig":{"Networ\\u212aMode":"host"}}'), {400}),
    "duplicate": (doc("{" + GOOD + ',"HostConfig":{},"HostConfig":{"Privileged":true}}'), {400}),
    "duplicate_by_case": (doc("{" + GOOD + ',"HostConfig":{"Privileged":false,"privileged":true}}'), {400}),
    "duplicate_in_map": (doc("{" + GOOD + ',"Labels":{"a":"1","a":"2"}}'), {400}),
    "wrong_type": (doc("{" + GOOD + ',"HostConfig":{"Privileged":1}}'), {400}),
    "number_as_text": (doc("{" + GOOD + ',"HostConfig":{"Memory":"67108864"}}'), {400}),
    "fraction": (doc("{" + GOOD + ',"HostConfig":{"Memory":67108864.5}}'), {400}),
    "beyond_int64": (doc("{" + GOOD + ',"HostConfig":{"Memory":9223372036854775808}}'), {400}),
    "toplevel_hostconfig": (doc("{" + GOOD + ',"Privileged":true}'), {400, 403}),
    "lone_surrogate": (doc("{" + GOOD + ',"Hostname":"\\ud800"}'), {400}),
    "deep": (doc("{" + GOOD + ',"X":' + "[" * 3000 + "]" * 3000 + "}"), {400}),
    "cut": (doc(BODY[:-1]), {400}),
    "blank": (doc("   "), {400}),
}


def rows(table):
    """Class decorator: one test per row of a table."""
    def add(cls):
        for name, (data, statuses) in table.items():
            def test(self, data=data, statuses=statuses):
                self.refused(data, statuses)
            setattr(cls, "test_" + name, test)
        return cls
    return add


class Refused(GatewayCase):
    gateway_name = "open"
    options = {"policies": OPEN_POLICY}

    def fresh(self):
        token = f"bp{session().name('').rsplit('-', 1)[1]:0>9}"
        self.addCleanup(self.engine.api, "DELETE", f"/containers/{token}?force=1")
        return token

    def refused(self, data, statuses):
        token, before = self.fresh(), set(self.engine.containers())
        with self.raw() as connection:
            connection.send(data.replace(TOKEN, token).encode("utf-8"))
            answer = connection.answer(data.split(" ", 1)[0])
        self.assertIsNotNone(answer, "closed without an answer")
        self.assertIn(answer.status, statuses, answer)
        self.assertTrue(answer.message, f"no message in {answer}")
        # Under whatever name: nothing was made.
        self.assertEqual(set(self.engine.containers()), before)


@rows(FRAMING)
class Framing(Refused):
    pass


@rows(ROUTING)
class Routing(Refused):
    pass


@rows(QUERY)
class Query(Refused):
    pass


@rows(JSON)
class Json(Refused):
    def test_invalid_utf8(self):
        token = self.fresh()
        body = b'{"Image":"busybox:local","Hostname":"\xff"}'
        with self.raw() as connection:
            answer = connection.request("POST", f"/v1.41/containers/create?name={token}", body)
        self.assertEqual(answer.status, 400, answer)
        self.assertNotIn(token, self.engine.containers())


class Hidden(Refused):
    """A second request behind the first is a request of its own, or nothing."""

    def test_after_an_upgrade_that_is_none(self):
        for route in ("/_ping", "/v1.41/containers/none-such/logs?stdout=1"):
            token = self.fresh()
            with self.raw() as connection:
                connection.send(f"GET {route} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                                "Upgrade: tcp\r\n\r\n")
                answer = connection.answer()
                self.assertTrue(answer is None or answer.status != 101, answer)
                try:
                    connection.send(doc('{"Image":"busybox:local","HostConfig":{"Privileged":true},'
                                        '"HostConfig":{}}').replace(TOKEN, token))
                    second = connection.answer()
                    self.assertTrue(second is None or second.status == 400, second)
                except OSError:
                    pass  # closed after the first answer: as good
            self.assertNotIn(token, self.engine.containers())

    def test_after_attach_to_nothing(self):
        token = self.fresh()
        with self.raw() as connection:
            connection.send("POST /v1.41/containers/none-such/attach?stream=1&stdout=1 HTTP/1.1\r\n"
                            "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
                            + create().replace(TOKEN, token))
            first = connection.answer()
            self.assertIn(first.status, (403, 404), first)
            self.assertTrue(connection.closed())
        self.assertNotIn(token, self.engine.containers())

    def test_body_is_framed_by_its_length(self):
        """The bytes after a short body are the next request, judged by itself: here, nonsense."""
        token = self.fresh()
        hidden = doc(BODY[:-1] + ',"HostConfig":{"Privileged":true}}')  # HostConfig twice
        with self.raw() as connection:
            connection.send(create(length="Content-Length: 2\r\n", body="{}" + hidden)
                            .replace(TOKEN, token))
            first = connection.answer()
            self.assertEqual(first.status, 400, first)
            second = connection.answer()
            self.assertTrue(second is None or second.status == 400, second)
        self.assertNotIn(token, self.engine.containers())

    def test_start_with_a_body(self):
        name = self.name()
        self.engine.api("POST", f"/v1.41/containers/create?name={name}",
                        {"Image": IMAGE, "Cmd": ["true"]})
        with self.raw() as connection:
            answer = connection.request("POST", f"/v1.41/containers/{name}/start",
                                        {"Privileged": True, "Binds": ["/:/host"]})
        self.assertEqual(answer.status, 400, answer)
        got = self.engine.api("GET", f"/containers/{name}/json")[1]
        self.assertEqual((got["State"]["Status"], got["HostConfig"]["Privileged"]),
                         ("created", False))


class Accepted(Refused):
    """What looks odd and is right."""

    def accepted(self, *parts):
        token = self.fresh()
        with self.raw() as connection:
            for part in parts:
                connection.send(part.replace(TOKEN, token))
            answer = connection.answer()
        self.assertIsNotNone(answer)
        self.assertEqual(answer.status, 201, answer)
        self.assertIn(token, self.engine.containers())
        self.engine.api("DELETE", f"/containers/{token}?force=1")

    def test_plain(self):
        self.accepted(create())

    def test_chunked(self):
        self.accepted(create(TE, chunked(), length=""))

    def test_chunked_in_pieces(self):
        self.accepted(create(TE, "", length=""),
                      *[f"1\r\n{c}\r\n" for c in BODY], "0\r\n\r\n")

    def test_chunked_upper_case(self):
        self.accepted(create("transfer-encoding: Chunked\r\n", chunked(size="%X"), length=""))

    def test_white_space_around_json(self):
        self.accepted(doc(" \r\n\t" + BODY + "\n "))

    def test_nulls(self):
        self.accepted(doc("{" + GOOD + ',"Env":null,"Labels":null,"HostConfig":{"Memory":null,'
                          '"Privileged":null,"Binds":null,"NetworkMode":"none"}}'))

    def test_escaped_key(self):
        self.accepted(doc('{"\\u0049mage":"busybox:local","Cmd":["true"]}'))

    def test_charset_utf8(self):
        self.accepted(create(content="Content-Type: application/json; charset=utf-8\r\n"))

    def test_no_version(self):
        self.accepted(create(target=f"/containers/create?name={TOKEN}"))

    def test_unknown_query_key_is_dropped(self):
        self.accepted(create(target=TARGET + "&Image=x&Cmd=y"))

    def test_empty_lists_of_old_clients(self):
        self.accepted(doc("{" + GOOD + ',"VolumesFrom":[],"HostConfig":{}}'))

    def test_expect_continue(self):
        token = self.fresh()
        with self.raw() as connection:
            connection.send(create("Expect: 100-continue\r\n", body="",
                                   length=f"Content-Length: {len(BODY)}\r\n").replace(TOKEN, token))
            self.assertEqual(connection.head()[0], 100)
            connection.send(BODY)
            self.assertEqual(connection.answer().status, 201)
        self.engine.api("DELETE", f"/containers/{token}?force=1")

    def test_pipelined(self):
        with self.raw() as connection:
            connection.send((PING + "\r\n") * 3)
            self.assertEqual([connection.answer().status for _ in range(3)], [200] * 3)

    def test_keep_alive_across_answers(self):
        with self.raw() as connection:
            for path, status in (("/_ping", 200), ("/v1.41/containers/none-such/json", 404),
                                 ("/version", 200), ("/v1.41/nothing", 403), ("/_ping", 200)):
                answer = connection.request("GET", path)
                self.assertIsNotNone(answer, path)
                self.assertEqual(answer.status, status, path)
                if answer.headers.get("connection", "").lower() == "close":
                    return  # said so; nothing more to see on this connection

    def test_head(self):
        with self.raw() as connection:
            connection.send("HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.answer("HEAD")
            self.assertEqual(answer.status, 200)
            self.assertIn("api-version", answer.headers)
            self.assertEqual(connection.request("GET", "/_ping").body, b"OK")

    def test_http10(self):
        with self.raw() as connection:
            connection.send("GET /_ping HTTP/1.0\r\n\r\n")
            answer = connection.answer()
            self.assertEqual((answer.status, answer.body), (200, b"OK"))
            self.assertTrue(connection.closed())

    def test_hijack_without_upgrade(self):
        """python clients do not ask for an upgrade: a 200 that lasts until the connection ends."""
        name = self.name()
        self.engine.api("POST", f"/containers/create?name={name}",
                        {"Image": IMAGE, "Cmd": ["sh", "-c", "sleep 1; echo out"]})
        with self.raw() as connection:
            connection.send(f"POST /v1.41/containers/{name}/attach?stream=1&stdout=1 HTTP/1.1\r\n"
                            "Host: x\r\nContent-Length: 0\r\n\r\n")
            status, headers = connection.head()
            self.assertEqual(status, 200)
            self.assertIn("raw-stream", headers["content-type"])
            self.engine.api("POST", f"/containers/{name}/start")
            self.assertTrue(connection.closed())
            self.assertEqual(connection.data, b"\x01\0\0\0\0\0\0\x04out\n")


class Stdin(Case):
    """Bytes that follow a hijack request in the same write are standard input, not lost."""
    gateway_name = "open"
    options = {"policies": OPEN_POLICY}

    def test_early_bytes(self):
        from harness import DIRECT
        if DIRECT:
            self.skipTest("the engine itself loses them")
        name = self.name()
        self.engine.api("POST", f"/containers/create?name={name}",
                        {"Image": IMAGE, "Cmd": ["cat"], "OpenStdin": True, "StdinOnce": True})
        self.engine.api("POST", f"/containers/{name}/start")
        with self.raw() as connection:
            connection.send(f"POST /v1.41/containers/{name}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1"
                            "\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                            "Content-Length: 0\r\n\r\nearly\n")
            self.assertEqual(connection.head()[0], 101)
            while b"early\n" not in connection.data and connection.more():
                pass
            self.assertEqual(connection.data, b"\x01\0\0\0\0\0\0\x06early\n")
