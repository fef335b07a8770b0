"""Percentiles, computed here and nowhere else."""

import math


def percentile(values, percent):
    """The nearest rank: a value that was measured, never one in between."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def summary(values):
    """What a table shows of many figures; nothing if there are none."""
    values = list(values)
    if not values:
        return {"n": 0}
    return {"n": len(values), "p50": percentile(values, 50), "p90": percentile(values, 90),
            "p99": percentile(values, 99), "max": max(values)}


def median(values):
    return percentile(values, 50)
