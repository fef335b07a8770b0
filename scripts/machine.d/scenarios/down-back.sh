# the daemon is killed, the clock set an hour back, the daemon started; an hour later all is as before
begin
wait_for "ten past" prints ':1.Z' wall
kill_it
set_clock -3600
wait_for "status says so" is CRASHED
start
wait_for "it says that it is silent" is DEGRADED
before=$(wc -l <$effects)
echo 30 >/tmp/pace
live_through 3560
echo 1 >/tmp/pace
check "nothing fired until then" [ "$(wc -l <$effects)" -le $((before + 1)) ]
wait_for "the job of every minute goes on" ran minute 2026-03-02T10:31:00Z
check "@reboot did not fire again" [ "$(runs_of boot)" = 1 ]
conclude 'CRASHED, (STARTING, )?DEGRADED'
