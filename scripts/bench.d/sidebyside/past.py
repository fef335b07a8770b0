"""A month of a hundred jobs that are due every minute: how long it takes to look back at it, or ahead as far."""

import os
import subprocess
import time

JOBS = 100


def looks(days):
    """What is typed, by what it is."""
    ago = time.strftime("%Y-%m-%dT03:20:00Z", time.gmtime(time.time() - (days // 2) * 86400))
    return {
        "audit of all of it": ["audit", "--since", f"{days + 1}d"],
        "why of one instant in its middle": ["why", f"job-00042@{ago}"],
        "history, the last 20": ["history", "--last", "20"],
        "history of one job, the last 20 that failed": ["history", "job-00042", "--failed", "--last", "20"],
        "history, the last million": ["--json", "history", "--last", "1000000"],
        "simulation of as many days": ["simulate", "--to", f"{days}d", "--json"],
    }


def measure(sched, past, folder, days, say):
    """Seconds and MiB of each look; the history is made first, and is not part of them."""
    home = folder / "home"
    entries = int(subprocess.run([past, home, str(JOBS), str(days)], check=True, capture_output=True, text=True).stdout)
    size = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
    found = {"days": days, "entries": entries, "mib": size / 2**20, "looks": {}}
    for what, line in looks(days).items():
        say(f"  {what}")
        found["looks"][what] = timed([sched, "--home", home, *line])
    return found


def timed(command):
    """Wall clock and peak memory of a command that must succeed."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"s": time.monotonic() - begun, "mib": usage.ru_maxrss / 1024}
