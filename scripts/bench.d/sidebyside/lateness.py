"""How late jobs start after their instant, and how long it takes until the last of many has."""

import time

from . import stamps, stats
from .processes import Failed


def measure(contender, jobs, period, rounds, patience=10, **more):
    """`jobs` jobs due together, `rounds` times. Whatever is still missing `patience` seconds after the last is missing."""
    folder = contender.place.fresh(f"fire-{jobs}-{type(contender).__name__.lower()}")
    process = contender.fire(folder, jobs, period, folder / "stamps", **more)
    first = stamps.next_instant(period)
    try:
        late = collect(contender, folder, jobs, period, first, rounds, patience)
    finally:
        process.stop()
    figures = summarise(late, jobs, rounds, patience)
    if hasattr(contender, "history"):
        figures["recorded_ms"] = recorded(contender.history(folder), late)
    return figures


def collect(contender, folder, jobs, period, first, rounds, patience):
    """Waits until everything has fired, and answers how late, by instant."""
    end = first + (rounds - 1) * period
    stamps.sleep_until(end)
    while True:
        # Those that come while the last one is waited for are told apart from it, and then left out.
        instants = contender.instants(folder, period, first, rounds + patience // period + 2)
        late = stamps.by_instant(stamps.read(folder / "stamps"), instants)
        late = {instant: late[instant][:jobs] for instant in instants[:rounds]}
        complete = len(late) == rounds and all(len(some) == jobs for some in late.values())
        if complete or time.time() > end + patience:
            return late
        time.sleep(0.1)


def summarise(late, jobs, rounds, patience):
    if not any(late.values()):
        raise Failed(f"none had begun {patience} s after the instant")
    return {
        "late_ms": stats.summary(one for some in late.values() for one in some),
        # Only rounds that are whole have a last one.
        "last_ms": stats.summary(max(some) for some in late.values() if len(some) == jobs),
        "expected": jobs * rounds,
    }


def recorded(history, late):
    """When the starts were written down, which is before the processes begin: milliseconds after their instants."""
    started = [entry for entry in history if entry["started_at"]]
    pairs = [(stamps.seconds(entry["owed_at"]), stamps.seconds(entry["started_at"])) for entry in started]
    return stats.summary((began - owed) * 1000 for owed, began in pairs if owed in late)


# Seconds after a minute in which daemons that know minutes only are done with it.
SETTLE = 5


class Minutes:
    """Daemons that know minutes only, each at minutes of its own, so that none disturbs another."""

    def __init__(self, contenders, jobs, rounds):
        self.jobs, self.rounds, self.running = jobs, rounds, []
        self.failed = {}
        step = len(contenders)
        for n, contender in enumerate(contenders):
            folder = contender.place.fresh(f"minutes-{type(contender).__name__.lower()}")
            try:
                process = contender.fire(folder, jobs, 60, folder / "stamps", minutes=f"{n}-59/{step}")
            except Failed as failed:
                self.failed[contender] = str(failed)
                continue
            first = stamps.next_instant(60)
            first += (n - first // 60) % step * 60
            self.running.append((contender, folder, process, [first + m * step * 60 for m in range(rounds)]))

    def finish(self):
        """Waits for the last of them; figures, or why there are none, by contender."""
        figures = {contender: {"failed": why} for contender, why in self.failed.items()}
        for contender, folder, process, instants in self.running:
            stamps.sleep_until(instants[-1] + SETTLE)
            process.stop()
            try:
                late = stamps.by_instant(stamps.read(folder / "stamps"), instants)
                figures[contender] = summarise(late, self.jobs, self.rounds, SETTLE)
            except Failed as failed:
                figures[contender] = {"failed": str(failed)}
        return figures
