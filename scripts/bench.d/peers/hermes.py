"""hermes-agent's cron at work: `hermes.py WHAT FOLDER READY ...`, with HERMES_HOME in the environment.

make COUNT                         writes COUNT daily jobs
stand                              runs its own ticker on them
fire COUNT PERIOD PROGRAM FILE     calls its `tick` at every whole multiple of PERIOD seconds, with COUNT jobs due
claims COUNT SECONDS               claims jobs one by one, through its own function
"""

import datetime
import json
import os
import pathlib
import sys
import threading
import time
import uuid

from cron import jobs as store
from cron.scheduler import tick
from cron.scheduler_provider import InProcessCronScheduler

HOME = pathlib.Path(os.environ["HERMES_HOME"])


def main(what, folder, ready, *words):
    (HOME / "scripts").mkdir(parents=True, exist_ok=True)
    if what == "make":
        make(int(words[0]), "true")
    elif what == "stand":
        InProcessCronScheduler().start(threading.Event())
    elif what == "fire":
        count, period, program, file = words
        fire(int(count), int(period), f"exec {program} {file}", pathlib.Path(ready))
    elif what == "claims":
        print(json.dumps(claims(int(words[0]), float(words[1]))))


def make(count, line):
    """One job through its own function, and copies of that under other ids, saved at once."""
    (HOME / "scripts" / "job.sh").write_text(f"{line}\n")
    hour = (time.gmtime().tm_hour + 12) % 24
    job = store.create_job(None, f"0 {hour} * * *", script="job.sh", no_agent=True, deliver="local")
    store.save_jobs([{**job, "id": uuid.uuid4().hex[:12], "name": f"job {n}"} for n in range(count)])


def fire(count, period, line, ready):
    make(count, line)
    while True:
        instant = (int(time.time()) // period + 1) * period
        due = datetime.datetime.fromtimestamp(instant, datetime.timezone.utc).isoformat()
        make_due(due)
        if time.time() > instant - 0.05:
            continue  # That took until the instant; the next one.
        with open(ready, "a") as noted:
            noted.write(f"{instant}\n")
        while (left := instant - time.time()) > 0:
            time.sleep(left)
        tick(verbose=False, sync=True)


def make_due(at):
    """Without its own function, which syncs: what this program writes must not count as its work."""
    path = HOME / "cron" / "jobs.json"
    content = json.loads(path.read_text())
    for job in content["jobs"]:
        job["next_run_at"] = at
    (HOME / "jobs.new").write_text(json.dumps(content))
    (HOME / "jobs.new").replace(path)


def claims(count, seconds):
    make(count, "true")
    ids = [job["id"] for job in store.load_jobs()]
    begun, done = time.perf_counter(), 0
    while done < len(ids) and (time.perf_counter() - begun < seconds or done < 3):
        if not store.claim_job_for_fire(ids[done]):
            raise SystemExit(f"the claim of {ids[done]} was lost to nobody")
        done += 1
    return {"single_per_s": done / (time.perf_counter() - begun)}


main(*sys.argv[1:])
