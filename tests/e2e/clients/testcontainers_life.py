"""A test's container with testcontainers: `testcontainers_life.py IMAGE NAME`. Prints one JSON
object; the connection comes from DOCKER_HOST and its companions."""
import json
import sys

from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

image, name = sys.argv[1:3]
script = "echo up; trap 'exit 3' TERM; while :; do sleep 0.1; done"
made = DockerContainer(image).with_name(name).with_command(["sh", "-c", script])
with made.with_kwargs(mem_limit="64m") as container:
    wait_for_logs(container, "up", timeout=30)
    code, output = container.exec(["echo", "in"])
    seen = {"name": container.get_wrapped_container().name, "exec": [code, output.decode()],
            "logs": container.get_logs()[0].decode()}
print(json.dumps(seen))
