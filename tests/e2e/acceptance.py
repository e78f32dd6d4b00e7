#!/usr/bin/env python3
"""Runs an acceptance runner against a gateway of its own, over TLS and over the unix listener.

    acceptance.py --binary build/release/dockreeve --policy FILE RUNNER [ARGUMENT...]
                  [--engine host|26|26-containerd]

Starts a private engine and `dockreeve serve` with that policy file, and for each listener runs
    RUNNER ADDRESS --real unix://ENGINE [--cert FILE --key FILE --ca FILE] ARGUMENT...
with the output passed on. Exit: the highest exit status of the runs; 77 when the engine has not
been made.
"""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import engines  # noqa: E402  the folder of this file comes first


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.path.join(HERE, "../../build/release/dockreeve"))
    parser.add_argument("--policy", required=True, metavar="FILE")
    parser.add_argument("--engine", choices=engines.ENGINES, default=engines.kind())
    parser.add_argument("runner")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    os.environ["DOCKREEVE_E2E_ENGINE"] = options.engine
    os.environ["DOCKREEVE_BINARY"] = os.path.abspath(options.binary)
    if engines.missing():
        print(f"skipped: {engines.missing()}")
        return 77

    import harness
    session = harness.open_session()
    worst = 0
    try:
        session.start()
        gateway = session.gateway("acceptance", policies=harness.read(options.policy))
        certs = session.pki.client("acceptance", team="team")
        tls = [f"127.0.0.1:{gateway.port}", "--cert", certs + "/cert.pem", "--key",
               certs + "/key.pem", "--ca", certs + "/ca.pem"]
        for name, address in (("TLS", tls), ("unix", ["unix://" + gateway.unix])):
            print(f"==> {options.engine} engine {session.engine.version}, {name} listener", flush=True)
            command = [sys.executable, options.runner, *address, "--real",
                       "unix://" + session.engine.socket, *options.arguments]
            worst = max(worst, subprocess.run(command, check=False).returncode)
    finally:
        for name, text in session.stop():
            print(f"{name}: {text}", file=sys.stderr)
            worst = max(worst, 1)
    return worst


if __name__ == "__main__":
    sys.exit(main())
