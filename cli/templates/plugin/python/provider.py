#!/usr/bin/env python3
"""A provider for sched: looks for due jobs at a fixed interval, and fires them.

The host asks with a line of JSON on standard input, and this program asks and answers with a line on standard output. What
it writes to standard error is in the daemon's log.
"""

import json
import queue
import sys
import threading
import time

# The name is that of the folder and of plugin.yaml.
NAME, VERSION = "@NAME@", "0.1.0"

inbox = queue.Queue()


def read():
    """Passes on what the host says. When the input ends, the daemon is gone, and so is this program."""
    for line in sys.stdin:
        inbox.put(json.loads(line))
    inbox.put({"call": "stop"})


def say(**message):
    print(json.dumps(message), flush=True)


def main():
    threading.Thread(target=read, daemon=True).start()
    hello = inbox.get()
    if hello["call"] != "hello":
        return
    every = (hello.get("config") or {}).get("every_seconds")
    if type(every) not in (int, float) or not 0 < every <= 3600:
        # The built-in ticker does the work then, and `sched status` shows the text.
        fault = {"code": "invalid", "message": "config: `every_seconds` is not a number up to 3600"}
        say(id=hello["id"], error=fault)
        return
    ready = {"name": NAME, "version": VERSION, "nonce": hello["nonce"], "liveness": "ticks"}
    say(id=hello["id"], ok={"ready": ready})

    # One that promised to tick must tick or beat, or it counts as dead: so it does, twice as often as it has to.
    beat = hello["interval_ms"] / 2000
    start, due = None, time.monotonic()
    while True:
        wait = beat if start is None else max(0, min(beat, due - time.monotonic()))
        try:
            message = inbox.get(timeout=wait)
        except queue.Empty:
            message = {}
        call = message.get("call")
        if call == "stop":
            break
        if call == "start":
            start = message["id"]  # answered at the end
            say(call="log", level="info", message=f"looking for due jobs every {every} s")
        elif call is not None:
            say(id=message.get("id"), error={"code": "unknown", "message": f"no call `{call}` here"})
        if start is None:
            continue
        if time.monotonic() < due:
            say(call="beat")
            continue
        # Fires all that is due. For one job there is `fire` with `kind: due`, and for something that happened outside,
        # whatever the schedule says, with `kind: event`. No occurrence fires twice. A call without an id gets no answer.
        say(call="tick")
        due = time.monotonic() + every
    for asked in (start, message.get("id")):
        if asked is not None:
            say(id=asked, ok={})
    say(call="stopped")


if __name__ == "__main__":
    main()
