"""What it costs to have many jobs of which none is due: starting with them, memory, processor time, wake-ups."""

import time

from .processes import Failed


def measure(contenders, sizes, seconds, say):
    """Starts each of them with each number of jobs, one after the other, then leaves all alone for `seconds` together.

    Answers figures by name and size.
    """
    figures = {contender.name: {} for contender in contenders}
    running = []
    try:
        for size in sizes:
            for contender in contenders:
                say(f"  {contender.name} with {size} jobs")
                folder = contender.place.fresh(f"stand-{size}-{type(contender).__name__.lower()}")
                try:
                    process, took = contender.stand(folder, size)
                except Failed as failed:
                    figures[contender.name][size] = {"failed": str(failed)}
                    continue
                row = figures[contender.name][size] = {"start_s": took}
                running.append((row, process))
        # What a start leaves to be done later is not idleness.
        time.sleep(3)
        say(f"  nothing, for {seconds} s")
        before = [(process.cpu(), process.switches()) for _, process in running]
        time.sleep(seconds)
        for (row, process), (cpu, switches) in zip(running, before):
            if not process.is_alive():
                row["failed"] = f"it ended while it had nothing to do: {process.last_words()}"
                continue
            row |= {
                "idle_cpu_percent": (process.cpu() - cpu) / seconds * 100,
                "wakeups_per_min": (process.switches() - switches) / seconds * 60,
                "idle_for_s": seconds,
                "memory_mib": process.memory_mib(),
            }
    finally:
        for _, process in running:
            process.stop()
    return figures
