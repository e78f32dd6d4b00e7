"""Turns what bench/run measured into its Markdown report."""
import platform
import re
import statistics
import subprocess
from pathlib import Path

US, OTHER = "dockreeve", "HAProxy"


class Row:
    """One line: where its figure comes from and what dockreeve aims at.

    `first` and `goal` bound the ratio over HAProxy when `of_ratio`, else dockreeve's own figure.
    """

    def __init__(self, label, digits, figure, first=None, goal=None, of_ratio=False):
        self.label, self.digits, self.figure = label, digits, figure
        self.first, self.goal, self.of_ratio = first, goal, of_ratio


def from_rounds(load, key, scale=1):
    def figure(bench, proxy):
        reports = bench.results.get((proxy, load), [])
        return [report[key] * scale if report else None for report in reports]
    return figure


def from_fact(*name, key=None, scale=1):
    def figure(bench, proxy):
        fact = bench.facts.get((proxy, *name))
        if fact is None:
            return []
        return [(fact[key] if key else fact) * scale]
    return figure


ROWS = [
    Row("CPU µs, ping, c=16", 1, from_rounds("ping", "cpu_us"), 1.2, 1.0, True),
    Row("CPU µs, ping, c=64", 1, from_rounds("ping64", "cpu_us"), 1.2, 1.0, True),
    Row("CPU µs, container list (12 KB, chunked), c=16", 1, from_rounds("list", "cpu_us"),
        1.2, 1.0, True),
    Row("CPU µs, container create (4 KB), c=16", 1, from_rounds("create", "cpu_us"),
        3.0, 2.0, True),
    Row("CPU µs, denied create (fdatasync'd), c=16", 1, from_rounds("denied", "cpu_us")),
    Row("CPU µs, denied create (fdatasync'd), c=64", 1, from_rounds("denied64", "cpu_us")),
    Row("CPU µs, new mTLS connection + ping", 0, from_rounds("connect", "cpu_us"), 0.9, 0.8, True),
    Row("bulk down, CPU s/GB", 2, from_rounds("down", "cpu_s_per_gb"), 1.2, 0.8, True),
    Row("bulk up, CPU s/GB", 2, from_rounds("up", "cpu_s_per_gb"), 1.2, 0.8, True),
    Row("KiB an idle mTLS connection", 1, from_fact("idle", key="kib_each"), 30, 20),
    Row("KiB a hijacked stream", 1, from_fact("stream", key="kib_each"), 50, 30),
    Row("ping p50, c=16, ms", 2, from_rounds("ping", "p50_us", 1e-3)),
    Row("ping p99, c=16, ms", 2, from_rounds("ping", "p99_us", 1e-3)),
    Row("ping p50, c=64, ms", 2, from_rounds("ping64", "p50_us", 1e-3)),
    Row("ping p99, c=64, ms", 2, from_rounds("ping64", "p99_us", 1e-3)),
    Row("create p50, c=16, ms", 2, from_rounds("create", "p50_us", 1e-3)),
    Row("create p99, c=16, ms", 2, from_rounds("create", "p99_us", 1e-3)),
    Row("denied create p50, c=64, ms", 2, from_rounds("denied64", "p50_us", 1e-3)),
    Row("denied create p99, c=64, ms", 2, from_rounds("denied64", "p99_us", 1e-3), 5, 5),
    Row("system calls a ping", 2, from_fact("calls", "ping"), 6.6, 4.5),
    Row("system calls a list", 2, from_fact("calls", "list"), 6.6, 4.5),
    Row("system calls a create", 2, from_fact("calls", "create")),
    Row("system calls a denied create", 2, from_fact("calls", "denied")),
    Row("start to listening, ms", 1, from_fact("listening"), 200, 50),
    Row("start to first answer over mTLS, ms", 1, from_fact("answering")),
    Row("engine requests a create", 2, from_fact("engine_requests")),
]


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def ratio(ours, others):
    """Median of the ratios round by round: both sides of each saw the same neighbours."""
    pairs = [a / b for a, b in zip(ours, others) if a is not None and b]
    return statistics.median(pairs) if pairs else None


def cell(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


def verdict(row, value):
    if value is None or row.goal is None:
        return ""
    # Compared as printed: a reader must not see "1.00" fail a goal of 1.0.
    shown = round(value, 2 if row.of_ratio else row.digits)
    return "goal met" if shown <= row.goal else "first bound met" if shown <= row.first else "missed"


def bound(row):
    if row.goal is None:
        return ""
    mark = "×" if row.of_ratio else ""
    return f"≤ {mark}{row.first:g} / {mark}{row.goal:g}"


def table(bench):
    names = [US, OTHER, "nginx"]
    lines = ["| figure | " + " | ".join(names) + " | dockreeve / HAProxy | aim (first / goal) | |",
             "|---|" + "---:|" * 4 + "---|---|"]
    for row in ROWS:
        figures = {name: row.figure(bench, name) for name in names}
        over = ratio(figures[US], figures[OTHER])
        judged = over if row.of_ratio else median(figures[US])
        cells = [cell(median(figures[name]), row.digits) for name in names]
        lines.append(f"| {row.label} | {' | '.join(cells)} | {cell(over, 2)} | {bound(row)} | "
                     f"{verdict(row, judged)} |")
    denied, created = (from_rounds(load, "cpu_us")(bench, US) for load in ("denied", "create"))
    extra = Row("", 2, None, 1.2, 1.2, True)
    over = ratio(denied, created)
    lines.append(f"| denied create over its own allowed create, CPU | {cell(over, 2)} | – | – | – | "
                 f"≤ ×1.2 | {verdict(extra, over)} |")
    return lines


def crowd(bench):
    lines = []
    size = bench.facts.get("sizes", (0, 0, 0))[2]
    for name in (US, OTHER, "nginx"):
        fact = bench.facts.get((name, "crowd"))
        if fact:
            lines.append(
                f"| {name} | {fact['held']} of {size} | {fact['works']} | {fact['kib_each']:.1f} | "
                f"{fact['side_before_p50_us'] / 1000:.2f} / {fact['side_before_p99_us'] / 1000:.2f} | "
                f"{fact['side_p50_us'] / 1000:.2f} / {fact['side_p99_us'] / 1000:.2f} | "
                f"{fact['open_s']:.1f} |")
    if not lines:
        return []
    return ["", f"## {size} idle connections held", "",
            "| proxy | held | answer again afterwards | KiB each | ping on the side before, p50 / p99 "
            "ms | while held, p50 / p99 ms | opened in s |", "|---|---|---|---:|---|---|---:|", *lines]


def calls(bench):
    lines = [f"| {load} | {name} | {bench.facts[name, 'call_names', load]} |"
             for load in ("ping", "list", "create", "denied") for name in (US, OTHER, "nginx")
             if (name, "call_names", load) in bench.facts]
    if not lines:
        return []
    return ["", "## System calls a request, by name", "", "| request | proxy | calls |",
            "|---|---|---|", *lines]


def render(bench, heading, rounds, sync_ms, facts):
    idle, streams, size = bench.facts.get("sizes", (0, 0, 0))
    lines = ["# dockreeve beside HAProxy and nginx", "", heading, "", *(f"- {f}" for f in facts), "",
             f"Medians of {rounds} interleaved rounds; ratios are medians of the ratios of each round. "
             f"Memory from {idle} idle connections and {streams} streams on fresh processes. "
             "HAProxy and nginx forward everything unread; dockreeve decodes, judges, rebuilds and "
             "records. How each figure is made: bench/README.md.", "", *table(bench), *crowd(bench),
             *calls(bench)]
    remarks = [f"One small write + fdatasync on the disk of the audit file: {sync_ms:.2f} ms (median)."]
    for name in (US, OTHER, "nginx"):
        count = bench.facts.get((name, "engine_connections"))
        if count is not None:
            remarks.append(f"{name}: 20 creates in a row opened {count} new connections to the engine.")
    lines += ["", "## Remarks", "", *(f"- {text}" for text in remarks + bench.notes)]
    return "\n".join(lines) + "\n"


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (done.stdout + done.stderr).strip()
    except OSError:
        return ""


def machine(cpus):
    def first(pattern, path, fallback="?"):
        found = re.search(pattern, Path(path).read_text(errors="replace"), re.M)
        return found.group(1).strip() if found else fallback

    memory = int(first(r"^MemTotal:\s+(\d+)", "/proc/meminfo", "0")) / (1 << 20)
    system = first(r'^PRETTY_NAME="?([^"\n]+)', "/etc/os-release")
    processor = first(r"^model name\s*:\s*(.+)", "/proc/cpuinfo", platform.machine())
    return (f"{processor}, {cpus} CPUs, {memory:.0f} GiB, {system}, "
            f"Linux {platform.release()}")


def versions(root, gateway):
    haproxy = re.search(r"version (\S+)", output_of("haproxy", "-v"))
    nginx = re.search(r"nginx/(\S+)", output_of("nginx", "-v"))
    commit = output_of("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    changed = " with changes" if output_of("git", "-C", str(root), "status", "--porcelain") else ""
    own = output_of(str(gateway), "version").splitlines()[:1] if gateway else []
    return ", ".join([*own, f"source {commit}{changed}",
                      f"HAProxy {haproxy.group(1) if haproxy else 'missing'}",
                      f"nginx {nginx.group(1) if nginx else 'missing'}",
                      output_of("openssl", "version").split(" (")[0]])
