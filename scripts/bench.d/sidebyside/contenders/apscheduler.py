"""APScheduler, a library, in a program that does nothing else: its jobs in memory, or in SQLite."""

from .. import machine
from ..place import BENCH_D
from .base import Contender

PEER = BENCH_D / "peers" / "aps.py"


class APScheduler(Contender):
    name = "APScheduler"
    note = "jobs in memory, nothing durable; a pool of 100 threads; no limit on lateness (its default drops what is 1 s late)"
    store = "memory"

    def get(self):
        self.python = self.place.python("python-aps", "APScheduler<4", "SQLAlchemy<3")
        self.version = machine.first_line([self.python, "-c", "import apscheduler as a; print(a.version)"])

    def fire(self, folder, count, period, file):
        return self.start(folder, "fire", count, period, self.place.stamp, file)[0]

    def stand(self, folder, count):
        process, took = self.start(folder, "stand", count)
        return process, {"first": took}

    def start(self, folder, *words):
        ready = folder / "ready"
        command = [self.python, PEER, self.store, folder, ready, *words]
        process = self.launch(command, folder, {"TZ": "UTC"})
        return process, process.until(ready.exists, 120)


class APSchedulerSQLite(APScheduler):
    name = "APScheduler, SQLite"
    note = "the same with its next fire times in SQLite: a commit for each, after the job was handed over"
    store = "sqlite"

    def claims(self, folder, size, seconds):
        return machine.output([self.python, PEER, self.store, folder, folder / "ready", "claims", size, seconds])
