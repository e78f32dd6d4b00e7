"""What the end-to-end tests stand on: a PKI, gateways, and the session that owns them
(engines.py has the engine).

Everything lives below one temporary folder and every process is ended by its own pid. With
DOCKREEVE_E2E_DIRECT=1 the "gateway" is the engine itself (a unix socket and mutual TLS), which
shows that a test holds against the real thing before it is held against dockreeve.
"""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from engines import IMAGE, PrivateEngine  # noqa: F401  tests take these and the next from here
from util import SLOW, HarnessError, eventually, free_port, read, replace, tool, write  # noqa: F401

SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer"
                       r"|runtime error: |ERROR: libFuzzer)")
DIRECT = os.environ.get("DOCKREEVE_E2E_DIRECT", "") == "1"


class OpensslPki:
    """A CA made by the openssl tool: for direct mode, and as a stranger's CA."""

    def __init__(self, folder, name="some other CA"):
        self.folder = folder
        self.ca = folder + "/ca.pem"
        self.server = folder + "/server"
        os.makedirs(self.server)
        tool(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
              "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout", folder + "/ca.key",
              "-out", self.ca, "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        self._sign("server", self.server, "/CN=localhost",
                   "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")

    def _sign(self, name, folder, subject, extensions):
        os.makedirs(folder, exist_ok=True)
        request = f"{self.folder}/{name}.csr"
        tool(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
              "-nodes", "-subj", subject, "-keyout", folder + "/key.pem", "-out", request])
        file = write(f"{self.folder}/{name}.ext", extensions)
        tool(["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
              self.folder + "/ca.key", "-CAcreateserial", "-days", "2", "-extfile", file,
              "-out", folder + "/cert.pem"])
        shutil.copy(self.ca, folder + "/ca.pem")

    def client(self, name, team="web"):
        folder = f"{self.folder}/clients/{name}"
        if not os.path.exists(folder):
            self._sign(name, folder, f"/OU={team}/CN={name}", "extendedKeyUsage=clientAuth\n")
        return folder


class DockreevePki:
    """The PKI as `dockreeve certs` makes it."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.ca = folder + "/ca.pem"
        self.crl = folder + "/ca.crl"
        self.server = folder + "/server"
        self.teams = {}
        tool([binary, "certs", "init", "--dir", folder, "--host", "localhost", "--host", "127.0.0.1"])

    def client(self, name, team=None):
        """The certificate of that name, made at first use (for the team "web" if none is said); a
        name has one team in a run."""
        folder = f"{self.folder}/clients/{name}"
        if not os.path.exists(folder):
            self.teams[name] = team or "web"
            tool([self.binary, "certs", "issue", name, "--dir", self.folder, "--team",
                  self.teams[name]])
        if team and self.teams[name] != team:
            raise HarnessError(f"{name} is of team {self.teams[name]} already, not of {team}")
        return folder

    def revoke(self, name):
        tool([self.binary, "certs", "revoke", name, "--dir", self.folder])


IDENTITIES = """\
apiVersion: dockreeve/v1
kind: Identities
unknown: deny
identities:
  - name: "{{cert.cn}}"
    match: { certCN: "*" }
  - name: "uid-{{peer.uid}}"
    match: { peerUID: "*" }
"""

EVERYONE = """\
---
apiVersion: dockreeve/v1
kind: Binding
metadata: { name: everyone }
spec:
  subjects: { everyone: true }
  policies: [site]
"""


def policy(rules="{}", binding=EVERYONE):
    """A whole policy file: identities by CN or uid, baseline@1 with `rules` on top, one binding."""
    return (IDENTITIES + "---\napiVersion: dockreeve/v1\nkind: Policy\nmetadata: { name: site }\n"
            "spec:\n  extends: [baseline@1]\n  rules: " + rules + "\n" + binding)


# Everything is judged and recorded, nothing is refused but what is not understood.
OPEN_POLICY = policy(binding=EVERYONE + "  mode: audit\n  reason: the tests compare what passes\n")


class Gateway:
    """One `dockreeve serve` with its own folder: gateway.yaml, policies, audit file, log."""

    def __init__(self, session, name, policies=None, limits=None, upstream=None, audit=None):
        self.session, self.name = session, name
        self.folder = os.path.join(session.folder, "gw-" + name)
        self.policy_file = self.folder + "/policies/site.yaml"
        self.audit = audit or self.folder + "/audit.jsonl"
        self.log = self.folder + "/gateway.log"
        self.port, self.unix = free_port(), os.path.join(session.folder, name + ".sock")
        self.process = None
        write(self.policy_file, policies or policy())
        limits = {"drainTimeout": "2s", **(limits or {})}
        pki = session.pki
        self.config = write(self.folder + "/gateway.yaml", f"""\
apiVersion: dockreeve/v1
kind: Gateway
listeners:
  - name: teams
    address: 127.0.0.1:{self.port}
    tls:
      certificate: {pki.server}/cert.pem
      key: {pki.server}/key.pem
      clientCA: {pki.ca}
      crl: {pki.crl}
  - name: local
    address: unix://{self.unix}
    mode: "0600"
upstream:
  address: unix://{upstream or session.engine.socket}
policies: [policies]
audit:
  file: {self.audit}
limits:
""" + "".join(f"  {k}: {v}\n" for k, v in limits.items()))

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.session.binary, "serve", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        end = time.monotonic() + 30 * SLOW
        while not self._accepts():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise HarnessError(f"gateway {self.name} does not start: {read(self.log)[-2000:]}")
            time.sleep(0.02)
        return self

    def _accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.unix)
            return True
        except OSError:
            return False

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self, timeout=20):
        """SIGTERM; raises AssertionError when the end is not an orderly one."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"gateway {self.name} did not end {timeout} s after SIGTERM; "
                                 f"log: {self.log_text()[-1500:]}") from None
        self.process = None
        self.assert_sane()
        if status != 0:
            raise AssertionError(f"gateway {self.name} ended with status {status}; "
                                 f"log: {self.log_text()[-1500:]}")

    def assert_sane(self):
        found = SANITIZER.search(self.log_text())
        if found:
            text = self.log_text()
            raise AssertionError(f"sanitizer report in the log of gateway {self.name}: "
                                 f"{text[max(0, found.start() - 200):found.start() + 4000]}")

    def log_text(self):
        return read(self.log)

    def records(self):
        """The audit records; a torn last line is left out."""
        found = []
        for line in read(self.audit).splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return found

    def sockets(self):
        """How many sockets the gateway holds open: listeners, clients, upstream."""
        count = 0
        folder = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{fd}").startswith("socket:")
            except OSError:
                pass
        return count


class DirectGateway:
    """The engine in the gateway's place."""

    def __init__(self, session, name):
        self.session, self.name = session, name
        self.port, self.unix = session.engine.port, session.engine.socket

    def start(self):
        return self

    def stop(self):
        pass

    def sockets(self):
        return 0


class Session:
    """One engine, one PKI and the shared gateways of a test process. Not thread-safe."""

    def __init__(self):
        self.binary = os.environ.get("DOCKREEVE_BINARY", "")
        self.folder = tempfile.mkdtemp(prefix="dre2e-", dir="/tmp")
        self.pki = self.engine = None
        self.gateways = []
        self.shared = {}
        self.registry = None
        self._lock = threading.Lock()
        self._names = 0

    def start(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        if DIRECT:
            self.pki = OpensslPki(self.folder + "/pki", "direct CA")
        else:
            self.pki = DockreevePki(self.binary, self.folder + "/pki")
        self.engine = PrivateEngine(self.folder + "/engine", tls=self.pki if DIRECT else None)
        self.engine.start()

    def gateway(self, name="core", **kw):
        """The shared gateway of that name, started at first use; a name stands for one set of
        options in a run."""
        if name not in self.shared:
            self.shared[name] = (self.own_gateway(name, **kw), kw)
        gateway, options = self.shared[name]
        if options != kw:
            raise HarnessError(f"the gateway {name} has other options already")
        return gateway

    def own_gateway(self, name, **kw):
        """A gateway of a test's own; the session ends it if the test does not."""
        gateway = DirectGateway(self, name) if DIRECT else Gateway(self, name, **kw)
        self.gateways.append(gateway)
        return gateway.start()

    def name(self, prefix="c"):
        """A container name that nothing else in this run has."""
        with self._lock:
            self._names += 1
            return f"{prefix}-{os.getpid()}-{self._names}"

    def start_registry(self):
        """The address of a registry on loopback."""
        if self.registry is None:
            port = free_port()
            config = write(self.folder + "/registry.yml", f"""\
version: 0.1
log: {{ level: warn }}
storage: {{ filesystem: {{ rootdirectory: {self.folder}/registry }} }}
http: {{ addr: "127.0.0.1:{port}" }}
""")
            with open(self.folder + "/registry.log", "ab") as log:
                process = subprocess.Popen(["docker-registry", "serve", config], stdout=log,
                                           stderr=log, stdin=subprocess.DEVNULL)
            self.registry = (process, f"127.0.0.1:{port}")

            def answers():
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    return True
                except OSError:
                    return False
            eventually(answers, 20, "the local registry answers")
        return self.registry[1]

    def stop(self):
        """Ends everything. Returns [(name, text)] of what did not end as it should."""
        problems = []
        for gateway in self.gateways:
            try:
                gateway.stop()
            except AssertionError as e:
                problems.append((f"gateway {gateway.name} ends in order", str(e)))
        if self.registry:
            self.registry[0].terminate()
            self.registry[0].wait()
        if self.engine and self.engine.process:
            try:
                self.engine.remove_all()
            except OSError:
                pass
            self.engine.stop()
        if os.environ.get("DOCKREEVE_E2E_KEEP") != "1":
            shutil.rmtree(self.folder, ignore_errors=True)
        return problems


SESSION = None


def session():
    return SESSION


def open_session():
    global SESSION
    SESSION = Session()
    return SESSION
