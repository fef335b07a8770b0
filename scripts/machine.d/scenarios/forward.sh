# an hour forwards: what was skipped is caught up on as each job wants it
begin
wait_for "ten past" prints ':1.Z' wall
set_clock 3600
wait_for "the job of every second goes on" ran second 2026-03-02T11:30:25Z
wait_for "the job of every minute goes on" ran minute 2026-03-02T11:31:00Z
check "the newest minute that was skipped ran, late" ran minute 2026-03-02T11:30:00Z
check "those before it did not" no ran minute 2026-03-02T11:29:00Z
check "of \`all\` the newest three ran" ran all 2026-03-02T11:28:00Z
check "and no fourth" no ran all 2026-03-02T11:27:00Z
check "of \`skip\` none that was missed" no ran skip 2026-03-02T11:30:00Z
check "and the next one did" ran skip 2026-03-02T11:31:00Z
check "the hourly job ran for 11:30, ten seconds late" ran hourly 2026-03-02T11:30:00Z
check "why: coalesced" prints '^coalesced  job `minute`' sched why minute@2026-03-02T11:00:00Z
check "and the cause is the clock" prints 'cause .*the clock was set forwards by' sched why minute@2026-03-02T11:00:00Z
check "the audit knows of the clock" prints ' clock set ' sched audit
conclude LIVE
