"""What is in the tables: each a title, a remark, a head and rows of text."""

WHERE = "The machine"
WHO = "The contenders"
# Their cells are words.
WORDS = (WHERE, WHO)

LATE = "milliseconds after the instant, by the job's own clock"


def all_of(results):
    made = [machine(results), one_job(results)]
    made += [burst(results, size) for size in (100, 1000) if f"burst_of_{size}" in results]
    made += [*standing(results), claims(results), syncs(results), past(results), plugins(results)]
    made += [contenders(results)]
    return [table for table in made if table and table[3]]


def machine(results):
    told = results["machine"]
    disk = told["fdatasync_ms"]
    rows = [
        ["measured on", told["date"] + (", quickly: few samples" if results["quick"] else "")],
        ["processor", f"{told['cpu']}, {told['cores']} cores"],
        ["memory", f"{told['memory_gib']} GiB"],
        ["kernel", f"Linux {told['kernel']}"],
        ["file system", told["filesystem"]],
        ["fdatasync of 512 bytes", f"p50 {number(disk['p50'])} ms, p99 {number(disk['p99'])} ms"],
        ["load before", number(told["load"])],
    ]
    return WHERE, "", ["what", "value"], rows


def one_job(results):
    rows = []
    for name, figures in results.get("one_job", {}).items():
        rows += late_rows(name, figures)
    for name, figures in results.get("minutes_claims_syncs", {}).get("minutes", {}).items():
        rows += late_rows(f"{name}, 20 jobs a minute", figures)
    return "One job, every second", LATE, ["contender", "n", "p50", "p90", "p99", "max", "missing"], rows


def late_rows(name, figures):
    if "failed" in figures:
        return [[name, "0", *["-"] * 4, figures["failed"]]]

    def row(name, late):
        return [name, str(late["n"]), *(number(late[key]) for key in ("p50", "p90", "p99", "max"))]
    rows = [[*row(name, figures["late_ms"]), str(figures["expected"] - figures["late_ms"]["n"])]]
    if figures.get("recorded_ms", {}).get("n"):
        rows.append([*row(f"{name}: its own record of the start", figures["recorded_ms"]), ""])
    return rows


def burst(results, size):
    rows = []
    for name, figures in results[f"burst_of_{size}"].items():
        if "failed" in figures:
            rows.append([name, "-", "-", "-", figures["failed"]])
            continue
        late, last = figures["late_ms"], figures["last_ms"]
        rows.append([name, number(late["p50"]), number(late["p99"]), number(last["p50"]) if last["n"] else "-",
                     str(figures["expected"] - late["n"])])
    return f"{size:,} jobs at one instant", LATE, ["contender", "p50", "p99", "the last one", "missing"], rows


def standing(results):
    head = ["contender", "start, s", "second start, s", "memory, MiB", "peak, MiB", "idle CPU, %", "wake-ups a minute"]
    found = results.get("standing_still", {})
    sizes = sorted({size for by_size in found.values() if isinstance(by_size, dict) for size in by_size})
    for size in sizes:
        rows = []
        for name, by_size in found.items():
            figures = by_size.get(size, {"failed": "not measured"})
            if "failed" in figures:
                rows.append([name, figures["failed"], *["-"] * 5])
                continue
            took, memory = figures["start_s"], figures["memory_mib"]
            again = number(took["again"]) if "again" in took else "same"
            rows.append([name, number(took["first"]), again, number(memory["rss"]), number(memory["peak"]),
                         number(figures["idle_cpu_percent"]), number(figures["wakeups_per_min"])])
        yield f"{size:,} jobs, none due", "", head, rows


def past(results):
    found = results.get("looking_back", {})
    if "looks" not in found:
        return None
    remark = f"{found['entries']:,} instants of 100 jobs in {found['days']} days, {number(found['mib'])} MiB of history"
    rows = [[what, number(look["s"]), number(look["mib"])] for what, look in found["looks"].items()]
    return "Looking back, and ahead", remark, ["what", "s", "MiB"], rows


def plugins(results):
    found = results.get("plugins", {})
    if "failed" in found:
        return None
    kinds = {
        "looked at, before it is started: ms": lambda it: it["preflight_ms"],
        "from its start until it is ready: ms, p50": lambda it: it["ready_ms"]["p50"],
        "ready, p95": lambda it: it["ready_ms"]["p95"],
        "a fire of what isn't due, there and back: µs, p50": lambda it: it["due_us"]["p50"],
        "not due, p95": lambda it: it["due_us"]["p95"],
        "a fire of an event, claimed on the disk: µs, p50": lambda it: it["event_us"]["p50"],
        "event, p95": lambda it: it["event_us"]["p95"],
        "memory of its process, MiB": lambda it: it["memory_mib"]["rss"],
        "of that its own, and shared with nobody": lambda it: it["memory_mib"]["own"],
    }
    rows = [[what, *(number(of(it)) for it in found.values())] for what, of in kinds.items()]
    return "Plugins", "", ["what", *found], rows if found else []


def claims(results):
    found = results.get("minutes_claims_syncs", {}).get("claims", {})
    sizes = sorted({size for by_size in found.values() for size in by_size})
    kinds = {
        "single_per_s": "{}: one after the other",
        "batch_claimed_per_s": "{}: up to 1,000 due at once, claimed",
        "batch_finished_per_s": "{}: the same, through start and end",
    }
    rows = []
    for name, by_size in found.items():
        for key, words in kinds.items():
            cells = [by_size[size] for size in sizes]
            if any(key in cell for cell in cells):
                rows.append([words.format(name), *(number(cell[key]) if key in cell else "-" for cell in cells)])
        rows += [[f"{name} at {size:,}: {cell['failed']}", *["-"] * len(sizes)]
                 for size, cell in by_size.items() if "failed" in cell]
    return "Claims a second, all durable", "", ["store", *(f"{size:,} jobs" for size in sizes)], rows


def syncs(results):
    found = results.get("minutes_claims_syncs", {}).get("syncs", {})

    def cell(figures):
        return number(figures["per_fire"]) if "per_fire" in figures else figures["failed"]
    rows = [[name, *(cell(by_jobs[jobs]) for jobs in (1, 100))] for name, by_jobs in found.items()]
    return "Syncs for each fire", "counted at the system calls", ["contender", "1 at once", "100 at once"], rows


def contenders(results):
    rows = [[name, told.get("version", "left out"), told.get("missing", told["note"])]
            for name, told in results["contenders"].items()]
    return WHO, "", ["contender", "version", "remark"], rows


def number(value):
    """As many digits as mean something."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"
