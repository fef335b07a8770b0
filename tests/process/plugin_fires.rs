//! What a plugin asks to fire, it is the store that decides: too early, again, and once more don't make a job run.

use std::fs;

use super::{
    bench::{Place, eventually},
    plugins::{left, with},
};

/// Asks for fires, keeps the answers, and beats; then asks again for the instant that has fired.
const ASKS: &str = r#"
say() { printf '%s\n' "$1"; }
ask() { say "$1"; IFS= read -r answer; say "$answer" >> answers; }
IFS= read -r hello
nonce=${hello#*\"nonce\":\"}; nonce=${nonce%%\"*}
printf '{"id":1,"ok":{"ready":{"name":"bells","version":"1","nonce":"%s","liveness":"ticks"}}}\n' "$nonce"
IFS= read -r start
# In the middle between two instants; what was due before the last of them is out of the way.
while now=$(date +%s); [ $((now % 5)) != 2 ]; do say '{"call":"beat"}'; sleep 0.1; done
ask '{"id":9,"call":"fire","kind":"due","job":"fives"}'
at=$(((now + 3) * 1000))
say $at > at
ask '{"id":1,"call":"fire","kind":"due","job":"yearly"}'
ask '{"id":2,"call":"fire","kind":"event","job":"bell","key":"ring-1"}'
ask '{"id":3,"call":"fire","kind":"event","job":"bell","key":"ring-1"}'
ask '{"id":4,"call":"fire","kind":"at","job":"fives","at":'$at'}'
ask '{"id":5,"call":"fire","kind":"at","job":"fives","at":'$at'}'
while [ ! -e go ]; do say '{"call":"beat"}'; sleep 0.1; done
ask '{"id":6,"call":"fire","kind":"at","job":"fives","at":'$at'}'
ask '{"id":7,"call":"fire","kind":"event","job":"bell","key":"ring-1"}'
ask '{"id":8,"call":"fire","kind":"due","job":"nobody"}'
say done > done
IFS= read -r stop
id=${stop#*\"id\":}; say '{"id":'"${id%%,*}"',"ok":{}}'
"#;

#[test]
fn what_is_not_due_runs_nothing_and_what_is_asked_twice_runs_once() {
    let place: Place = with(ASKS);
    // Whatever nobody fires, the backstop would, in the end.
    place.write("config.yaml", "ticker: {interval: 20s}\nprovider: bells\n");
    place.write_jobs(&[
        place.job("yearly", "0 0 1 1 *", ""),
        place.job("bell", "0 0 1 1 *", ""),
        place.job("fives", "*/5 * * * * *", ""),
    ]);
    let mut daemon = place.daemon();
    let at: i64 = eventually("the plugin asks", || left(&place, "at").parse().map_err(|_| daemon.log()));
    let at = jiff::Timestamp::from_millisecond(at).expect("an instant").to_string();
    eventually("the instant fires", || {
        let effects = place.effects("fives");
        if effects.contains(&at) { Ok(()) } else { Err(format!("{effects:?}, not {at}")) }
    });
    place.until_started("bell", 1);
    fs::write(place.home().join("plugins/bells/go"), "").expect("a file");
    eventually("all is asked", || {
        let answers = left(&place, "answers");
        if left(&place, "done").is_empty() { Err(format!("{answers}\n{}", daemon.log())) } else { Ok(()) }
    });
    daemon.stop();

    let outcome = |answer: &str| {
        let answer: serde_json::Value = serde_json::from_str(answer).expect("JSON");
        let said = if answer["ok"].is_null() { &answer["error"]["code"] } else { &answer["ok"]["outcome"] };
        said.as_str().expect("a word").to_owned()
    };
    let answers: Vec<String> = left(&place, "answers").lines().map(outcome).collect();
    assert_eq!(answers[1..], ["not_due", "started", "lost", "started", "lost", "lost", "lost", "not_found"]);
    assert_eq!(place.effects("yearly"), [] as [&str; 0]);
    assert_eq!(place.effects("bell").len(), 1);
    place.no_instant_twice("fives");
}
