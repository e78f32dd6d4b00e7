"""Two teams behind one gateway, and a kept-alive TLS connection that speaks for one of them."""
import http.client
import json
import socket
import ssl

from harness import SLOW, policy, session

TEAMS = ("red", "blue")


def separated(rules=""):
    """A policy file: every team by its certificate's OU, and each sees only what is its own."""
    teams = "teams:\n" + "".join(f"  {t}: [ {{ certOU: {t} }} ]\n" for t in TEAMS)
    text = policy("{ own-resources-only: { mode: enforce, reads: true } " + rules + "}")
    return text.replace("---\n", teams + "---\n", 1)


class Speaker:
    """One member of a team on one connection, reopened when the gateway has closed it."""

    def __init__(self, gateway, team):
        self.team, self.port = team, gateway.port
        certs = session().pki.client("of-" + team, team)
        self.context = ssl.create_default_context(cafile=session().pki.ca)
        self.context.load_cert_chain(certs + "/cert.pem", certs + "/key.pem")
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def open(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60 * SLOW,
                                                 context=self.context)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def stream(self, path):
        """The open answer to a GET that does not end; closing it ends it."""
        connection = self.open()
        connection.request("GET", path)
        return connection, connection.getresponse()

    def call(self, method, path, body=None, content="application/json"):
        """(status, body as text)."""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        headers = {"Content-Type": content} if data is not None else {}
        for again in (True, False):
            fresh = self.connection is None
            try:
                self.connection = self.connection or self.open()
                self.connection.request(method, path, body=data, headers=headers)
                answer = self.connection.getresponse()
                text = answer.read().decode("utf-8", "replace")
                if answer.will_close:
                    self.close()
                return answer.status, text
            except (http.client.HTTPException, ConnectionError, ssl.SSLError):
                # A kept connection may have been closed meanwhile; a new one may not.
                self.close()
                if fresh or not again:
                    raise
        raise AssertionError("unreachable")
