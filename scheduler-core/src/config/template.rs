//! The `config.yaml` that `sched init` writes.

/// Every key this build carries out, commented out, with its default. Taking one `#` off every line leaves a file that
/// says what an empty one says; a test holds that.
///
/// ```
/// use scheduler_core::config::TEMPLATE;
/// assert!(TEMPLATE.contains("#timezone: system"));
/// ```
pub const TEMPLATE: &str = r#"## config.yaml: what sched does here. Every key is optional; the values below are the defaults.
## To change one, take the `#` off its line, and off the line of its section where it is indented.
## Check the file with `sched validate`.

## What decides when jobs fire: empty for the built-in ticker, `none` for standby.
#provider: ""

## The name in heartbeats and reports; null is the name of the machine.
#agent: null

## The zone of schedules that name none: an IANA name such as Europe/Berlin, or system.
#timezone: system

## The built-in ticker.
#ticker:
##  The longest it sleeps, and how often its heart beats; between 1s and 1h.
#  interval: 60s

## The most runs open at once, over all jobs.
#max_parallel: 256

## How long a stop waits for open runs before it ends them; 0 doesn't wait.
#drain_timeout: 60s

## What happens to instants that were missed while nothing could fire.
#misfire:
##  How late a run may be and still count as itself; auto is half the period, between 120s and 2h.
#  grace: auto
##  Beyond that: latest (one catch-up run), all (at most max) or skip.
#  policy: latest
##  The most runs that `all` catches up on.
#  max: 10

## How much of the past is kept.
#history:
##  Output files for each job.
#  logs_per_job: 20
##  All output files together.
#  logs_max_bytes: 1GiB
##  The most output kept of one run; of more, the middle is left out.
#  output_limit: 1MiB

## What holds for jobs that don't say otherwise.
#defaults:
##  How long a run may take; 0 is for ever.
#  timeout: 0
##  What happens when a job is due while a run of it is open: forbid or allow.
#  overlap: forbid
##  Whether runs get the daemon's environment.
#  inherit_env: true
##  Variables added to the environment of every run.
#  env: {}
##  What runs a command that is one line of text.
#  shell: /bin/sh
"#;
