"""Clients other than the docker command live their normal life through the gateway, as a team that
sees only what is its own and as one that may look at everything."""
import json
import os
import shutil
import subprocess
import sys

from client import CliCase, GatewayCase, every_cli, find_clis
from harness import IMAGE, SLOW, policy, session
import engines

HERE = os.path.dirname(os.path.abspath(__file__))
EXTRA = os.path.abspath(os.path.join(HERE, "../../build/clients"))
MAKE_EXTRA = "scripts/test --clients installs it"
SYSTEM_PYTHON = "/usr/bin/python3"


def team_policy(reads):
    """The policy of a shared host: everybody keeps to what is theirs."""
    teams = "teams:\n" + "".join(f"  {t}: [ {{ certOU: {t} }} ]\n" for t in ("web", "ops"))
    text = policy(f"{{ own-resources-only: {{ mode: enforce, reads: {reads} }}, "
                  "require-memory-limit: { mode: warn } }")
    return text.replace("---\n", teams + "---\n", 1)


def for_reads(cls):
    """Class decorator: the test class once for each value of own-resources-only's `reads`."""
    module = sys.modules[cls.__module__]
    for reads in ("true", "false"):
        name = f"{cls.__name__}_reads_{reads}"
        made = type(name, (cls,), {"gateway_name": "team-" + reads, "__module__": cls.__module__,
                                   "options": {"policies": team_policy(reads)}})
        setattr(module, name, made)
        if issubclass(cls, CliCase):
            every_cli("tls")(made)
            delattr(module, name)
    return None


def published(test):
    """A reference that only the local registry has; removed from the engine with the test."""
    reference = f"{session().start_registry()}/team/{session().name('image')}:1"
    repository, tag = reference.rsplit(":", 1)
    engine = session().engine
    engine.api("POST", f"/images/{IMAGE}/tag?repo={repository}&tag={tag}")
    status, progress = engine.api("POST", f"/images/{repository}/push?tag={tag}",
                                  headers={"X-Registry-Auth": "e30="})
    test.assertEqual((status, "errorDetail" in str(progress)), (200, False), progress)
    engine.api("DELETE", f"/images/{reference}")
    test.addCleanup(engine.api, "DELETE", f"/images/{reference}?force=1")
    test.assertEqual(engine.api("GET", f"/images/{reference}/json")[0], 404)
    return reference


def foreign_container(test):
    """A container of another team, which must be there, untouched, when the test ends."""
    name = test.name()
    with test.raw("olga") as connection:
        status = connection.request("POST", f"/v1.41/containers/create?name={name}",
                                    {"Image": IMAGE, "Cmd": ["true"],
                                     "Labels": {"life": "ops"}}).status
    test.assertEqual(status, 201)
    return name


class ClientCase(GatewayCase):
    """A test that runs a program as alice, of the team web."""

    def setUp(self):
        session().pki.client("alice", "web")
        session().pki.client("olga", "ops")

    def environment(self, **more):
        home = os.path.join(session().folder, "home")
        os.makedirs(home, exist_ok=True)
        return {"PATH": os.environ["PATH"], "HOME": home, "DOCKER_CONFIG": home + "/.docker",
                "LANG": "C.UTF-8", "DOCKER_HOST": f"tcp://127.0.0.1:{self.gateway.port}",
                "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": session().pki.client("alice"), **more}

    def program(self, *args, timeout=120, cwd=None, **env):
        """The output of a program that must succeed."""
        done = subprocess.run(args, env=self.environment(**env), stdin=subprocess.DEVNULL, cwd=cwd,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout * SLOW, check=False)
        self.assertEqual(done.returncode, 0, f"{args}: {done.stdout[-1500:]}{done.stderr[-3000:]}")
        return done.stdout

    def needs(self, path, how):
        if not os.path.exists(path):
            self.skipTest(f"{os.path.basename(path)} is not here; {how}")


@for_reads
class Cli(CliCase):
    def setUp(self):
        session().pki.client("alice", "web")
        session().pki.client("olga", "ops")

    def test_life(self):
        docker, name, other = self.docker, self.name(), foreign_container(self)
        image = published(self)
        docker.ok("pull", image)
        docker.ok("run", "-d", "--name", name, "--memory", "64m", image, "sh", "-c",
                  "echo up; trap 'exit 3' TERM; while :; do sleep 0.1; done")
        listed = docker.ok("ps", "-a", "--format", "{{.Names}}").split()
        self.assertIn(name, listed)
        self.assertEqual(other in listed, "reads_false" in self.id())
        self.assertEqual(docker.ok("exec", name, "echo", "in"), "in")
        self.assertEqual(docker.ok("logs", name), "up")
        docker.ok("stop", name)
        self.assertEqual(docker.ok("wait", name), "3")
        docker.ok("rm", name)
        self.assertNotEqual(docker.run("rm", "-f", other).out.strip(), other)
        self.assertIn(other, self.engine.containers())


class SdkLife(ClientCase):
    """The python SDK; the interpreter says which version."""
    python = ""
    how = ""

    def test_life(self):
        self.needs(self.python, self.how)
        if subprocess.run([self.python, "-c", "import docker"], stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            self.skipTest(f"{self.python} has no docker module; {self.how}")
        name, other, image = self.name(), foreign_container(self), published(self)
        seen = json.loads(self.program(self.python, HERE + "/clients/sdk_life.py", image, name))
        self.assertIn("privileged", seen.pop("refusal").lower())
        self.assertIn("No such container", seen.pop("absent"))
        self.assertTrue(seen.pop("api") and seen.pop("sdk"))
        self.assertEqual(seen, {"ping": True, "pulled": True, "listed": [name], "log": "up\n",
                                "exec": [4, "in\n"], "put": True, "note": "hello", "stats": True,
                                "status": 3, "left": [], "output": "done\n"})
        self.assertIn(other, self.engine.containers())


@for_reads
class SdkOfTheSystem(SdkLife):
    python, how = SYSTEM_PYTHON, "apt-get install python3-docker"


@for_reads
class SdkNewest(SdkLife):
    python, how = EXTRA + "/venv/bin/python", MAKE_EXTRA


del SdkLife


@for_reads
class Testcontainers(ClientCase):
    def test_life(self):
        python = EXTRA + "/venv/bin/python"
        self.needs(python, MAKE_EXTRA)
        name = self.name()
        seen = json.loads(self.program(python, HERE + "/clients/testcontainers_life.py", IMAGE, name,
                                       TESTCONTAINERS_RYUK_DISABLED="true"))
        self.assertEqual(seen, {"name": name, "exec": [0, "in\n"], "logs": "up\n"})
        self.assertNotIn(name, self.engine.containers())


@for_reads
class Dockerode(ClientCase):
    def test_life(self):
        self.needs(EXTRA + "/node_modules/dockerode", MAKE_EXTRA)
        name, other, image = self.name(), foreign_container(self), published(self)
        seen = json.loads(self.program("node", HERE + "/clients/dockerode_life.js", image, name,
                                       NODE_PATH=EXTRA + "/node_modules"))
        self.assertTrue(seen.pop("api"))
        refusal = seen.pop("refusal")
        self.assertTrue(refusal.startswith("403 ") and "no-privileged" in refusal, refusal)
        self.assertEqual(seen, {"pulled": True, "listed": ["/" + name], "log": "up\n",
                                "exec": "typed in", "execCode": 4, "status": 3, "left": 0,
                                "run": [0, "done"], "absent": 404})
        self.assertIn(other, self.engine.containers())


class ComposeLife(ClientCase):
    """Three services, a network and a named volume, up and down again."""

    def command(self):
        raise NotImplementedError

    def exact(self):
        """What only `exec` without a terminal needs."""
        return ["-T"]

    def test_life(self):
        compose = [*self.command(), "-p", session().name("p"), "-f", HERE + "/clients/compose.yaml"]
        project = compose[compose.index("-p") + 1]
        other = foreign_container(self)

        def run(*args):
            return self.program(*compose, *args)

        def mine(kind):
            query = json.dumps({"label": [f"com.docker.compose.project={project}"]})
            path = {"containers": "/containers/json?all=1&", "networks": "/networks?",
                    "volumes": "/volumes?"}[kind]
            got = self.engine.api("GET", f"{path}filters={query.replace(' ', '')}")[1]
            return (got["Volumes"] or []) if kind == "volumes" else got

        def clear():
            for container in mine("containers"):
                self.engine.api("DELETE", f"/containers/{container['Id']}?force=1&v=1")
            for network in mine("networks"):
                self.engine.api("DELETE", f"/networks/{network['Id']}")
            for volume in mine("volumes"):
                self.engine.api("DELETE", f"/volumes/{volume['Name']}")
        self.addCleanup(clear)

        run("up", "-d")
        made = {c["Labels"]["com.docker.compose.service"]: c for c in mine("containers")}
        self.assertEqual({k: c["State"] for k, c in made.items()},
                         {"store": "running", "api": "running", "web": "running"})
        self.assertEqual({len(mine("networks")), len(mine("volumes"))}, {1})
        network = mine("networks")[0]
        for container in made.values():
            self.assertEqual(list(container["NetworkSettings"]["Networks"]), [network["Name"]])
            self.assertEqual(container["Labels"]["io.dockreeve.team"], "web")
        for thing in (network, mine("volumes")[0]):
            self.assertEqual(thing["Labels"]["io.dockreeve.team"], "web")
        web = self.engine.api("GET", f"/containers/{made['web']['Id']}/json")[1]
        self.assertIn("front", web["NetworkSettings"]["Networks"][network["Name"]]["Aliases"])

        listed = run("ps")
        for service in made:
            self.assertIn(f"{project}", listed)
            self.assertIn(service, listed)
        self.assertIn("api up", run("logs", "api"))
        self.assertEqual(run("exec", *self.exact(), "api", "sh", "-c", "echo $ANSWER").strip(), "42")
        run("exec", *self.exact(), "store", "sh", "-c", "echo kept >/data/x")
        self.assertEqual(run("exec", *self.exact(), "web", "cat", "/data/x").strip(), "kept")
        run("up", "-d")
        self.assertEqual({c["Id"] for c in mine("containers")}, {c["Id"] for c in made.values()},
                         "nothing has changed, so nothing is made anew")
        run("restart", "api")
        run("stop")
        self.assertEqual({c["State"] for c in mine("containers")}, {"exited"})
        run("start")
        run("down", "-v")
        self.assertEqual([mine("containers"), mine("networks"), mine("volumes")], [[], [], []])
        self.assertIn(other, self.engine.containers())


@for_reads
class ComposeOne(ComposeLife):
    def command(self):
        path = "/usr/bin/docker-compose"
        self.needs(path, "apt-get install docker-compose")
        version = subprocess.run([path, "version", "--short"], stdout=subprocess.PIPE, text=True,
                                 check=False).stdout
        if not version.startswith("1."):
            self.skipTest(f"{path} is {version.strip()}, not 1.x")
        return [path]


@for_reads
class ComposeTwo(ComposeLife):
    def command(self):
        places = (engines.folder() + "/plugins", "/usr/libexec/docker/cli-plugins",
                  "/usr/lib/docker/cli-plugins", "/usr/local/lib/docker/cli-plugins")
        found = [p + "/docker-compose" for p in places if os.path.exists(p + "/docker-compose")]
        if not found:
            self.skipTest("there is no compose plugin; scripts/engine26 makes one")
        plugins = os.path.join(session().folder, "home/.docker/cli-plugins")
        os.makedirs(plugins, exist_ok=True)
        if not os.path.lexists(plugins + "/docker-compose"):
            os.symlink(found[0], plugins + "/docker-compose")
        return [find_clis()[0][1], "compose"]


del ComposeLife


class Podman(ClientCase):
    """podman's client speaks an API of podman's own, which the gateway does not let through."""

    def test_is_refused_in_words(self):
        podman = shutil.which("podman")
        if not podman:
            self.skipTest("podman is not here; apt-get install podman")
        done = subprocess.run([podman, "--remote", "--url", "unix://" + self.gateway.unix, "ps"],
                              env=self.environment(XDG_RUNTIME_DIR=session().folder), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60 * SLOW, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("panic", done.stderr)
        with self.raw() as connection:
            answer = connection.request("GET", "/v4.3.1/libpod/containers/json")
        self.assertEqual(answer.status, 403, answer)
        self.assertIn("dockreeve", answer.message)
