# an hour forwards, and back again 20 s later: what has been settled is not fired anew
begin
wait_for "ten past" prints ':1.Z' wall
set_clock 3600
live_through 20
set_clock -3600
wait_for "status says so" is DEGRADED
check "and until when" prints 'the clock was set back: job `second` fires nothing until 2026-03-02T11:30:' sched status
echo 30 >/tmp/pace
live_through 3600
echo 1 >/tmp/pace
wait_for "the job of every second goes on" ran second 2026-03-02T11:30:50Z
wait_for "the job of every minute goes on" ran minute 2026-03-02T11:31:00Z
conclude DEGRADED
