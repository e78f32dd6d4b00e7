"""Networks, commit and export through the gateway with the real CLI: one team's own things work, the
other team's do not exist, and what reaches beyond the team is refused."""
from client import DockerCli, GatewayCase, Raw, find_clis
from harness import EVERYONE, IMAGE, session

TEAMS = """\
apiVersion: dockreeve/v1
kind: Identities
unknown: deny
identities:
  - name: "{{cert.cn}}"
    match: { certCN: "*" }
teams:
  web: [ { certOU: web } ]
  data: [ { certOU: data } ]
---
apiVersion: dockreeve/v1
kind: Policy
metadata: { name: site }
spec:
  extends: [baseline@1]
  rules: { own-resources-only: { mode: enforce, by: team, reads: true }, overlay-encryption: enforce }
""" + EVERYONE


class Networks(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = session().own_gateway(session().name("nets"), policies=TEAMS)

    @classmethod
    def tearDownClass(cls):
        cls.site.stop()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        pki = session().pki
        address = f"tcp://127.0.0.1:{self.site.port}"
        self.clis = [DockerCli(path, address, pki.client("nina", "web"))
                     for _, path in find_clis()]
        self.docker = self.clis[0]
        self.other = DockerCli(find_clis()[0][1], address, pki.client("otto", "data"))
        self.raw_certs = pki.client("nina", "web")

    def network(self, docker=None, *arguments):
        name = session().name("net")
        (docker or self.docker).ok("network", "create", *arguments, name)
        self.addCleanup(self.engine.api, "DELETE", f"/networks/{name}")
        return name

    def container(self, docker=None, network="none"):
        name = self.name()
        (docker or self.docker).ok("create", "--network", network, "--name", name, IMAGE, "true")
        self.addCleanup(self.engine.api, "DELETE", f"/containers/{name}?force=1")
        return name

    def members(self, name):
        return self.engine.api("GET", f"/containers/{name}/json")[1]["NetworkSettings"]["Networks"]

    def refused(self, *arguments, text, docker=None):
        result = (docker or self.docker).run(*arguments)
        self.assertNotEqual(result.code, 0, result)
        self.assertIn(text, result.err)

    def test_life_of_a_network(self):
        for docker in self.clis:
            name = self.network(docker, "--internal", "--attachable", "--label", "a=b",
                                "--opt", "com.docker.network.driver.mtu=1400")
            shown = self.engine.api("GET", f"/networks/{name}")[1]
            self.assertEqual((shown["Internal"], shown["Attachable"]), (True, True))
            self.assertEqual(shown["Labels"]["io.dockreeve.owner"], "nina")
            self.assertEqual(shown["Labels"]["a"], "b")
            self.assertEqual(docker.ok("network", "inspect", "-f", "{{.Driver}}", name), "bridge")
            member = self.container(docker, name)
            second = self.network(docker)
            docker.ok("network", "connect", "--alias", "db", second, member)
            self.assertEqual(set(self.members(member)), {name, second})
            docker.ok("network", "disconnect", shown["Id"][:12], member)
            self.assertNotIn(name, self.members(member))
            docker.ok("network", "rm", name)
            self.assertEqual(self.engine.api("GET", f"/networks/{name}")[0], 404)

    def names(self):
        return [n["Name"] for n in self.engine.api("GET", "/networks")[1]]

    def test_a_second_team_sees_nothing(self):
        name = self.network()
        member = self.container(network=name)
        theirs, guest = self.network(self.other), self.container(self.other)
        for arguments, text in (
                (["network", "rm", name], f"network {name} not found"),
                (["network", "connect", name, guest], f"network {name} not found"),
                (["network", "disconnect", name, member], f"network {name} not found"),
                (["network", "connect", theirs, member], f"No such container: {member}"),
                (["network", "disconnect", "-f", "none", member], f"No such container: {member}"),
                (["commit", member, "stolen:1"], f"No such container: {member}"),
                (["export", member], f"No such container: {member}")):
            self.refused(*arguments, text=text, docker=self.other)
        self.refused("network", "inspect", name, text="not found", docker=self.other)
        self.refused("network", "create", name, text="is in use", docker=self.other)
        self.assertEqual(set(self.members(member)), {name})
        self.assertEqual(self.engine.api("GET", "/images/stolen:1/json")[0], 404)

    def test_the_host_network_is_nobodys(self):
        member = self.container()
        self.refused("network", "connect", "host", member, text="network host not found")
        host = next(n for n in self.engine.api("GET", "/networks")[1] if n["Name"] == "host")["Id"]
        self.refused("network", "connect", host, member, text=f"network {host} not found")
        self.refused("network", "rm", "none", text="network none not found")
        self.refused("network", "connect", "--ip", "172.17.0.99", "none", member, text="shared")

    def test_options_that_reach_the_host(self):
        before = set(self.names())
        for arguments in (
                ["-o", "com.docker.network.bridge.name=docker0"],
                ["-o", "com.docker.network.bridge.host_binding_ipv4=0.0.0.0"],
                ["-o", "com.docker.network.bridge.gateway_mode_ipv4=routed"],
                ["-d", "macvlan", "-o", "parent=eth0"], ["-d", "ipvlan", "-o", "parent=eth0"],
                ["--subnet", "127.0.0.0/8"], ["--subnet", "10.0.0.0/8"],
                ["--ipam-driver", "other"], ["--ingress", "-d", "overlay"], ["--config-only"],
                ["--config-from", "x"], ["--scope", "swarm"], ["-d", "overlay"],
                ["--label", "io.dockreeve.owner=otto"]):
            self.refused("network", "create", *arguments, session().name("bad"), text="dockreeve")
        for name in ("bridge", "host", "none", "default", "docker_gwbridge", "deadbeef"):
            self.refused("network", "create", name, text="dockreeve")
        self.assertEqual(set(self.names()), before)

    def test_bytes_that_another_parser_reads_otherwise(self):
        member = self.container()
        mine = self.network()
        theirs = self.network(self.other)
        hostile = (
            ("/v1.41/networks/create", '{"Name":"evil-1","driver":"macvlan"}'),
            ("/v1.41/networks/create", '{"Name":"evil-1","Option\\u017f":{"parent":"eth0"}}'),
            ("/v1.41/networks/create", '{"Name":"evil-1","Driver":"bridge","Driver":"macvlan"}'),
            ("/v1.41/networks/create", '{"Name":"evil-1"} {"Driver":"macvlan"}'),
            (f"/v1.41/networks/{mine}/connect", '{"Container":"%s","container":"x"}' % member),
            (f"/v1.41/networks/{theirs}/connect", '{"Container":"%s"}' % member),
            (f"/v1.41/commit?container={member}&repo=evil&changes=LABEL%20%22io.dock%22reeve.x%3D1",
             "{}"),
            (f"/v1.41/commit?container={member}&repo=evil&changes=ENV%20P%3Dx&"
             "changes=LABEL%20%24P%3D1", "{}"),
            (f"/v1.41/commit?container={member}&repo=evil", '{"Privileged":true}'),
            (f"/v1.41/commit?container={member}&repo=evil",
             '{"Labels":{"io.dockreeve.owner":"otto"}}'))
        for target, body in hostile:
            with Raw(self.site, self.raw_certs) as connection:
                answer = connection.request("POST", target, body.encode())
                self.assertIn(answer.status, (400, 403, 404), (target, body, answer.body))
        self.assertNotIn("evil-1", self.names())
        self.assertEqual(self.engine.api("GET", "/images/evil/json")[0], 404)
        self.assertEqual(set(self.members(member)), {"none"})

    def test_commit(self):
        for docker in self.clis:
            member, image = self.container(docker), session().name("made") + ":1"
            docker.ok("commit", "-m", "a b", "--change", "ENV A=b", "--change", "LABEL x=y", member,
                      image)
            self.addCleanup(self.engine.api, "DELETE", f"/images/{image}?force=1")
            config = self.engine.api("GET", f"/images/{image}/json")[1]["Config"]
            self.assertIn("A=b", config["Env"])
            self.assertEqual(config["Cmd"], ["true"])
            self.assertEqual(config["Labels"]["x"], "y")
            self.assertEqual(config["Labels"]["io.dockreeve.owner"], "nina")

    def test_commit_keeps_what_the_engine_keeps(self):
        """The labels of the gateway change nothing else in the image."""
        member = self.name()
        self.docker.ok("create", "--network", "none", "--name", member, "--workdir", "/tmp",
                       "--entrypoint", "sh", "--stop-signal", "SIGINT", "-e", "A=b", "--expose", "80",
                       "-u", "1000", "--health-cmd", "true", "-v", "/data", "-t", "-l", "c=d", IMAGE,
                       "-c", "true")
        self.addCleanup(self.engine.api, "DELETE", f"/containers/{member}?force=1&v=1")
        image, plain = session().name("made") + ":1", session().name("made")
        self.docker.ok("commit", member, image)
        self.assertEqual(self.engine.api("POST", f"/commit?container={member}&repo={plain}", {})[0],
                         201)
        configs = []
        for name in (image, plain):
            self.addCleanup(self.engine.api, "DELETE", f"/images/{name}?force=1")
            config = self.engine.api("GET", f"/images/{name}/json")[1]["Config"]
            config["Labels"] = {k: v for k, v in config["Labels"].items()
                                if k in ("c", "io.dockreeve.team")}
            configs.append(config)
        self.assertEqual(configs[0], configs[1])

    def test_export(self):
        member = self.container()
        self.assertIn(b"bin/busybox", self.docker.ok("export", member, binary=True))
