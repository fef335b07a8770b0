"""Debian's cron, in a mount namespace of its own, so that it sees no crontab but ours and nobody sees it."""

import os
import time

from ..place import Missing
from .base import Contender, daily

# What it reads and writes is covered by file systems in memory; the file of its pid is among that.
HIDE = """set -e
mount --make-rprivate /
for folder in /run /var/spool /etc/cron.d; do mkdir -p $folder; mount -t tmpfs none $folder; done
mkdir -p /var/spool/cron/crontabs
[ ! -f /etc/crontab ] || mount --bind /dev/null /etc/crontab
cp "$1"/* /etc/cron.d/ && chmod 600 /etc/cron.d/*
exec "$2" -f"""

# A longer file is ignored as a whole, and the log says so.
LONGEST = 9999


class Cron(Contender):
    name = "cron (Debian)"
    note = "minutes at best; sleeps in whole seconds; at most 9,999 jobs a file, so in several files of cron.d; ready is when it uses no processor any more"

    def get(self):
        if os.geteuid() != 0:
            raise Missing("it runs as root only")
        self.program = self.place.debian("cron", "usr/sbin/cron")
        self.version = self.place.debian_version("cron")

    def fire(self, folder, count, period, file, minutes="*"):
        lines = [f"{minutes} * * * * root {self.place.stamp} {file}"] * count
        process = self.start(folder, lines)
        process.until_quiet(0.5, 60)
        return process

    def stand(self, folder, count):
        at = daily(count, time.gmtime())
        process = self.start(folder, [f"{minute} {hour} * * * root /bin/true" for minute, hour in at])
        return process, {"first": process.until_quiet(1, 300)}

    def start(self, folder, lines):
        (folder / "cron.d").mkdir()
        for begin in range(0, len(lines), LONGEST):
            part = "".join(f"{line}\n" for line in lines[begin:begin + LONGEST])
            (folder / "cron.d" / f"part-{begin}").write_text(part)
        command = ["unshare", "--mount", "sh", "-c", HIDE, "sh", folder / "cron.d", self.program]
        return self.launch(command, folder, {"TZ": "UTC"})
