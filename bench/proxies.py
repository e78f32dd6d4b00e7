"""The proxies under test: how one is started on its CPU, found, and ended."""
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

CPUS = sorted(os.sched_getaffinity(0))
PROXY_CPU, LOAD_CPU = CPUS[0], CPUS[min(1, len(CPUS) - 1)]


def render(template, target, **values):
    text = template.read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy:
    """One of the three: how it starts, what it costs, what it could not do."""

    def __init__(self, name, command, port, log):
        self.name, self.command, self.port, self.log = name, command, port, log
        self.process = None
        self.broken = {}   # smoke check -> why

    def start(self):
        os.sched_setaffinity(0, {PROXY_CPU})   # inherited: the proxy never runs elsewhere
        try:
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, start_new_session=True)
        finally:
            os.sched_setaffinity(0, {LOAD_CPU})

    def wait_listening(self, pause=0.01):
        limit = time.monotonic() + 15
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                time.sleep(pause)
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        self.start()
        if not self.wait_listening():
            raise RuntimeError(f"{self.name} does not listen: {self.last_words()}")
        time.sleep(0.2)   # workers and late start-up work

    def last_words(self):
        lines = Path(self.log).read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) if lines else "no output"

    def pids(self):
        found = [self.process.pid]
        for pid in found:   # grows while it is walked
            for task in Path(f"/proc/{pid}/task").iterdir():
                try:
                    found += [int(child) for child in (task / "children").read_text().split()]
                except OSError:
                    pass
        return ",".join(map(str, found))


def make_certificates(folder):
    """A CA, a server and a client certificate, P-256; a year, so that nothing warns of their end."""
    folder.mkdir()

    def openssl(*command):
        done = subprocess.run(["openssl", *map(str, command)], cwd=folder,
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench/run: openssl {command[0]}: {done.stderr}")

    def key(name):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-out", f"{name}.key")

    key("ca")
    openssl("req", "-x509", "-new", "-key", "ca.key", "-days", 365, "-subj", "/CN=bench CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", "ca.pem")
    for name, subject, usage in (("server", "/CN=localhost", "serverAuth"),
                                 ("client", "/OU=bench/CN=bench", "clientAuth")):
        key(name)
        openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
        (folder / "ext").write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            f"extendedKeyUsage={usage}\nsubjectKeyIdentifier=hash\n"
            "authorityKeyIdentifier=keyid\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", 365, "-extfile", "ext", "-out", f"{name}.pem")
    both = (folder / "server.pem").read_text() + (folder / "server.key").read_text()
    (folder / "server.both.pem").write_text(both)
