"""What the job of the benchmarks left behind: a line for each start, in nanoseconds of the wall clock."""

import bisect
import datetime
import re
import time


def read(path):
    try:
        # The last line may be half written while somebody still fires.
        return [int(line) for line in path.read_text().split("\n")[:-1]]
    except FileNotFoundError:
        return []


def by_instant(stamps, instants):
    """Milliseconds after its instant, for each stamp: of the last instant (in seconds since the epoch) before it."""
    late = {instant: [] for instant in instants}
    for stamp in stamps:
        before = bisect.bisect_right(instants, stamp / 1e9)
        if before:
            late[instants[before - 1]].append(stamp / 1e6 - instants[before - 1] * 1e3)
    return late


def seconds(text):
    """Seconds since the epoch of an instant as RFC 3339 has it, of which Python reads six digits after the point."""
    whole, fraction, zone = re.fullmatch(r"([^.Z+]+)(\.\d+)?(Z|[+-]\d\d:\d\d)", text).groups()
    zone = "+00:00" if zone == "Z" else zone
    return datetime.datetime.fromisoformat(whole + zone).timestamp() + float(fraction or 0)


def next_instant(period, at_least=0.5):
    """The first whole multiple of `period` that is `at_least` seconds away."""
    return int((time.time() + at_least) // period + 1) * period


def sleep_until(instant):
    while (left := instant - time.time()) > 0:
        time.sleep(min(left, 1))


def away_from_minutes(seconds):
    """Waits until no minute begins within so many seconds: what fires then is measured by somebody else."""
    into = time.time() % 60
    if into < 5 or into + seconds > 59:
        sleep_until((time.time() // 60 + (into >= 5)) * 60 + 5)
