"""Interactive use: terminals, their size, attach and detach."""
from client import CliCase, every_cli
from harness import IMAGE, eventually

DETACH = "\x10\x11"  # ctrl-p ctrl-q


@every_cli("tls", "unix")
class Terminal(CliCase):
    def terminal(self, *args, **kw):
        terminal = self.docker.terminal(*args, **kw)
        self.addCleanup(terminal.close)
        return terminal

    def size_becomes(self, terminal, wanted):
        """The size arrives by a request of its own, a little after the start or the signal."""
        def right():
            terminal.send("stty size | tr ' ' x; echo asked\n")
            return wanted in terminal.expect("asked\r\n")
        eventually(right, 15, f"stty size says {wanted}", step=0.2)

    def test_run_with_resize(self):
        shell = self.terminal("run", "-it", "--rm", "--name", self.name(), IMAGE, "sh",
                              rows=31, cols=97)
        self.size_becomes(shell, "31x97")
        shell.resize(45, 120)
        self.size_becomes(shell, "45x120")
        shell.send("exit 9\n")
        self.assertEqual(shell.finish(), 9)

    def test_exec_with_resize(self):
        name = self.sleeper(self.name())
        shell = self.terminal("exec", "-it", name, "sh", rows=27, cols=91)
        self.size_becomes(shell, "27x91")
        shell.resize(40, 111)
        self.size_becomes(shell, "40x111")
        shell.send("exit 8\n")
        self.assertEqual(shell.finish(), 8)

    def test_ctrl_c_reaches_the_program(self):
        shell = self.terminal("run", "-it", "--rm", "--name", self.name(), IMAGE, "sh", "-c",
                              "trap 'echo caught; exit 3' INT; echo ready; "
                              "while :; do sleep 0.1; done")
        shell.expect("ready\r\n")
        shell.send("\x03")
        shell.expect("caught\r\n")
        self.assertEqual(shell.finish(), 3)

    def test_attach_and_detach(self):
        name = self.name()
        self.docker.ok("run", "-dit", "--name", name, IMAGE, "sh")
        shell = self.terminal("attach", name)
        shell.send("echo a$((40+2))b\n")
        shell.expect("a42b\r\n")
        shell.send(DETACH)
        self.assertEqual(shell.finish(), 1)  # `attach` calls a detach an error, `run` does not
        self.assertIn("read escape sequence", shell.text)
        self.assertEqual(self.engine.containers()[name]["State"], "running")
        again = self.terminal("attach", name)
        again.send("exit 5\n")
        self.assertEqual(again.finish(), 5)

    def test_detach_from_run(self):
        name = self.name()
        shell = self.terminal("run", "-it", "--name", name, IMAGE, "sh")
        shell.send("echo a$((40+2))b\n")
        shell.expect("a42b\r\n")
        shell.send(DETACH)
        self.assertEqual(shell.finish(), 0)
        self.assertEqual(self.engine.containers()[name]["State"], "running")
