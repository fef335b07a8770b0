#!/usr/bin/env python3
"""A plugin for sched that fires a job at times of day of its own. Schedules fire as ever, at most a second late."""
import json, queue, sys, threading
from datetime import datetime, timedelta

inbox = queue.Queue()

def read():
    for line in sys.stdin:
        inbox.put(json.loads(line))
    inbox.put({"call": "stop", "id": 0})  # the host is gone

def say(**message):
    print(json.dumps(message), flush=True)

def next_of(times, after):
    days = [after.date(), after.date() + timedelta(days=1)]
    return min(t for t in (datetime.fromisoformat(f"{day} {time}") for day in days for time in times) if t > after)

stopping = False
threading.Thread(target=read, daemon=True).start()
hello = inbox.get()
job, times = hello["config"]["job"], hello["config"]["times"]
say(id=hello["id"], ok={"ready": {"name": "own-instants", "version": "0.1.0", "nonce": hello["nonce"], "liveness": "ticks"}})
start, upcoming = inbox.get(), next_of(times, datetime.now())
while not stopping:
    try:
        message = inbox.get(timeout=1)
        stopping = message.get("call") == "stop"
    except queue.Empty:
        say(call="tick")
    if datetime.now() >= upcoming and not stopping:
        # Nobody waits for the answer, so one id does for all.
        say(id=1, call="fire", kind="event", job=job, key=upcoming.isoformat())
        upcoming = next_of(times, upcoming)
say(id=start["id"], ok={})
say(id=message["id"], ok={})
say(call="stopped")
