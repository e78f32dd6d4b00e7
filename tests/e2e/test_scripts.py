"""scripts/run: what it prints works, and Ctrl-C leaves nothing running."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from client import DockerCli, GatewayCase, LineReader, find_clis
from harness import IMAGE, SLOW, eventually, free_port, read, session

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


def processes_of(folder):
    """Pids of processes that name the folder on their command line."""
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit() and folder in read(f"/proc/{pid}/cmdline").replace("\0", " "):
            found.append(int(pid))
    return found


class Run(GatewayCase):
    def setUp(self):
        self.state = tempfile.mkdtemp(prefix="dre2e-state-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)
        self.port = free_port()

    def start(self):
        env = {**os.environ, "DOCKREEVE_STATE": self.state, "DOCKREEVE_PORT": str(self.port),
               "DOCKREEVE_BINARY": session().binary}
        process = subprocess.Popen([ROOT + "/scripts/run", "--private-engine"], env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        self.background(process)
        return process

    def demo(self, signal_number):
        process = self.start()
        lines, text = LineReader(process), ""
        while "Ctrl-C" not in text:
            text += lines.line(timeout=120) + "\n"
        certs = re.search(r"DOCKER_CERT_PATH=(\S+)", text).group(1)
        docker = DockerCli(find_clis()[0][1], f"tcp://127.0.0.1:{self.port}", certs)
        self.assertIn(f"docker run --rm {IMAGE} echo hello", text)
        self.assertEqual(docker.ok("run", "--rm", IMAGE, "echo", "hello"), "hello")
        refused = "run --privileged -v /:/host busybox:local true"
        self.assertIn("docker " + refused, text)
        result = docker.run(*refused.split())
        self.assertEqual(result.code, 125, result)
        self.assertIn("[no-privileged]", result.err)
        audit = re.search(r"written to (\S+)", text).group(1)
        self.assertIn("no-privileged", read(audit))
        docker.ok("run", "-d", IMAGE, "sleep", "1000")  # left behind by the user
        self.assertTrue(processes_of(self.state))
        os.killpg(process.pid, signal_number)
        process.wait(60 * SLOW)
        eventually(lambda: not processes_of(self.state), 20, "nothing of the demo is running")

    def test_demo_and_ctrl_c(self):
        self.demo(signal.SIGINT)
        self.demo(signal.SIGTERM)  # again, on the same state folder

    def test_port_in_use(self):
        self.port = self.gateway.port
        process = self.start()
        out, _ = process.communicate(timeout=60 * SLOW)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn(f"127.0.0.1:{self.port} is in use", out.decode())
        self.assertEqual(processes_of(self.state + "/engine"), [])
