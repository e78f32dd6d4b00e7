// The normal life of a container with dockerode: `dockerode_life.js IMAGE NAME`. Prints one JSON
// object; the connection comes from DOCKER_HOST and its companions.
const { PassThrough } = require('stream');
const Docker = require('dockerode');

async function main() {
  const [image, name] = process.argv.slice(2);
  const docker = new Docker();
  const seen = { api: (await docker.version()).ApiVersion };
  const progress = await docker.pull(image);
  await new Promise((resolve, reject) =>
    docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())));
  seen.pulled = (await docker.listImages()).some((i) => (i.RepoTags || []).includes(image));

  const script = "echo up; trap 'exit 3' TERM; while :; do sleep 0.1; done";
  const container = await docker.createContainer({
    Image: image, name, Cmd: ['sh', '-c', script], Labels: { life: 'node' },
    HostConfig: { Memory: 64 << 20 },
  });
  await container.start();
  seen.listed = (await docker.listContainers({ filters: { label: ['life=node'] } }))
    .map((c) => c.Names[0]);
  const logs = await container.logs({ follow: true, stdout: true, stderr: true });
  seen.log = await new Promise((resolve) => {
    const out = new PassThrough();
    container.modem.demuxStream(logs, out, out);
    out.once('data', (data) => resolve(data.toString()));
  });
  logs.destroy();

  const exec = await container.exec({
    Cmd: ['sh', '-c', 'cat; exit 4'], AttachStdin: true, AttachStdout: true, AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  stream.end('typed in');
  seen.exec = await new Promise((resolve) => {
    let text = '';
    const out = new PassThrough();
    container.modem.demuxStream(stream, out, out);
    out.on('data', (data) => { text += data; });
    stream.on('end', () => resolve(text));
  });
  seen.execCode = (await exec.inspect()).ExitCode;

  await container.stop({ t: 5 });
  seen.status = (await container.wait()).StatusCode;
  await container.remove();
  seen.left = (await docker.listContainers({ all: true, filters: { name: [name] } })).length;

  const out = new PassThrough();
  let text = '';
  out.on('data', (data) => { text += data; });
  const [result, used] = await docker.run(image, ['echo', 'done'], out, { Tty: true });
  seen.run = [result.StatusCode, text.trim()];
  await used.remove();
  seen.refusal = await docker
    .createContainer({ Image: image, HostConfig: { Privileged: true } })
    .then(() => '', (e) => `${e.statusCode} ${e.message}`);
  seen.absent = await docker.getContainer(name).inspect().then(() => '', (e) => e.statusCode);
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
