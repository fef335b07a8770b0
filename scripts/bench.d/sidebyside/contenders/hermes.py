"""hermes-agent's cron: a thread that calls `tick` every 60 s, and a jobs.json that every claim rewrites."""

from .. import machine
from ..place import BENCH_D
from .base import Contender

PACKAGE = "hermes-agent==0.19.0"
PEER = BENCH_D / "peers" / "hermes.py"


class Hermes(Contender):
    name = "hermes-agent"
    note = ("its ticker looks every 60 s; here its `tick` is called at the instant itself, so a user waits 0 to 60 s longer; "
            "jobs are scripts without an agent, run through bash")

    def get(self):
        self.python = self.place.python("python-hermes", PACKAGE)
        self.version = PACKAGE.split("==")[1]

    def fire(self, folder, count, period, file):
        process, ready = self.start(folder, "fire", count, period, self.place.stamp, file)
        process.until(ready.exists, 120)
        return process

    def instants(self, folder, period, first, rounds):
        # A tick may take longer than a period, so it notes the instants that it was called at.
        return [int(line) for line in (folder / "ready").read_text().split()][:rounds]

    def stand(self, folder, count):
        process, _ = self.start(folder, "stand", count)
        # Its own sign that a tick has succeeded; the jobs are written before, by another process.
        success = folder / "home" / "cron" / "ticker_last_success"
        return process, {"first": process.until(success.exists, 120)}

    def claims(self, folder, size, seconds):
        return self.run(folder, "claims", size, seconds)

    def start(self, folder, what, *words):
        if what == "stand":
            self.run(folder, "make", *words)
            words = ()
        ready = folder / "ready"
        command = [self.python, PEER, what, folder, ready, *words]
        return self.launch(command, folder, self.environment(folder)), ready

    def run(self, folder, *words):
        """To its end; answers what it printed."""
        what, *more = words
        command = [self.python, PEER, what, folder, folder / "ready", *more]
        return machine.output(command, self.environment(folder))

    def environment(self, folder):
        return {"HERMES_HOME": str(folder / "home"), "TZ": "UTC"}
