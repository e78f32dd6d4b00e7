"""The normal life of a container with the python docker SDK: `sdk_life.py IMAGE NAME`.
Prints one JSON object; the connection comes from DOCKER_HOST and its companions."""
import io
import json
import sys
import tarfile

import docker

image, name = sys.argv[1:3]
client = docker.from_env()
seen = {"sdk": docker.__version__, "api": client.version()["ApiVersion"], "ping": client.ping()}
client.images.pull(image)
seen["pulled"] = image in [tag for i in client.images.list() for tag in i.tags]
script = "echo up; trap 'exit 3' TERM; while :; do sleep 0.1; done"
container = client.containers.run(image, ["sh", "-c", script], name=name, detach=True,
                                  mem_limit="64m", labels={"life": "sdk"})
seen["listed"] = [c.name for c in client.containers.list(filters={"label": "life=sdk"})]
for line in container.logs(stream=True, follow=True):
    seen["log"] = line.decode()
    break
code, output = container.exec_run(["sh", "-c", "echo in; exit 4"])
seen["exec"] = [code, output.decode()]
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as archive:
    entry = tarfile.TarInfo("note")
    entry.size = 5
    archive.addfile(entry, io.BytesIO(b"hello"))
seen["put"] = container.put_archive("/tmp", tar.getvalue())
chunks, _ = container.get_archive("/tmp/note")
with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
    seen["note"] = archive.extractfile("note").read().decode()
seen["stats"] = "memory_stats" in container.stats(stream=False)
container.stop(timeout=5)
seen["status"] = container.wait()["StatusCode"]
container.remove()
seen["left"] = [c.name for c in client.containers.list(all=True, filters={"name": name})]
seen["output"] = client.containers.run(image, ["echo", "done"], remove=True).decode()
try:
    client.containers.create(image, ["true"], privileged=True)
    seen["refusal"] = ""
except docker.errors.APIError as e:
    seen["refusal"] = e.explanation
try:
    client.containers.get(name)
    seen["absent"] = ""
except docker.errors.NotFound as e:
    seen["absent"] = e.explanation
print(json.dumps(seen))
