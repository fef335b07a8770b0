"""Tables from the figures: as text, as markdown, and as JSON for whoever wants to compute on."""

import json

from . import place, tables

BEGIN = "<!-- Written by `scripts/bench --write-docs`; change the script, not this. -->"
END = "<!-- The end of what the script writes. -->"
DOCS = place.ROOT / "docs" / "performance.md"


def write(results, folder, docs):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "results.txt").write_text(text(results) + "\n")
    (folder / "results.md").write_text(markdown(results) + "\n")
    if docs:
        page = DOCS.read_text()
        before, rest = page.split(BEGIN)
        _, after = rest.split(END)
        DOCS.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n\n{END}{after}")


def text(results):
    parts = []
    for title, remark, head, rows in tables.all_of(results):
        widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
        lines = ["  ".join(cell.ljust(width) if n == 0 or title in tables.WORDS else cell.rjust(width)
                           for n, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in (head, *rows)]
        parts.append("\n".join([title, remark, *lines] if remark else [title, *lines]))
    return "\n\n".join(parts)


def markdown(results):
    parts = []
    for title, remark, head, rows in tables.all_of(results):
        align = ["---"] + ["---" if title in tables.WORDS else "---:"] * (len(head) - 1)
        lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
        lines.insert(1, "|" + "|".join(align) + "|")
        parts.append("\n".join([f"### {title}", "", *([remark, ""] if remark else []), *lines]))
    return "\n\n".join(parts)
