"""A loop that sleeps until the instant and spawns: what nobody can beat."""

from .base import Contender


class Bare(Contender):
    name = "bare sleep and spawn"
    note = "sleeps until the instant, spawns, waits; no schedule, no store, no record"
    version = "as built here"

    def fire(self, folder, count, period, file):
        command = [self.place.bare, count, period, 1_000_000, self.place.stamp, file]
        return self.launch(command, folder)
