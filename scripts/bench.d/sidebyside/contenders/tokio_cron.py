"""tokio-cron-scheduler, a library, in a program that does nothing else."""

import re

from ..place import BENCH_D
from .base import Contender


class TokioCron(Contender):
    name = "tokio-cron-scheduler"
    note = "jobs in memory, nothing durable; looks at its jobs twice a second"

    def get(self):
        self.program = self.place.peer("tokio_cron", "--features", "tokio-cron")
        lock = (BENCH_D / "Cargo.lock").read_text()
        self.version = re.search(r'name = "tokio-cron-scheduler"\nversion = "([^"]+)"', lock).group(1)

    def fire(self, folder, count, period, file):
        schedule = "* * * * * *" if period == 1 else f"*/{period} * * * * *"
        return self.start(folder, count, schedule, [self.place.stamp, file])[0]

    def stand(self, folder, count):
        # Its jobs share one instant a day: it has no other, cheaper form for many.
        process, took = self.start(folder, count, "0 0 0 1 1 *", ["/bin/true"])
        return process, {"first": took}

    def start(self, folder, count, schedule, command):
        ready = folder / "ready"
        words = [self.program, count, schedule, ready, *command]
        process = self.launch(words, folder)
        return process, process.until(ready.exists, 120)
