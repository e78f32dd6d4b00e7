"""Small things that the engine, the gateways and the tests all use."""
import http.client
import os
import socket
import subprocess
import time

# Stretches every deadline; sanitizer builds and busy machines set it.
SLOW = float(os.environ.get("DOCKREEVE_E2E_SLOW", "1"))


class HarnessError(Exception):
    """The surroundings of a test are broken, not what it tests."""


def eventually(check, timeout=10.0, what="condition", step=0.05):
    """Calls `check` until it returns something true, and returns that."""
    end = time.monotonic() + timeout * SLOW
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout * SLOW:g} s: {what}")
        time.sleep(step)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read(path):
    try:
        with open(path, "r", encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def replace(path, text):
    """Writes a file the way an operator's tool does: beside it, then renamed over it."""
    write(path + ".new", text)
    os.rename(path + ".new", path)


def tool(args, **kw):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60 * SLOW, check=False, **kw)
    if done.returncode != 0:
        raise HarnessError(f"{' '.join(args)}: exit {done.returncode}: {done.stdout.strip()}")
    return done.stdout


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
