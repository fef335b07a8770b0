# an hour forwards while a run is open, which has 70 s to end in
touch /evidence/hold
begin
wait_for "ten past" prints ':1.Z' wall
set_clock 3600
live_through 20
check "it is not stopped" no prints ' long +timed out ' sched history long
rm /evidence/hold
wait_for "it ends well" prints ' long +succeeded +2026-03-02T10:30:00' sched history long
wait_for "the next one runs" ran long 2026-03-02T11:31:00Z
check "how long it took is not what the clock says" prints ' long +succeeded +2026-03-02T10:30:00[^ ]* +[34][0-9]' sched history long
conclude LIVE
