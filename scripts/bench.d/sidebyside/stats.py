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
    ranks = {f"p{percent}": percentile(values, percent) for percent in (50, 90, 95, 99)}
    return {"n": len(values), **ranks, "max": max(values)}


def median(values):
    return percentile(values, 50)
