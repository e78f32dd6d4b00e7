"""The engines the tests run against: this machine's own, and Docker 26.1 from the folder that
scripts/engine26 makes, with either image store.

The newer engine runs in a mount namespace of its own in which /usr is the one of that folder; host
paths, sockets and processes are this machine's, and its mounts end with it.
"""
import json
import os
import shlex
import shutil
import signal
import subprocess
import time

from util import SLOW, HarnessError, UnixHTTP, free_port, read, write

IMAGE = "busybox:local"
HERE = os.path.dirname(os.path.abspath(__file__))
# What --engine takes.
ENGINES = ("host", "26", "26-containerd")
FOLDER = os.path.join(HERE, "../../build/engine26")


def kind():
    return os.environ.get("DOCKREEVE_E2E_ENGINE", "host")


def folder():
    return os.path.abspath(os.environ.get("DOCKREEVE_E2E_ENGINE_FOLDER", FOLDER))


def missing():
    """What the chosen engine lacks on this machine; empty when it can be started."""
    if kind() != "host" and not os.path.exists(folder() + "/complete"):
        return f"no engine 26 in {folder()}; scripts/engine26 makes it"
    return ""


class PrivateEngine:
    """A dockerd with its own data-root, exec-root, socket and pid file, and `busybox:local`."""

    def __init__(self, folder, tls=None):
        self.folder = folder
        self.socket = os.path.join(folder, "engine.sock")
        self.log = os.path.join(folder, "engine.log")
        self.process = None
        self.version = ""
        self.tls = tls            # a Pki: also listen on TCP with client verification
        self.port = free_port() if tls else 0

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        for driver in ([], ["--storage-driver", self._fallback_driver()]):
            if self._try(driver):
                self._import_image()
                self.version = self.api("GET", "/version")[1]["Version"]
                return
        raise HarnessError(f"the private engine does not start: {read(self.log)[-2000:]}")

    @staticmethod
    def _fallback_driver():
        return "native" if kind() == "26-containerd" else "vfs"

    def _try(self, extra):
        features = {"containerd-snapshotter": True} if kind() == "26-containerd" else {}
        settings = write(self.folder + "/daemon.json", json.dumps({"features": features}))
        args = ["dockerd", "--data-root", self.folder + "/data", "--exec-root", self.folder + "/exec",
                "--config-file", settings,
                "--pidfile", self.folder + "/engine.pid", "-H", "unix://" + self.socket,
                "--bridge=none", "--iptables=false", "--ip6tables=false"] + extra
        if self.tls:
            args += ["-H", f"tcp://127.0.0.1:{self.port}", "--tlsverify",
                     "--tlscacert", self.tls.ca, "--tlscert", self.tls.server + "/cert.pem",
                     "--tlskey", self.tls.server + "/key.pem"]
        if kind() != "host":
            usr = shlex.quote(folder() + "/root/usr")
            args = ["unshare", "--mount", "sh", "-c",
                    f"mount --bind {usr} /usr && exec {shlex.join(args)}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        end = time.monotonic() + 60 * SLOW
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.api("GET", "/_ping")[0] == 200:
                    return True
            except OSError:
                time.sleep(0.1)
        self.stop()
        return False

    def _import_image(self):
        root = self.folder + "/image"
        for folder in ("bin", "etc", "tmp"):
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        shutil.copy("/usr/bin/busybox" if os.path.exists("/usr/bin/busybox") else "/bin/busybox",
                    root + "/bin/busybox")
        for name in ("sh ls cat sleep id echo stty wc head yes true false seq dd tr env mkdir "
                     "sha256sum readlink").split():
            if not os.path.lexists(f"{root}/bin/{name}"):
                os.symlink("busybox", f"{root}/bin/{name}")
        write(root + "/etc/passwd", "root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n")
        os.chmod(root + "/tmp", 0o1777)
        tar = subprocess.run(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE, check=True)
        status, body = self.api("POST", "/images/create?fromSrc=-&repo=busybox&tag=local", tar.stdout,
                                {"Content-Type": "application/x-tar"})
        if status != 200:
            raise HarnessError(f"cannot import {IMAGE}: {body}")
        shutil.rmtree(root)

    def api(self, method, path, body=None, headers=None, timeout=60):
        """One request on the engine's own socket: (status, decoded JSON or text)."""
        connection = UnixHTTP(self.socket, timeout * SLOW)
        try:
            headers = dict(headers or {})
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
                headers["Content-Type"] = "application/json"
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            data = answer.read()
            try:
                return answer.status, json.loads(data)
            except ValueError:
                return answer.status, data.decode("utf-8", "replace")
        finally:
            connection.close()

    def containers(self):
        """{name: container} of everything on the engine, running or not."""
        return {c["Names"][0].lstrip("/"): c for c in self.api("GET", "/containers/json?all=1")[1]}

    def remove_all(self):
        for container in self.api("GET", "/containers/json?all=1")[1]:
            self.api("DELETE", f"/containers/{container['Id']}?force=1&v=1")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # What the engine left behind when it could not end in order: its containerd and shims,
        # recognised by this engine's own folder.
        for pid in [int(p) for p in os.listdir("/proc") if p.isdigit()]:
            command = read(f"/proc/{pid}/cmdline").replace("\0", " ")
            if self.folder + "/exec" in command and "containerd" in command:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for line in reversed(read("/proc/self/mounts").splitlines()):
            target = line.split()[1]
            if target.startswith(self.folder + "/"):
                subprocess.run(["umount", "-l", target], stderr=subprocess.DEVNULL, check=False)
