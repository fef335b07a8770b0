"""What is measured, in which order, and how much of it."""

from . import claims, contenders, lateness, past, plugins, standing, stamps, syncs
from .contenders import APScheduler, APSchedulerSQLite, Bare, Busybox, Cron, Hermes, Sched, TokioCron
from .place import Missing
from .processes import Failed


def get(place, results, say, alone):
    """Every contender that can be had, by class; the others leave their reason in `results`. With `alone`, sched."""
    had, results["contenders"] = {}, {}
    for kind in (Sched,) if alone else contenders.ALL:
        contender = kind(place)
        row = results["contenders"][kind.name] = {"note": kind.note}
        try:
            contender.get()
            row["version"] = contender.version
            had[kind] = contender
        except (Missing, Failed) as missing:
            row["missing"] = str(missing)
            say(f"{kind.name} is left out: {missing}")
    return had


def attempt(say, what, measure):
    """Figures, or the reason why there are none: one contender's trouble is not the others'."""
    say(f"  {what}")
    try:
        return measure()
    except (Failed, Missing, OSError, ValueError, KeyError) as failed:
        say(f"  {what}: {failed}")
        return {"failed": str(failed)}


def one_job(had, quick, say):
    """A job each second: how late it is."""
    wanted = {Bare: 60, Sched: 60, TokioCron: 20, APScheduler: 20, Hermes: 15}
    return {kind.name: attempt(say, kind.name, lambda: lateness.measure(had[kind], 1, 1, 6 if quick else rounds))
            for kind, rounds in wanted.items() if kind in had}


def burst_of_100(had, quick, say):
    """A hundred jobs at the same instant: how late they are, and when the last of them is there."""
    def measure(kind):
        if kind is Hermes:
            return lateness.measure(had[kind], 100, 10, 1 if quick else 2, patience=20)
        if kind is APSchedulerSQLite:
            # It may need more than a second for a hundred commits, and then leaves instants out.
            return lateness.measure(had[kind], 100, 5, 1 if quick else 3)
        return lateness.measure(had[kind], 100, 1, 3 if quick else 8)
    wanted = [Bare, Sched, TokioCron, APScheduler, APSchedulerSQLite, Hermes]
    return {kind.name: attempt(say, kind.name, lambda: measure(kind)) for kind in wanted if kind in had}


def burst_of_1000(had, quick, say):
    """The same with a thousand."""
    def measure(kind):
        if kind is Hermes:
            return lateness.measure(had[kind], 1000, 10, 1, patience=25)
        if kind is APSchedulerSQLite:
            return lateness.measure(had[kind], 1000, 10, 1)
        return lateness.measure(had[kind], 1000, 5, 1 if quick else 2)
    wanted = [Bare, Sched, APScheduler] if quick else [Bare, Sched, TokioCron, APScheduler, APSchedulerSQLite, Hermes]
    return {kind.name: attempt(say, kind.name, lambda: measure(kind)) for kind in wanted if kind in had}


def minutes_claims_syncs(had, quick, say):
    """Twenty jobs a minute for those who know no seconds; and in the pauses between, what doesn't depend on the time."""
    daemons = [] if quick else [had[kind] for kind in (Cron, Busybox) if kind in had]
    minutes = lateness.Minutes(daemons, 20, 2)
    pause = stamps.away_from_minutes if daemons else lambda seconds: None
    found = {"claims": handed_out(had, quick, say, pause), "syncs": waits_for_the_disk(had, quick, say, pause)}
    if daemons:
        say("  the rest of the minutes")
    return found | {"minutes": {daemon.name: figures for daemon, figures in minutes.finish().items()}}


def handed_out(had, quick, say, pause):
    """What a store can hand out."""
    found = {}
    for kind in (Sched, APSchedulerSQLite, Hermes):
        for size in [100, 10_000] if quick else [100, 10_000, 100_000]:
            if kind in had:
                pause(25)
                found.setdefault(kind.name, {})[size] = attempt(
                    say, f"claims of {kind.name} at {size} jobs",
                    lambda: claims.measure(had[kind], size, 0.5 if quick else 3))
    return found


def waits_for_the_disk(had, quick, say, pause):
    """Syncs for each fire."""
    found = {}
    for kind in (Sched,) if quick else (Sched, APSchedulerSQLite, Hermes):
        for jobs in (1, 100):
            if kind in had:
                # A tick of many takes its time there.
                slow = kind is Hermes and jobs > 1
                period, rounds = (10, 1) if slow else (1, 4 if quick else 8)
                pause(25)
                found.setdefault(kind.name, {})[jobs] = attempt(
                    say, f"syncs of {kind.name}, {jobs} at once", lambda: syncs.measure(had[kind], jobs, period, rounds))
    return found


def standing_still(had, quick, say):
    """Many jobs, none of them due."""
    sizes, seconds = ([1000], 10) if quick else ([1000, 10_000, 100_000], 60)
    wanted = [had[kind] for kind in (Sched, Cron, Busybox, TokioCron, APScheduler, Hermes) if kind in had]
    return attempt(say, "starts, and then nothing", lambda: standing.measure(wanted, sizes, seconds, say))


def looking_back(had, quick, say):
    """A month behind a home, and what it takes to look at it."""
    place = had[Sched].place
    return attempt(say, "looking back", lambda: past.measure(
        place.sched, place.past, place.fresh("past"), 3 if quick else 30, say))


def plugins_of_both_kinds(had, quick, say):
    """A library and a program: looked at, started, asking."""
    return attempt(say, "plugins", lambda: plugins.measure(had[Sched].place, 10 if quick else 40, say))


ALL = {
    "one_job": one_job,
    "burst_of_100": burst_of_100,
    "burst_of_1000": burst_of_1000,
    "minutes_claims_syncs": minutes_claims_syncs,
    "standing_still": standing_still,
    "looking_back": looking_back,
    "plugins": plugins_of_both_kinds,
}
# Those that need sched and nobody else.
ALONE = {"plugins"}
