# the daemon is killed, the clock set an hour forwards, the daemon started
begin
wait_for "ten past" prints ':1.Z' wall
kill_it
set_clock 3600
wait_for "status says so" is CRASHED
start
wait_for "the job of every minute goes on" ran minute 2026-03-02T11:31:00Z
check "the newest minute that was skipped ran, late" ran minute 2026-03-02T11:30:00Z
check "those before it did not" no ran minute 2026-03-02T11:29:00Z
check "@reboot did not fire again" [ "$(runs_of boot)" = 1 ]
check "why: coalesced" prints '^coalesced  job `minute`' sched why minute@2026-03-02T11:00:00Z
check "because of the clock" prints 'cause .*the clock was set forwards by' sched why minute@2026-03-02T11:00:00Z
check "the audit tells the crash from the clock" prints ' [0-9.]+ m?s +crashed ' sched audit
conclude 'CRASHED(, STARTING)?'
