# an hour back while a run is open, which has 70 s to end in and doesn't: it is stopped in time
touch /evidence/hold
begin
wait_for "ten past" prints ':1.Z' wall
set_clock -3600
began=$up
wait_for "it is stopped" prints ' long +timed out +2026-03-02T10:30:00' sched history long
look_up
check "after 70 s of its own" [ $((up - began)) -gt 5000 -a $((up - began)) -lt 7500 ]
rm /evidence/hold
set_clock 3600
wait_for "the next one runs" ran long 2026-03-02T10:32:00Z
conclude DEGRADED
