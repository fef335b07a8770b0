"""busybox's crond."""

import os
import time

from .. import machine
from ..place import Missing
from .base import Contender, daily


class Busybox(Contender):
    name = "busybox crond"
    note = "minutes at best; ready is when it uses no processor any more"

    def get(self):
        if os.geteuid() != 0:
            raise Missing("it runs as root only")
        self.program = self.place.debian("busybox-static", "bin/busybox")
        self.version = machine.first_line([self.program]).split()[1]

    def fire(self, folder, count, period, file, minutes="*"):
        process = self.start(folder, [f"{minutes} * * * * {self.place.stamp} {file}"] * count)
        process.until_quiet(0.5, 60)
        return process

    def stand(self, folder, count):
        at = daily(count, time.gmtime())
        process = self.start(folder, [f"{minute} {hour} * * * /bin/true" for minute, hour in at])
        return process, {"first": process.until_quiet(1, 300)}

    def start(self, folder, lines):
        (folder / "crontabs").mkdir()
        (folder / "crontabs" / "root").write_text("".join(f"{line}\n" for line in lines))
        command = [self.program, "crond", "-f", "-c", folder / "crontabs", "-L", folder / "log"]
        return self.launch(command, folder, {"TZ": "UTC"})
