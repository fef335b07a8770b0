"""sched beside other schedulers: what `scripts/bench` measures, and how.

stats       percentiles, computed here and nowhere else
machine     what it was measured on
place       folders, programs and packages, all below one throwaway folder
processes   starting, watching and ending them
stamps      what the job of the benchmarks left behind
contenders/ a file each: how it is had, started and told to be ready
lateness, standing, claims, syncs, plugins   the measurements
report      tables from the figures
"""
