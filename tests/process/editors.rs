//! An editor saves `jobs.json` over and over, in every way that editors have, while commands change it and a daemon fires:
//! nothing that a command did is lost unless the editor saved something else over it, and nothing that is half there counts.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

use serde_json::{Value, json};

use super::bench::Place;

/// A text that the editor saved.
struct Saved {
    ended: Instant,
    text: String,
}

/// So many versions are saved for every addition, so 200 in all: people are not faster.
const AT_A_TIME: usize = 5;

/// Saves versions of `file` whenever `whims` says so: what it reads, with a new remark on the job `mine`.
fn edit_on_and_on(file: &Path, whims: &Receiver<()>) -> Vec<Saved> {
    let mut saved: Vec<Saved> = Vec::new();
    let mut wanted = 0;
    loop {
        if saved.len() >= wanted {
            let Ok(()) = whims.recv() else { return saved };
            wanted += AT_A_TIME;
        }
        // An editor shows what it could read; of a file that is missing for a moment it shows nothing.
        let Ok(Ok(mut document)) = fs::read(file).map(|bytes| serde_json::from_slice::<Value>(&bytes)) else {
            continue;
        };
        let jobs = document["jobs"].as_array_mut().expect("a list");
        let mine = jobs.iter_mut().find(|job| job["id"] == "mine").expect("nobody removes it");
        mine["description"] = json!(format!("version {}", saved.len()));
        let text = format!("{document:#}\n");
        save(file, &text, saved.len());
        saved.push(Saved { ended: Instant::now(), text });
    }
}

/// Saves `text` in one of the ways of editors.
fn save(file: &Path, text: &str, n: usize) {
    let write = |path: &Path| {
        let mut written = fs::File::create(path).expect("a file");
        // Not all at once, as a large file wouldn't be either.
        let (first, rest) = text.as_bytes().split_at(text.len() / 2);
        written
            .write_all(first)
            .and_then(|()| written.write_all(rest))
            .and_then(|()| written.sync_all())
            .expect("written");
    };
    match n % 3 {
        0 => {
            let new = file.with_extension("json.new");
            write(&new);
            fs::rename(&new, file).expect("renamed");
        }
        1 => {
            // A command may rebuild the file before the editor writes its own.
            let _ = fs::rename(file, file.with_extension("json~"));
            write(file);
        }
        _ => write(file),
    }
}

fn names(text: &str, id: &str) -> bool {
    text.contains(&format!("\"id\": \"{id}\""))
}

#[test]
fn beside_an_editor_no_command_loses_its_edit_and_no_job_is_lost_or_doubled() {
    let place = Place::beating();
    let file = place.home().join("jobs.json");
    place.write_jobs(&[place.job("beat", "* * * * * *", ""), place.job("mine", "@yearly", "")]);
    let mut daemon = place.daemon();
    place.until_started("beat", 1);
    let mut added: Vec<(String, Instant)> = Vec::new();
    let mut removed: Vec<(String, Instant, Instant)> = Vec::new();
    let (mut refused, mut edited) = (0, 0);
    let saved = thread::scope(|scope| {
        let (editing, whims) = channel();
        let file = &file;
        let editor = scope.spawn(move || edit_on_and_on(file, &whims));
        for n in 0..40 {
            editing.send(()).expect("it edits");
            let id = format!("added-{n}");
            let began = Instant::now();
            let ran = place.run(&["add", "@yearly", "--name", &id, "--", "true"]);
            match ran.code {
                Some(0) => added.push((id, began)),
                // The file was half there just then; or the editor was faster than the answer: it had saved something else over
                // the addition, or had read it and saved it itself.
                _ => {
                    refused += 1;
                    let answers =
                        ["nothing was changed", &format!("no job `{id}`"), &format!("job `{id}` is there already")];
                    assert!(answers.iter().any(|answer| ran.err.contains(answer)), "{ran:?}");
                }
            }
            if n % 4 == 3 {
                edited += usize::from(place.run(&["edit", "mine", "--timeout", &format!("{n}m")]).code == Some(0));
                let (id, ..) = &added[added.len() / 2];
                let began = Instant::now();
                if place.run(&["remove", id]).code == Some(0) {
                    removed.push((id.clone(), began, Instant::now()));
                }
            }
        }
        drop(editing);
        editor.join().expect("the editor")
    });
    assert!(saved.len() >= 200 && added.len() > 10 && edited > 0, "{} {} {edited}", saved.len(), added.len());
    let last = fs::read_to_string(&file).expect("jobs.json");
    let mut kept = 0;
    for (id, began) in &added {
        // Saved in ignorance of it, and not over before it was there.
        let unknown_to = saved.iter().any(|version| version.ended >= *began && !names(&version.text, id));
        let was_removed = removed.iter().any(|(removed, ..)| removed == id);
        kept += usize::from(names(&last, id));
        assert!(names(&last, id) || unknown_to || was_removed, "the addition of `{id}` is lost:\n{last}");
    }
    for (id, began, ended) in &removed {
        let known_to = saved.iter().any(|version| version.ended >= *began && names(&version.text, id));
        let again = added.iter().any(|(added, began)| added == id && began > ended);
        assert!(!names(&last, id) || known_to || again, "the removal of `{id}` is lost:\n{last}");
    }
    println!(
        "{} versions, {} additions of which {kept} are left, {} removals, {refused} refused",
        saved.len(),
        added.len(),
        removed.len(),
    );

    // What is in force in the end is what stands in the file, and the jobs of every version have never been anything else.
    let in_the_file: Value = serde_json::from_str(&last).expect("whole");
    let total = in_the_file["jobs"].as_array().map(Vec::len);
    place.until_status("what stands in the file", |status| {
        status["jobs"]["total"].as_u64().map(|n| n as usize) == total
    });
    for id in ["beat", "mine"] {
        let shown: Value = serde_json::from_str(&place.ok(&["show", id, "--json"])).expect("JSON");
        assert_eq!(shown["incarnation"], 1, "it was never taken for removed: {shown:#}");
    }
    place.until_started("beat", place.effects("beat").len() + 1);
    daemon.stop();
    place.no_instant_twice("beat");
}
