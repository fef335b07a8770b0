"""Starting processes, watching what they cost, and ending all of them, whatever happens."""

import atexit
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def own_all_descendants():
    """What a killed contender leaves behind becomes a child of this process, so that `end_all` finds it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda number, _: sys.exit(128 + number))
    atexit.register(end_all)


def end_all():
    """Kills every process that came from this one."""
    for _ in range(1000):
        children = descendants()
        if not children:
            return
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
            except (ProcessLookupError, ChildProcessError):
                pass
        time.sleep(0.01)


def descendants():
    """The children of this process; grandchildren become children when those are gone."""
    tasks = pathlib.Path("/proc/self/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


class Process:
    """A contender at work."""

    def __init__(self, command, log, environment=None, cwd=None):
        self.begun, self.begun_at = time.monotonic(), time.time()
        self.log = pathlib.Path(log)
        with open(log, "ab") as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                          env={**os.environ, **(environment or {})}, start_new_session=True)
        self.pid = self.child.pid

    def is_alive(self):
        return self.child.poll() is None

    def stop(self, patience=20):
        """SIGTERM to all of its group (strace passes none on), and SIGKILL for what doesn't listen."""
        if self.is_alive():
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.child.wait()

    def until(self, fact, patience, step=0.002):
        """Seconds from the start until `fact()`; fails if the process ends before, or it takes too long."""
        while time.monotonic() - self.begun < patience:
            if fact():
                return time.monotonic() - self.begun
            if not self.is_alive():
                raise Failed(f"it ended with {self.child.returncode}: {self.last_words()}")
            time.sleep(step)
        raise Failed(f"not ready after {patience} s")

    def until_quiet(self, quiet, patience):
        """Seconds from the start until it used no processor for `quiet` seconds; these not counted."""
        last = [self.cpu(), time.monotonic()]

        def is_quiet():
            used = self.cpu()
            if used != last[0]:
                last[:] = [used, time.monotonic()]
            return time.monotonic() - last[1] >= quiet
        self.until(is_quiet, patience)
        return last[1] - self.begun

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no word"

    def cpu(self):
        """Seconds of processor time of its threads, user and system."""
        total = 0
        for task in tasks(self.pid):
            total += int(read(task / "schedstat", "0").split()[0])
        return total / 1e9

    def switches(self):
        """How often its threads gave the processor up of their own accord: wake-ups."""
        return sum(int(field(read(task / "status", ""), "voluntary_ctxt_switches")) for task in tasks(self.pid))

    def memory_mib(self):
        """What it has in memory now, and the most it ever had."""
        status = read(pathlib.Path(f"/proc/{self.pid}/status"), "")
        return {"rss": int(field(status, "VmRSS")) / 1024, "peak": int(field(status, "VmHWM")) / 1024}


class Failed(Exception):
    """A contender didn't do what was asked; the row says why."""


def tasks(pid):
    try:
        return list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def read(path, otherwise):
    try:
        return path.read_text()
    except OSError:
        return otherwise


def field(status, name):
    for line in status.splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    return 0
