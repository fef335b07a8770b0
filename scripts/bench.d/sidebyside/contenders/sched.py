"""This project: as it is shipped, with every fire claimed and its start durable before the process exists."""

import json
import time

from .. import machine, stamps
from ..place import commit
from .base import Contender, daily


class Sched(Contender):
    name = "sched"
    note = "every fire claimed, and its start on the disk, before the process exists; output kept in a file; ready is when its first tick has ended, by its own beat"

    def get(self):
        self.version = machine.first_line([self.place.sched, "--version"]).removeprefix("sched ") + commit()

    def fire(self, folder, count, period, file):
        schedule = "* * * * * *" if period == 1 else f"*/{period} * * * * *"
        command = [str(self.place.stamp), str(file)]
        self.write(folder, [{"id": f"job-{n}", "schedule": schedule, "command": command} for n in range(count)])
        process = self.start(folder)
        process.until(lambda: self.is_idle(folder, process), 60)
        return process

    def stand(self, folder, count):
        at = daily(count, time.gmtime())
        self.write(folder, [{"id": f"job-{n}", "schedule": f"{minute} {hour} * * *", "command": ["/bin/true"]}
                            for n, (minute, hour) in enumerate(at)])
        took = {}
        for kind in ("first", "again"):
            process = self.start(folder)
            process.until(lambda: self.is_idle(folder, process), 300)
            # The file has it up to a second later than it was: beats are written once a second.
            took[kind] = stamps.seconds(self.beat(folder)["last_success_at"]) - process.begun_at
            if kind == "first":
                process.stop()
        return process, took

    def write(self, folder, jobs):
        """A home: jobs.json as somebody would write it, and room for all jobs at once."""
        (folder / "home").mkdir(mode=0o700)
        (folder / "home" / "jobs.json").write_text(json.dumps({"format": 1, "jobs": jobs}))
        (folder / "home" / "config.yaml").write_text("max_parallel: 1000\ntimezone: UTC\n")

    def start(self, folder):
        return self.launch([self.place.sched, "--home", folder / "home", "run"], folder)

    def is_idle(self, folder, process):
        """Its own word for it: the beat of this process says that it waits, and that a tick has been."""
        try:
            beat = self.beat(folder)
        except (OSError, ValueError):
            return False
        return (self.under or beat["pid"] == process.pid) and beat["phase"] == "idle" and beat["cycle"] >= 1

    def beat(self, folder):
        return json.loads((folder / "home" / "heartbeats" / "ticker.json").read_text())

    def claims(self, folder, size, seconds):
        return machine.output([self.place.claims, folder, seconds, size])

    def history(self, folder):
        """What it recorded of its runs."""
        said = machine.output([self.place.sched, "--home", folder / "home", "--json", "history", "--last", 1_000_000])
        return json.loads(said)["entries"]
