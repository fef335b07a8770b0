"""What a plugin costs: to look at, to start, to ask through, and to have."""

import json
import os
import pathlib
import shutil
import subprocess
import time

from .place import BENCH_D, ROOT, Missing
from .processes import Process, field, read
from .stats import median, summary

SOURCES = BENCH_D / "plugins"
# So many are looked at together: one is lost in what a process costs.
MANY = 50
JOBS = [{"id": "yearly", "schedule": "0 0 1 1 *", "command": ["true"], "overlap": "allow"}]


def measure(place, starts, say):
    """Figures by kind of plugin."""
    found = {}
    for name, make in {"library in C": library, "program in Python": program}.items():
        say(f"  {name}")
        home = place.fresh(f"plugin-{name.split()[-1].lower()}") / "home"
        folder = home / "plugins" / "rounds"
        folder.mkdir(parents=True)
        for made in (home, home / "plugins", folder):
            made.chmod(0o755)
        command = make(place, folder)
        (home / "jobs.json").write_text(json.dumps({"format": 1, "jobs": JOBS}))
        (home / "config.yaml").write_text("provider: rounds\nmax_parallel: 1000\n")
        ready, memory = [], []
        for _ in range(starts):
            took, has = started(command, folder)
            ready.append(took)
            memory.append(has)
        found[name] = {
            "preflight_ms": looked_at(place, home, starts),
            "ready_ms": summary(ready),
            "memory_mib": {key: median(has[key] for has in memory) for key in ("rss", "own")},
            **rounds(place, home),
        }
    return found


def library(place, folder):
    cc = shutil.which("cc")
    if not cc:
        raise Missing("no C compiler here")
    target = folder / "librounds.so"
    header = ROOT / "plugins" / "sched-plugin-abi" / "include"
    subprocess.run([cc, "-O2", "-shared", "-fPIC", "-I", header, "-o", target, SOURCES / "rounds.c"], check=True)
    target.chmod(0o644)
    manifest(folder, "kind: dylib\nlibrary: librounds.so\nabi: 1\n")
    return [place.sched, "__plugin-host", target]


def program(_, folder):
    # Not what may stand before it on the PATH, which chooses among interpreters and takes longer than they do.
    python = os.path.realpath(subprocess.check_output(
        ["python3", "-c", "import sys; print(sys.executable)"], text=True).strip())
    shutil.copy(SOURCES / "rounds.py", folder)
    (folder / "rounds.py").chmod(0o644)
    manifest(folder, f"kind: exec\ncommand: [{python}, rounds.py]\nprotocol: 1\n")
    return [python, "rounds.py"]


def manifest(folder, kind):
    (folder / "plugin.yaml").write_text(f"name: rounds\nversion: '1'\n{kind}")
    (folder / "plugin.yaml").chmod(0o644)


def looked_at(place, home, times):
    """How much longer the list of plugins takes with many of them than without any, at the median, for each."""
    bare, many = home.parent / "bare", home.parent / "many"
    bare.mkdir()
    for n in range(MANY):
        folder = many / "plugins" / f"rounds-{n}"
        shutil.copytree(home / "plugins" / "rounds", folder)
        text = (folder / "plugin.yaml").read_text()
        (folder / "plugin.yaml").write_text(text.replace("name: rounds", f"name: rounds-{n}"))
    for made in (many, many / "plugins"):
        made.chmod(0o755)

    def listed(which):
        begun = time.monotonic()
        said = subprocess.run([place.sched, "--home", which, "plugin", "list"], check=True, capture_output=True, text=True)
        took = (time.monotonic() - begun) * 1000
        if which is many and said.stdout.count("usable") != MANY:
            raise ValueError(f"they are not usable: {said.stdout}")
        return took
    listed(many)
    took = {which: median(listed(which) for _ in range(times)) for which in (bare, many)}
    return max(took[many] - took[bare], 0) / MANY


def started(command, folder):
    """Milliseconds from its start until it is ready, and what it has in memory then: all of it, and what is its alone."""
    begun = time.monotonic()
    child = subprocess.Popen(command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        hello = {"id": 1, "call": "hello", "protocol": 1, "sched": "0.1.0", "nonce": "5f3a", "config": {}, "interval_ms": 60000}
        child.stdin.write(json.dumps(hello) + "\n")
        child.stdin.flush()
        answer = json.loads(child.stdout.readline())
        took = (time.monotonic() - begun) * 1000
        if "ready" not in answer.get("ok", {}):
            raise ValueError(f"it is not ready: {answer}")
        parts = read(pathlib.Path(f"/proc/{child.pid}/smaps_rollup"), "")
        own = sum(int(field(parts, part)) for part in ("Private_Clean", "Private_Dirty"))
        return took, {"rss": int(field(parts, "Rss")) / 1024, "own": own / 1024}
    finally:
        child.kill()
        child.communicate()


def rounds(place, home):
    """Microseconds that its own fires took, by a daemon."""
    file = home / "plugins" / "rounds" / "rounds"
    process = Process([place.sched, "--home", home, "run"], home.parent / "log")
    try:
        process.until(file.exists, 60)
    finally:
        process.stop()
    lines = [line.split() for line in file.read_text().splitlines()]
    return {f"{kind}_us": summary([float(took) for what, took in lines if what == kind]) for kind in ("due", "event")}
