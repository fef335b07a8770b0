# an hour back: the hour comes again, every second of it, and nothing fires twice
begin
wait_for "ten past" prints ':1.Z' wall
set_clock -3600
wait_for "status says so" is DEGRADED
check "and until when" prints 'the clock was set back: job `second` fires nothing until 2026-03-02T10:30:1' sched status
before=$(wc -l <$effects)
echo 30 >/tmp/pace
live_through 3570
echo 1 >/tmp/pace
check "nothing fired until then" [ "$(wc -l <$effects)" -le $((before + 1)) ]
wait_for "the job of every second goes on" ran second 2026-03-02T10:30:25Z
check "why the hourly job did not run again: it has run" prints '^ran  job `hourly`' sched why hourly@2026-03-02T10:30:00Z
wait_for "the job of every minute goes on" ran minute 2026-03-02T10:31:00Z
conclude DEGRADED
