"""How many fires a second a store can hand out, every one durable: no processes, no waiting, only the store."""

import json


def measure(contender, size, seconds):
    """Figures at `size` jobs, each way measured for about so many seconds."""
    folder = contender.place.fresh(f"claims-{size}-{type(contender).__name__.lower()}")
    return json.loads(contender.claims(folder, size, seconds))
