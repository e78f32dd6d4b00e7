#!/usr/bin/env python3
"""Runs the end-to-end tests on a private engine.

    run.py --binary build/release/dockreeve [-k PATTERN] [--module NAME]... [--list]
           [--engine host|26|26-containerd]

Needs root (it asks sudo for it), dockerd, a docker CLI and busybox-static. Last line:
"N passed, N failed, N skipped". Exit 0 when nothing failed, 1 when something did, 2 when the tests
could not be run at all, 77 when the engine asked for has not been made.
"""
import argparse
import fnmatch
import glob
import os
import shutil
import signal
import sys
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True


import engines  # noqa: E402  the folder of this file comes first

NOT_MADE = 77  # what ctest counts as skipped


class Lines(unittest.TestResult):
    """One line per test with its time; failures in full as they happen."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = self.left_out = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _line(self, word, test):
        took = time.monotonic() - getattr(self, "began", time.monotonic())
        print(f"{word:5} {test.id()}  {took:.2f} s", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self._line("ok", test)

    def _fail(self, test, err):
        self.failed += 1
        self._line("FAIL", test)
        text = "".join(traceback.format_exception(*err))
        print("      " + text.rstrip().replace("\n", "\n      "), flush=True)

    def addFailure(self, test, err):
        self._fail(test, err)

    def addError(self, test, err):
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._fail(subtest, err)

    def addSkip(self, test, reason):
        self.left_out += 1
        print(f"skip  {test.id()}  ({reason})", flush=True)


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def collect(modules, patterns):
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for name in modules:
        found = [t for t in tests_of(loader.loadTestsFromName(name))
                 if not patterns or any(fnmatch.fnmatchcase(t.id(), f"*{p}*") for p in patterns)]
        # A suite per class, so that unittest calls the class fixtures once.
        suite.addTests(found)
    return suite


def give_up(reason):
    print(f"e2e: cannot run: {reason}", file=sys.stderr)
    return 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.path.join(HERE, "../../build/release/dockreeve"))
    parser.add_argument("-k", action="append", default=[], metavar="PATTERN", dest="patterns")
    parser.add_argument("--module", action="append", default=[], metavar="NAME",
                        help="only tests/e2e/test_NAME.py")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--engine", choices=engines.ENGINES, default=engines.kind(),
                        help="host: this machine's dockerd; 26: that of scripts/engine26, "
                             "26-containerd: the same with the containerd image store")
    options = parser.parse_args()
    os.environ["DOCKREEVE_E2E_ENGINE"] = options.engine

    import harness
    if os.geteuid() != 0 and not options.list:
        kept = [f"{k}={v}" for k, v in os.environ.items()
                if k == "PATH" or k.startswith("DOCKREEVE_") or k.endswith("SAN_OPTIONS")]
        os.execvp("sudo", ["sudo", "-n", "env", *kept, sys.executable, *sys.argv])
    if not harness.DIRECT and not os.access(options.binary, os.X_OK) and not options.list:
        return give_up(f"no gateway binary at {options.binary}")
    if engines.missing() and not options.list:
        print(f"skipped: {engines.missing()}\n0 passed, 0 failed, 1 skipped")
        return NOT_MADE
    for program in ("dockerd", "busybox", "openssl", "docker-registry"):
        if not options.list and not shutil.which(program):
            return give_up(f"{program} is not installed")
    os.environ["DOCKREEVE_BINARY"] = os.path.abspath(options.binary)

    known = sorted(os.path.basename(p)[:-3] for p in glob.glob(HERE + "/test_*.py"))
    modules = ["test_" + m for m in options.module] or known
    for module in modules:
        if module not in known:
            return give_up(f"no such module: {module}; there are {', '.join(known)}")
    import client
    if not client.find_clis():
        return give_up("no docker CLI at /usr/local/bin/docker or /usr/bin/docker")
    suite = collect(modules, options.patterns)
    if suite.countTestCases() == 0:
        return give_up("no test matches")
    if options.list:
        for test in tests_of(suite):
            print(test.id())
        return 0

    # A terminated run still ends its engine. unittest lets nothing but a KeyboardInterrupt through.
    # A handler for SIGINT too: the clients must not inherit that a background job ignores it.
    ended_by = []

    def leave(number, _):
        ended_by.append(number)
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)

    began = time.monotonic()
    result = Lines()
    session = harness.open_session()
    try:
        try:
            session.start()
        except (harness.HarnessError, OSError) as e:
            return give_up(str(e))
        print(f"engine {session.engine.version} ({options.engine}), "
              f"clients {', '.join(label for label, _ in client.find_clis())}, "
              f"{suite.countTestCases()} tests", flush=True)
        suite.run(result)
    except KeyboardInterrupt:
        print(f"ended by signal {ended_by[0]}", file=sys.stderr)
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for name, text in session.stop():
            result.failed += 1
            print(f"FAIL  {name}\n      " + text.replace("\n", "\n      "), flush=True)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{result.passed} passed, {result.failed} failed, {result.left_out} skipped")
    return 128 + ended_by[0] if ended_by else 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
