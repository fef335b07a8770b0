"""APScheduler at work: `aps.py STORE FOLDER READY fire COUNT PERIOD PROGRAM FILE | stand COUNT | claims COUNT SECONDS`."""

import json
import pathlib
import subprocess
import sys
import time

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger


def spawn(program, file):
    subprocess.run([program, file], check=True)


def main(store, folder, ready, what, count, *words):
    folder = pathlib.Path(folder)
    jobstore = MemoryJobStore() if store == "memory" else SQLAlchemyJobStore(url=f"sqlite:///{folder}/jobs.sqlite")
    scheduler = BackgroundScheduler(
        jobstores={"default": jobstore},
        executors={"default": ThreadPoolExecutor(100)},
        job_defaults={"misfire_grace_time": None, "coalesce": True},
        timezone="UTC",
    )
    count = int(count)
    if what == "claims":
        print(json.dumps(claims(scheduler, jobstore, count, float(words[0]))))
        return
    for n in range(count):
        if what == "fire":
            period, program, file = words
            trigger = CronTrigger(second="*" if period == "1" else f"*/{period}")
            scheduler.add_job(spawn, trigger, args=[program, file], id=f"job-{n}")
        else:
            minute = n % 1200
            # Far from now, spread over twenty hours.
            hour = (time.gmtime().tm_hour + 2 + minute // 60) % 24
            scheduler.add_job(spawn, CronTrigger(minute=minute % 60, hour=hour), args=["true", ""], id=f"job-{n}")
    scheduler.start()
    pathlib.Path(ready).touch()
    while True:
        time.sleep(3600)


def claims(scheduler, jobstore, count, seconds):
    """What it writes for every fire: the next fire time of the job, in a transaction of its own."""
    scheduler.start(paused=True)
    job = scheduler.add_job(spawn, CronTrigger(minute=0), args=["true", ""], id="job-0")
    with jobstore.engine.begin() as connection:
        row = connection.execute(jobstore.jobs_t.select()).mappings().one()
        rows = [{**row, "id": f"job-{n}"} for n in range(1, count)]
        if rows:
            connection.execute(jobstore.jobs_t.insert(), rows)
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds or done < 10:
        job._modify(next_run_time=job.trigger.get_next_fire_time(job.next_run_time, job.next_run_time))
        jobstore.update_job(job)
        done += 1
    return {"single_per_s": done / (time.perf_counter() - begun)}


main(*sys.argv[1:])
