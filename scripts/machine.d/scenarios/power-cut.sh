# the power is cut twice, each time with a run open and another one claimed
case $boot in
1)
    touch /evidence/hold
    begin
    wait_for "ten past" prints ':1.Z' wall
    cut_power
    ;;
2)
    power_is_back
    wait_for "status says so" is CRASHED
    check "and why" prints 'no daemon has run since the machine was restarted' sched status
    start
    wait_for "@reboot fires" more_than boot 1
    wait_for "the run that was open is unknown" prints ' long +unknown +2026-03-02T10:30:00' sched history long
    wait_for "another one is open" ran long 2026-03-02T10:31:00Z
    cut_power
    ;;
3)
    rm /evidence/hold
    power_is_back
    wait_for "status says so" is CRASHED
    start
    wait_for "@reboot fires" more_than boot 2
    wait_for "the run that was open is unknown" prints ' long +unknown +2026-03-02T10:31:00' sched history long
    wait_for "what was unknown has run well" ran long 2026-03-02T10:32:00Z
    check "@reboot fired once for each boot" [ "$(runs_of boot)" = 3 ]
    check "the audit knows of both" [ "$(sched audit | grep -c ' rebooted ')" = 2 ]
    conclude 'CRASHED, (STARTING, )?DEGRADED'
    ;;
esac
