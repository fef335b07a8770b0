# The words that scenarios are written in. Times are hundredths of a second since this boot: no clock that is set changes them.

# Every line: job, its instant, attempt, boot, seconds since that boot, occurrence.
effects=/evidence/effects
# Every line: boot, time, verdict.
samples=/evidence/samples
# The longest that is waited for anything, an hour that is lived through aside.
patience=30000
read -r boot </evidence/boot

# Into $up, since a process for it would cost more than what it measures.
look_up() {
    read -r up _ </proc/uptime
    up=${up%.*}${up#*.}
}
wall() { date -u +%FT%TZ; }
say() { echo "| $*"; }

# Goes on when the command is true; what never comes true ends the scenario.
wait_for() {
    what=$1
    shift
    look_up
    until=$((up + patience))
    until "$@"; do
        look_up
        if [ $up -gt $until ]; then
            refute "$what: not within $((patience / 100)) s"
            give_up
        fi
        sleep 1
    done
}

# Something that must be true now.
check() {
    what=$1
    shift
    if "$@"; then say "ok   $what"; else refute "$what"; fi
}

refute() {
    say "NOT  $*"
    echo "$*" >>/evidence/failures
}

# The same, negated, for `check` and `wait_for`.
no() { ! "$@"; }

# Makes a home with the jobs of jobs.json, fires them, and waits until the hourly one has run: it is 10:30 and a bit.
begin() {
    sched init >/dev/null
    cp /jobs.json "$SCHED_HOME/jobs.json"
    echo 'timezone: UTC' >"$SCHED_HOME/config.yaml"
    : >$effects
    : >$samples
    start
    watch
    wait_for "the hourly job runs" ran hourly 2026-03-02T10:30:00Z
    wait_for "it is LIVE" seen LIVE
}

# The daemon.
start() {
    sched run >>/evidence/daemon.log 2>&1 &
    daemon=$!
}

kill_it() {
    now_comes "the daemon is killed"
    kill -9 "$daemon"
    wait "$daemon" 2>/dev/null
}

# Asks for the verdict over and over: closely in the first seconds after a fault, then each second, or as `pace` says.
watch() {
    now_is_fault
    (
        while :; do
            answer=$(sched status 2>&1 | sed -n '1s/^\([A-Z]*\) .*/\1/p')
            # Of the answer, and not of the question: what came in between has been seen.
            look_up
            echo "$boot $up $answer" >>$samples
            read -r fault </tmp/fault
            if [ $((up - fault)) -lt 400 ]; then usleep 200000; else sleep "$(cat /tmp/pace)"; fi
        done
    ) &
    watcher=$!
}

now_is_fault() {
    look_up
    fault=$up
    echo $fault >/tmp/fault
    echo 1 >/tmp/pace
}

# What is done to the machine. The first such thing is the fault.
now_comes() {
    say "$(wall)  $*"
    [ -n "$came" ] || now_is_fault
    came=yes
    echo $up >/tmp/fault
}

# So many seconds by no clock that is set.
live_through() {
    look_up
    until=$((up + $1 * 100))
    while [ $up -lt $until ]; do
        sleep $(((until - up) / 100 + 1))
        look_up
    done
}

# Sets the clock by so many seconds.
set_clock() {
    now_comes "the clock is set by $1 s"
    date -u -s "@$(($(date +%s) + $1))" >/dev/null
}

# Cuts the power between the claim of a run of `second` and its start. The next boot is another number in `boot`.
cut_power() {
    until tail -n 1 "$SCHED_HOME"/state/journal.* | grep -q '^{"admitted":{"job":"second".*"claim":'; do :; done
    say "$(wall)  the power is cut"
    echo b >/proc/sysrq-trigger
    sleep 60
}

# The machine is on again: this was the fault.
power_is_back() {
    watch
    fault=0 came=yes
    say "$(wall)  the power is back"
}

# Whether this verdict has been seen since the fault.
seen() { awk -v b="$boot" -v f="$fault" -v v="$1" '$1 == b && $2 >= f && $3 == v { found = 1 } END { exit !found }' $samples; }

# The verdict that was seen last.
is() { [ "$(tail -n 1 $samples | cut -d' ' -f3)" = "$1" ]; }

# Whether a job ran for an instant, how many of its runs there are, and whether there are more than that.
ran() { grep -q "^$1 $2 " $effects; }
runs_of() { grep -c "^$1 " $effects; }
more_than() { [ "$(runs_of "$1")" -gt "$2" ]; }

# Whether what a command prints has a line like this.
prints() {
    pattern=$1
    shift
    "$@" 2>&1 | grep -qE "$pattern"
}

# What was seen since the fault: the verdicts that aren't LIVE, when the first came, and when LIVE came for good.
since_fault() {
    awk -v b="$boot" -v f="$fault" '
        $1 != b || $2 < f { next }
        $3 != "LIVE" { if (!first) first = $2; if (!($3 in told)) { told[$3]; words = words (words ? ", " : "") $3 }; live = 0; next }
        !live { live = $2 }
        END {
            if (!words) print "LIVE|never|always"
            else printf "%s|%.1f s|%s\n", words, (first - f) / 100, live ? sprintf("%.1f s", (live - f) / 100) : "never"
        }' $samples
}

# Every sample that says LIVE has a run of the job of every second within the 5 s before it, or comes within 5 s of the boot.
unbacked() {
    awk 'NR == FNR { if ($1 == "second") ran[$4 " " $5]; next }
        $3 == "LIVE" { at = int($2 / 100); found = at < 5; for (s = at - 5; s <= at + 1; s++) if (($1 " " s) in ran) found = 1
            if (!found) print }' $effects $samples
}

# The end of a scenario: the verdicts since the fault were these (a pattern), LIVE at the end; every occurrence is accounted for
# and none ran twice.
conclude() {
    wait_for "it is LIVE again" is LIVE
    kill "$watcher"
    wait "$watcher" 2>/dev/null
    row=$(since_fault)
    twice=$(cut -d' ' -f1-3 $effects | sort | uniq -d | wc -l)
    check "verdicts: ${row%%|*}" prints "^($1)$" echo "${row%%|*}"
    check "whenever it was LIVE, jobs fired" [ -z "$(unbacked)" ]
    check "no instant ran twice, of $(wc -l <$effects) runs" [ "$twice" = 0 ]
    check "no occurrence was started twice" [ -z "$(awk '{ print $6, $3 }' $effects | sort | uniq -d)" ]
    kill "$daemon"
    wait "$daemon"
    check "the daemon stops as it should" [ $? = 0 ]
    sched audit >/evidence/audit 2>&1
    check "the audit is complete" [ $? = 0 ]
    sed 's/^/|        /' /evidence/audit
    echo "+ $scenario|$row|$twice"
    verdict
}

give_up() {
    echo "+ $scenario|it never came to its end|||"
    verdict
}

# Whether the scenario held; if it didn't, everything that there is to see.
verdict() {
    if [ ! -e /evidence/failures ]; then
        echo "= held"
    else
        echo "= not so"
        for file in /evidence/*; do
            [ -f "$file" ] && echo "--- $file" && cat "$file"
        done
        sched status
        sched history --last 60
    fi
    sync
    poweroff -f
}
