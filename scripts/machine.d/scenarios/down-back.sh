# the daemon is killed, the clock set an hour back, the daemon started; then the clock is set right
begin
wait_for "ten past" prints ':1.Z' wall
kill_it
set_clock -3600
wait_for "status says so" is CRASHED
start
wait_for "it says that it is silent" is DEGRADED
before=$(wc -l <$effects)
live_through 60
check "nothing fired in that time" [ "$(wc -l <$effects)" = "$before" ]
set_clock 3600
wait_for "the job of every minute goes on" ran minute 2026-03-02T10:32:00Z
check "@reboot did not fire again" [ "$(runs_of boot)" = 1 ]
check "the crash is on record, with its two seconds" prints "had ended without stopping from 2026-03-02T09:30:.* to 2026-03-02T09:30:" cat /evidence/daemon.log
check "and both steps of the clock" [ "$(sched audit | grep -c ' clock set ')" = 2 ]
conclude 'CRASHED, (STARTING, )?DEGRADED'
