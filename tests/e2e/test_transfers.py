"""Big transfers arrive whole, and the gateway stays small while they pass."""
import hashlib
import os
import re

from client import DockerCli, GatewayCase, find_clis
from harness import IMAGE, OPEN_POLICY, SLOW, read, session

# What a plain copy carries. The gateway's own memory is far below this.
SIZE = int(os.environ.get("DOCKREEVE_E2E_TRANSFER", str(1 << 30)))
MOST_MEMORY = 96 << 20
TIMEOUT = 300


def fill(path, size):
    """Writes bytes that do not repeat; their SHA-256."""
    seen, block = hashlib.sha256(), os.urandom(1 << 20)
    with open(path, "wb") as f:
        for at in range(0, size, len(block)):
            part = (at.to_bytes(8, "big") + block[8:])[:size - at]
            f.write(part)
            seen.update(part)
    return seen.hexdigest()


def digest(path):
    seen = hashlib.sha256()
    with open(path, "rb") as f:
        while part := f.read(1 << 20):
            seen.update(part)
    return seen.hexdigest()


class Transfers(GatewayCase):
    gateway_name = "transfers"
    options = {"policies": OPEN_POLICY}

    def setUp(self):
        self.docker = DockerCli(find_clis()[0][1], f"tcp://127.0.0.1:{self.gateway.port}",
                                session().pki.client("alice"))
        self.folder = os.path.join(session().folder, session().name("big"))
        os.makedirs(self.folder)
        self.addCleanup(lambda: [os.unlink(os.path.join(self.folder, name))
                                 for name in os.listdir(self.folder)])

    def peak(self):
        """The most memory that the gateway has ever had resident, in bytes."""
        status = read(f"/proc/{self.gateway.process.pid}/status")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) << 10

    def small(self):
        """The gateway did not hold what it passed on. Sanitizers keep freed memory."""
        if SLOW == 1:
            self.assertLess(self.peak(), MOST_MEMORY)

    def test_cp_in_and_out(self):
        name = self.name()
        self.docker.ok("create", "--name", name, IMAGE, "true")
        want = fill(self.folder + "/in", SIZE)
        self.docker.ok("cp", self.folder + "/in", f"{name}:/tmp/there", timeout=TIMEOUT)
        os.unlink(self.folder + "/in")
        self.docker.ok("cp", f"{name}:/tmp/there", self.folder + "/out", timeout=TIMEOUT)
        self.assertEqual(digest(self.folder + "/out"), want)
        self.small()
