"""Create bodies for the differential test: every group of fields by hand, then random mixtures."""
import random

from harness import IMAGE

FIELDS = {
    # Config
    "Hostname": ["inside", "a-b.c"],
    "Domainname": ["example.org"],
    "User": ["1000", "user", "0:0", "1000:1000", ""],
    "AttachStdout": [True], "AttachStderr": [False], "AttachStdin": [True],
    "ExposedPorts": [{"80/tcp": {}}, {"53/udp": {}, "53/tcp": {}}],
    "Tty": [True, False], "OpenStdin": [True], "StdinOnce": [True],
    "Env": [["A=1"], ["EMPTY=", "B=two words", "U=\u00e4\u4e2d\U0001f40b"], []],
    "Cmd": [["true"], ["sh", "-c", "echo \"quoted\" <&>"], []],
    "Healthcheck": [{"Test": ["CMD", "true"], "Interval": 30000000000, "Timeout": 1000000000,
                     "Retries": 3, "StartPeriod": 5000000000}, {"Test": ["NONE"]}],
    "Volumes": [{"/data": {}}],
    "WorkingDir": ["/tmp", "/made/on/demand"],
    "Entrypoint": [["sh", "-c"], ["/bin/echo"]],
    "NetworkDisabled": [True],
    "Labels": [{"a": "b"}, {"com.example/x": "y z", "empty": ""}, {}],
    "StopSignal": ["SIGINT", "15"], "StopTimeout": [5, 0],
    "Shell": [["/bin/sh", "-c"]],
}
HOST = {
    "Binds": [["/tmp:/x:ro"], ["/tmp:/x", "named:/y"], []],
    "Memory": [64 << 20], "MemoryReservation": [32 << 20], "MemorySwappiness": [60, -1],
    "KernelMemory": [0], "OomKillDisable": [False],
    "NanoCpus": [500000000], "CpuShares": [512], "CpusetCpus": ["0"], "CpusetMems": ["0"],
    "BlkioWeight": [0], "PidsLimit": [100, -1],
    "Ulimits": [[{"Name": "nofile", "Soft": 1024, "Hard": 2048}]],
    "CapAdd": [["NET_BIND_SERVICE"], ["CAP_CHOWN", "KILL"]], "CapDrop": [["ALL"], ["NET_RAW"]],
    "GroupAdd": [["1000", "2000"]],
    "Dns": [["10.0.0.1"]], "DnsOptions": [["ndots:2"]], "DnsSearch": [["example.org"]],
    "ExtraHosts": [["one:10.0.0.1", "two:::1"]],
    "IpcMode": ["private", "none", "shareable"], "CgroupnsMode": ["private"],
    "LogConfig": [{"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
                  {"Type": "none", "Config": {}}],
    "RestartPolicy": [{"Name": "on-failure", "MaximumRetryCount": 3}, {"Name": "always"}, {"Name": ""}],
    "NetworkMode": ["none", "default"],
    "PortBindings": [{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20080"}]},
                     {"53/udp": [{"HostPort": ""}, {"HostPort": "20053"}]}],
    "PublishAllPorts": [False], "ReadonlyRootfs": [True], "Privileged": [False],
    "SecurityOpt": [["no-new-privileges"], ["no-new-privileges:true"]],
    "ShmSize": [1 << 20], "Sysctls": [{"net.ipv4.ip_unprivileged_port_start": "0"}],
    "Tmpfs": [{"/run": "size=1m,mode=755"}, {"/a": "", "/b": "ro"}],
    "Init": [True, False], "AutoRemove": [False],
    "StorageOpt": [{}], "Annotations": [None], "Isolation": ["default"], "ConsoleSize": [[24, 80]],
    "ContainerIDFile": ["/tmp/cid"], "VolumeDriver": ["local"], "Links": [[]],
    "MaskedPaths": [None], "ReadonlyPaths": [None], "Devices": [[]], "DeviceRequests": [None],
    "DeviceCgroupRules": [None], "Runtime": ["runc", ""], "UsernsMode": [""], "PidMode": [""],
    "UTSMode": [""], "Cgroup": [""], "CgroupParent": [""], "OomScoreAdj": [0, 100],
    "Mounts": [[{"Type": "bind", "Source": "/tmp", "Target": "/m", "ReadOnly": True,
                 "BindOptions": {"Propagation": "rprivate"}}],
               [{"Type": "volume", "Source": "named", "Target": "/v",
                 "VolumeOptions": {"NoCopy": True, "Labels": {"a": "b"}}}],
               [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 65536, "Mode": 448}}]],
}

WHOLE = [
    {},
    {"HostConfig": None, "Env": None, "Labels": None, "NetworkingConfig": None},
    {"HostConfig": {"NanoCpus": 0, "Memory": 0, "PidsLimit": 0, "MemorySwappiness": -1,
                    "OomKillDisable": False, "ConsoleSize": [0, 0], "MaskedPaths": None,
                    "Binds": None, "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
     "NetworkingConfig": {"EndpointsConfig": {}}},
    {"HostConfig": {"NetworkMode": "none"}, "NetworkingConfig": {"EndpointsConfig": {"none": {}}}},
    {"HostConfig": {"CpuPeriod": 100000, "CpuQuota": 50000, "CpuRealtimePeriod": 0}},
    {"HostConfig": {"Memory": 64 << 20, "MemorySwap": 128 << 20}},
    {"HostConfig": {"Memory": 9007199254740993}},
    {"HostConfig": {"BlkioDeviceReadBps": [], "BlkioWeightDevice": []}},
    {"HostConfig": {"AutoRemove": True}},
    {"Env": ["X=" + "y" * 20000]},
    {"Labels": {f"key{i}": f"value{i}" for i in range(300)}},
    {"Labels": {"quote\"": "back\\slash", "line": "a\nb\tc", "nul": "\u0001", "html": "<&>"}},
]


def build(parts, host):
    body = {"Image": IMAGE, "Cmd": ["true"], **parts}
    if host:
        body["HostConfig"] = host
    return body


def bodies(seed=7, mixtures=40):
    """[(name, body)]: one per field (all its values in turn), the whole ones, random mixtures."""
    found = []
    for name, values in FIELDS.items():
        for i, value in enumerate(values):
            found.append((f"{name}-{i}", build({name: value}, {})))
    for name, values in HOST.items():
        for i, value in enumerate(values):
            found.append((f"HostConfig.{name}-{i}", build({}, {name: value})))
    for i, body in enumerate(WHOLE):
        found.append((f"whole-{i}", {"Image": IMAGE, "Cmd": ["true"], **body}))
    dice = random.Random(seed)
    for i in range(mixtures):
        parts = {k: dice.choice(FIELDS[k]) for k in dice.sample(sorted(FIELDS), dice.randint(2, 8))}
        host = {k: dice.choice(HOST[k]) for k in dice.sample(sorted(HOST), dice.randint(2, 10))}
        found.append((f"random-{seed}-{i}", build(parts, host)))
    return found
