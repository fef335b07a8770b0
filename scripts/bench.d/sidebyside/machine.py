"""What it was measured on."""

import os
import pathlib
import platform
import subprocess
import time

from . import stats
from .processes import Failed


def describe(folder):
    """The machine, and what a sync costs on the file system of `folder`."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "filesystem": filesystem(folder),
        "fdatasync_ms": fdatasync(folder),
        "load": os.getloadavg()[0],
    }


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def filesystem(folder):
    """Its type, by the longest mount point that `folder` is under."""
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        point, kind = line.split()[1:3]
        above = point == "/" or f"{folder}/".startswith(f"{point}/")
        if above and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def fdatasync(folder, times=200):
    """Appending 512 bytes and making them durable, in milliseconds."""
    path = pathlib.Path(folder) / "fdatasync"
    took = []
    with open(path, "ab", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    path.unlink()
    return stats.summary(took)


def first_line(command):
    """What a program says to a question, as its first line."""
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return ((said.stdout or said.stderr).strip().splitlines() or ["?"])[0]


def output(command, environment=None):
    """What a program prints; its failure is an error with its last word."""
    said = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          env={**os.environ, **(environment or {})})
    if said.returncode != 0:
        raise Failed((said.stderr.strip().splitlines() or [f"exit {said.returncode}"])[-1])
    return said.stdout
