# an hour back, and forward again 20 s later
begin
wait_for "ten past" prints ':1.Z' wall
set_clock -3600
wait_for "status says so" is DEGRADED
live_through 20
set_clock 3600
wait_for "the job of every second goes on" ran second 2026-03-02T10:30:50Z
wait_for "the job of every minute goes on" ran minute 2026-03-02T10:31:00Z
check "what it missed stands on record" prints '^(coalesced|skipped) ' sched why second@2026-03-02T10:30:20Z
conclude DEGRADED
