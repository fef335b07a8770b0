//! The `config.yaml` that `init` writes.

/// Every key with its default, commented out.
pub(crate) const TEMPLATE: &str = "\
# What this scheduler does; every key is optional and shown with its default.
# The jobs are in jobs.json, beside this file. Check both with: sched validate

#agent: \"\"                     # its name in reports; empty = the host's
#timezone: system              # an IANA name such as Europe/Berlin, for jobs that name none
#ticker:
#  interval: 60s               # the longest it sleeps; it wakes for what is due
#  abort_after: 5m             # exits with 70 if it hasn't turned for so long; 0 = never
#max_parallel: 256             # runs open at once
#drain_timeout: 60s            # how long it waits for open runs when it is told to stop
#misfire:
#  grace: auto                 # how late an instant may run as itself; auto = half the period, 120s to 2h
#  policy: latest              # what was missed beyond that: latest | all | skip
#history:
#  keep_days: 30
#  max_bytes: 256MiB
#  logs_per_job: 20
#  logs_max_bytes: 1GiB
#  output_limit: 1MiB          # kept of one run
#defaults:                     # for jobs that don't say otherwise
#  timeout: 0                  # 0 = for ever
#  overlap: forbid             # forbid | allow
#  inherit_env: true           # jobs get the daemon's environment
#  env: {}
#  shell: /bin/sh
";
