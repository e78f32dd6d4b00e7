"""The two kinds of client the tests use: docker CLIs (with and without a terminal) and a raw
HTTP/1.1 connection that sends whatever bytes a test wants."""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import time
import unittest

import harness
from harness import SLOW, DIRECT, session


def find_clis():
    """[(label, path)] of the docker CLIs on this machine, one per version."""
    found, seen = [], set()
    for path in ("/usr/local/bin/docker", "/usr/bin/docker"):
        if not os.access(path, os.X_OK):
            continue
        version = subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True,
                                 check=False).stdout.split()
        major = version[2].split(".")[0] if len(version) > 2 else "x"
        if major not in seen:
            seen.add(major)
            found.append(("cli" + major, path))
    return found[:int(os.environ.get("DOCKREEVE_E2E_CLIS", "9"))]


class Result:
    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err

    def __str__(self):
        return (f"docker {' '.join(self.args)}: exit {self.code}\n"
                f"  stdout: {self.out[-600:]!r}\n  stderr: {self.err[-1200:]!r}")


class DockerCli:
    """One docker binary pointed at one endpoint."""

    def __init__(self, path, host, certs=None):
        self.path = path
        home = os.path.join(session().folder, "home")
        os.makedirs(home, exist_ok=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": home, "DOCKER_CONFIG": home + "/.docker",
                    "DOCKER_HOST": host, "TERM": "xterm", "LANG": "C.UTF-8"}
        if certs:
            self.env.update(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=certs)

    def popen(self, *args, **kw):
        kw = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kw}
        return subprocess.Popen([self.path, *args], env=self.env, start_new_session=True, **kw)

    def run(self, *args, input=None, timeout=60, binary=False):
        process = self.popen(*args, **({"stdin": subprocess.PIPE} if input is not None else {}))
        try:
            out, err = process.communicate(input, timeout * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"no end after {timeout * SLOW:g} s: "
                                 f"{Result(args, None, out, err)}") from None
        text = (lambda b: b) if binary else (lambda b: b.decode("utf-8", "replace"))
        return Result(args, process.returncode, text(out), err.decode("utf-8", "replace"))

    def ok(self, *args, **kw):
        """Runs and demands success; the standard output, stripped."""
        result = self.run(*args, **kw)
        if result.code != 0:
            raise AssertionError(str(result))
        return result.out if kw.get("binary") else result.out.strip()

    def terminal(self, *args, rows=24, cols=80):
        return Terminal(self, args, rows, cols)


class Terminal:
    """A docker command on a pseudo terminal of its own."""

    def __init__(self, cli, args, rows, cols):
        self.master, slave = pty.openpty()
        self.resize(rows, cols)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.args, self.text = args, ""
        self.process = subprocess.Popen([cli.path, *args], env=cli.env, stdin=slave, stdout=slave,
                                        stderr=slave, preexec_fn=take_terminal, close_fds=True)
        os.close(slave)

    def resize(self, rows, cols):
        """Sets the size; the kernel tells the foreground process by SIGWINCH."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def _read(self, wait):
        ready, _, _ = select.select([self.master], [], [], wait)
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: the other side is gone
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, wanted, timeout=20):
        """Reads until `wanted` has been printed; returns and forgets the text up to its end."""
        end = time.monotonic() + timeout * SLOW
        while wanted not in self.text:
            if time.monotonic() > end or not self._read(0.1):
                raise AssertionError(f"docker {' '.join(self.args)}: {wanted!r} did not appear in "
                                     f"{self.text[-800:]!r}")
        at = self.text.index(wanted) + len(wanted)
        seen, self.text = self.text[:at], self.text[at:]
        return seen

    def finish(self, timeout=20):
        """Waits for the end and returns the exit status."""
        end = time.monotonic() + timeout * SLOW
        while self.process.poll() is None:
            if time.monotonic() > end:
                self.close()
                raise AssertionError(f"docker {' '.join(self.args)} does not end; it printed "
                                     f"{self.text[-800:]!r}")
            self._read(0.05)
        seen = None
        while seen != len(self.text):  # what was printed just before the end
            seen = len(self.text)
            self._read(0.05)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


class LineReader:
    """Lines of a running process, with a deadline on each."""

    def __init__(self, process):
        self.process, self.rest = process, b""

    def line(self, timeout=20):
        end = time.monotonic() + timeout * SLOW
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0.0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise AssertionError(f"no line from {self.process.args[1:]} "
                                     f"({'end of output' if ready else 'timeout'}), "
                                     f"unfinished: {self.rest!r}")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8", "replace")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def message(self):
        try:
            return json.loads(self.body)["message"]
        except (ValueError, KeyError, TypeError):
            return ""

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Raw:
    """A TLS (or unix) connection and a minimal reader of HTTP answers. `None` from answer() means
    that the other side closed without a complete answer."""

    def __init__(self, gateway, certs=None, unix=False, timeout=20, pki=None):
        self.data = b""
        if unix:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout * SLOW)
            self.sock.connect(gateway.unix)
            return
        context = ssl.create_default_context(cafile=(pki or session().pki).ca)
        if certs:
            context.load_cert_chain(certs + "/cert.pem", certs + "/key.pem")
        plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=timeout * SLOW)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.sock = context.wrap_socket(plain, server_hostname="127.0.0.1")
        except OSError:
            plain.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def request(self, method, path, body=None, headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: gateway"] + list(headers)
        if body is not None:
            body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        return self.answer(method)

    def more(self):
        try:
            data = self.sock.recv(65536)
        except (ssl.SSLError, ConnectionError):
            data = b""
        self.data += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.data:
            if not self.more():
                return None
        part, self.data = self.data.split(mark, 1)
        return part

    def _exactly(self, count):
        while len(self.data) < count:
            if not self.more():
                return None
        part, self.data = self.data[:count], self.data[count:]
        return part

    def head(self):
        """Status and headers of the next answer, interim ones included."""
        block = self._until(b"\r\n\r\n")
        if block is None:
            return None
        lines = block.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(lines[0].split()[1]), headers

    def answer(self, method="GET"):
        got = self.head()
        while got and 100 <= got[0] < 200 and got[0] != 101:
            got = self.head()
        if got is None:
            return None
        status, headers = got
        if method == "HEAD" or status in (204, 304, 101):
            body = b""
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                size = self._until(b"\r\n")
                if size is None:
                    return None
                part = self._exactly(int(size, 16) + 2)
                if part is None:
                    return None
                if int(size, 16) == 0:
                    break
                body += part[:-2]
        elif "content-length" in headers:
            body = self._exactly(int(headers["content-length"]))
            if body is None:
                return None
        else:
            while self.more():
                pass
            body, self.data = self.data, b""
        return Answer(status, headers, body)

    def closed(self):
        """True once the other side has ended the connection."""
        try:
            while self.more():
                pass
            return True
        except TimeoutError:
            return False


class Case(unittest.TestCase):
    """A test with a shared gateway; `options` are the arguments of its Gateway."""
    gateway_name = "core"
    options = {}
    longMessage = True

    @property
    def gateway(self):
        return session().gateway(self.gateway_name, **self.options)

    @property
    def engine(self):
        return session().engine

    def name(self):
        """A fresh container name; the container is removed on the engine when the test ends."""
        name = session().name()
        self.addCleanup(self.engine.api, "DELETE", f"/containers/{name}?force=1&v=1")
        return name

    def raw(self, who="alice", **kw):
        connection = Raw(self.gateway, session().pki.client(who), **kw)
        self.addCleanup(connection.close)
        return connection

    def background(self, process):
        """Ends a started process with the test."""
        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        self.addCleanup(end)
        return process

    def interrupt(self, process, timeout=20):
        """Ctrl-C for a background CLI; its exit status."""
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{process.args[1:]} ignores SIGINT") from None

    def sleeper(self, name, *extra):
        """Starts a container that runs until it is told to end."""
        self.docker.ok("run", "-d", "--name", name, *extra, harness.IMAGE, "sh", "-c",
                       "trap 'exit 0' TERM; while :; do sleep 0.1; done")
        return name


class GatewayCase(Case):
    """A test of what only the gateway does: left out when the engine stands in for it."""

    @classmethod
    def setUpClass(cls):
        if DIRECT:
            raise unittest.SkipTest("direct mode")
        super().setUpClass()


class CliCase(Case):
    """A test that runs with every CLI; see `every_cli`."""
    cli_path = transport = None

    @property
    def docker(self):
        return self.cli()

    def cli(self, who="alice", gateway=None):
        gateway = gateway or self.gateway
        if self.transport == "unix":
            return DockerCli(self.cli_path, "unix://" + gateway.unix)
        return DockerCli(self.cli_path, f"tcp://127.0.0.1:{gateway.port}", session().pki.client(who))


def every_cli(*transports):
    """Class decorator: one test class per CLI on this machine and transport ("tls", "unix")."""
    def expand(cls):
        module = sys.modules[cls.__module__]
        for label, path in find_clis():
            for transport in transports:
                name = f"{cls.__name__}_{label}_{transport}"
                made = type(name, (cls,), {"cli_path": path, "transport": transport,
                                           "__module__": cls.__module__})
                setattr(module, name, made)
        return None  # the template itself is no test
    return expand
