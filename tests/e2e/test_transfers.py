"""Big transfers arrive whole, and the gateway stays small while they pass."""
import hashlib
import os
import re

from client import Case, DockerCli, find_clis
from harness import DIRECT, IMAGE, OPEN_POLICY, SLOW, read, session

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


class Transfers(Case):
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
        if SLOW == 1 and not DIRECT:
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

    def test_save_and_load(self):
        """An image of half that size, saved, removed, and loaded again."""
        name = self.name()
        self.docker.ok("create", "--name", name, IMAGE, "true")
        fill(self.folder + "/part", SIZE // 2)
        self.docker.ok("cp", self.folder + "/part", f"{name}:/part", timeout=TIMEOUT)
        image = session().name("saved") + ":1"
        repository, tag = image.split(":")
        status, _ = self.engine.api("POST", f"/commit?container={name}&repo={repository}&tag={tag}",
                                    {}, timeout=TIMEOUT)
        self.assertEqual(status, 201)
        self.addCleanup(self.engine.api, "DELETE", f"/images/{image}?force=1")
        before = self.engine.api("GET", f"/images/{image}/json")[1]
        with open(self.folder + "/image.tar", "wb") as out:
            save = self.background(self.docker.popen("save", image, stdout=out))
            self.assertEqual(save.wait(TIMEOUT * SLOW), 0, save.stderr.read())
        self.assertEqual(self.engine.api("DELETE", f"/images/{image}")[0], 200)
        with open(self.folder + "/image.tar", "rb") as tar:
            load = self.background(self.docker.popen("load", stdin=tar))
            self.assertEqual(load.wait(TIMEOUT * SLOW), 0, load.stderr.read())
        after = self.engine.api("GET", f"/images/{image}/json")[1]
        self.assertEqual(after["RootFS"], before["RootFS"])
        self.small()

    def test_classic_build(self):
        """A build whose context is big: the file arrives, and the image has it."""
        want = fill(self.folder + "/part", SIZE // 4)
        with open(self.folder + "/Dockerfile", "w", encoding="utf-8") as f:
            f.write(f"FROM {IMAGE}\nCOPY part /part\nUSER 1000\n")
        image = session().name("built") + ":1"
        self.addCleanup(self.engine.api, "DELETE", f"/images/{image}?force=1")
        self.docker.env["DOCKER_BUILDKIT"] = "0"
        self.docker.ok("build", "--network", "none", "-t", image, self.folder, timeout=TIMEOUT)
        self.assertEqual(self.docker.ok("run", "--rm", image, "sha256sum", "/part",
                                        timeout=TIMEOUT).split()[0], want)
        self.small()
