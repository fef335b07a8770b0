"""How often a contender waits for the disk, counted where nobody can be wrong about it: at the system calls."""

import shutil

from . import stamps
from .processes import Failed

CALLS = "fsync,fdatasync,sync_file_range,syncfs,msync,sync"


def measure(contender, jobs, period, rounds):
    """Syncs for each fire, with `jobs` jobs due together `rounds` times."""
    strace = shutil.which("strace") or contender.place.debian("strace", "usr/bin/strace")
    folder = contender.place.fresh(f"syncs-{jobs}-{type(contender).__name__.lower()}")
    trace = folder / "trace"
    # With --seccomp-bpf only the calls that count stop the process.
    contender.under = [strace, "-f", "-qq", "--seccomp-bpf", "-ttt", "-e", f"trace={CALLS}", "-o", trace]
    try:
        process = contender.fire(folder, jobs, period, folder / "stamps")
        first = stamps.next_instant(period)
        # From half a period before the first instant to half a period after the last: the ends of its runs included.
        begin, end = first - period / 2, first + (rounds - 0.5) * period
        stamps.sleep_until(end + 0.5)
        process.stop()
    finally:
        contender.under = ()
    fires = sum(begin <= stamp / 1e9 < end for stamp in stamps.read(folder / "stamps"))
    if not fires:
        raise Failed("it started nothing")
    syncs = 0
    for line in trace.read_text().splitlines():
        _, at, call = line.split(maxsplit=2)
        if begin <= float(at) < end and not call.startswith(("<...", "+++", "---")):
            syncs += 1
    return {"jobs": jobs, "fires": fires, "syncs": syncs, "per_fire": syncs / fires}
