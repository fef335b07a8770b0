//! `sched edit --editor`: a job's entry as text in the user's editor. Whatever goes wrong afterwards, the text is kept.

use std::{
    io,
    path::PathBuf,
    process::{self, Command},
};

use scheduler_core::{
    Error, ErrorKind, JobId,
    schedule::zone,
    store::{JsonStore, json::examine_entry},
    vfs::{Open, RealFs, Vfs as _},
};
use serde_json::Value;

use super::{Done, edit};
use crate::{context::Context, difference, env, exit, failure::Failure, output::Output, programs, settings};

pub(super) async fn run(
    store: &JsonStore,
    (id, before): (&JobId, &Value),
    context: &Context,
    out: &mut Output,
) -> Done {
    let editor = editor()?;
    let draft = Draft::new(id, before)?;
    let after = loop {
        draft.open_with(&editor)?;
        let failure = match judged(&draft.text()?, before, context, out) {
            Ok(after) => break after,
            Err(failure) if !out.can_ask() => return Err(draft.kept(failure)),
            Err(failure) => failure,
        };
        out.fail(&failure);
        match out.ask("edit it again (e), or discard what you wrote (d)? ")? {
            Some('e') => {}
            Some('d') => {
                draft.remove();
                out.line("nothing changed")?;
                return Ok(exit::ERROR);
            }
            _ => return Err(draft.kept(Failure::new(ErrorKind::Invalid, "nothing changed"))),
        }
    };
    let view = edit::save(store, id, before, &after).await.map_err(|failure| draft.kept(failure))?;
    draft.remove();
    edit::tell(view.as_ref(), id, &difference::between(before, &after), context, out)
}

/// The entry that `text` is, or what is wrong with it and where.
fn judged(text: &[u8], before: &Value, context: &Context, out: &mut Output) -> Result<Value, Failure> {
    let (text, unstorable) = with_storable_schedule(text, before, context);
    let examined = examine_entry("the entry", &text, &context.job_defaults());
    if let Some(problem) = examined.problems.iter().find(|problem| !problem.remark) {
        return Err(Failure::new(ErrorKind::Invalid, &problem.what).hint(&problem.hint));
    }
    let Some(entry) = examined.jobs.first() else {
        return Err(Failure::new(ErrorKind::Invalid, "the entry is no job").hint("write one object: {\"id\": ...}"));
    };
    if let Some(failure) = unstorable {
        let message = format!("the entry: {}: {}", entry.place_of("schedule"), failure.message);
        return Err(Failure { message, ..failure });
    }
    for remark in &examined.problems {
        out.warn(&remark.what, Some(&remark.hint));
    }
    Ok(entry.definition().clone())
}

/// `text` with a new one-shot (`in 30m`) turned into its instant, or why a new schedule can't be stored.
fn with_storable_schedule(text: &[u8], before: &Value, context: &Context) -> (Vec<u8>, Option<Failure>) {
    let unchanged = || (text.to_owned(), None);
    let Ok(entry) = serde_json::from_slice::<Value>(text) else { return unchanged() };
    let said = |field: &str| entry.get(field).and_then(Value::as_str);
    let Some(schedule) = said("schedule").filter(|new| before.get("schedule").and_then(Value::as_str) != Some(*new))
    else {
        return unchanged();
    };
    let defaults = context.job_defaults();
    let Ok(zone) = zone::parse(said("timezone").unwrap_or(&defaults.zone)) else { return unchanged() };
    match settings::storable_schedule(schedule, &zone, context.now()) {
        Ok(stored) if stored != schedule => {
            // In its place, so that the places of everything else stay what they are.
            let text = String::from_utf8_lossy(text);
            let text = text.replacen(&Value::from(schedule).to_string(), &Value::from(stored).to_string(), 1);
            (text.into_bytes(), None)
        }
        Ok(_) => unchanged(),
        Err(failure) => (text.to_owned(), Some(failure)),
    }
}

/// The command line of the editor.
fn editor() -> Result<String, Failure> {
    match env::editor() {
        Some(editor) => editor.into_string().map_err(|editor| {
            let what = format!("VISUAL or EDITOR is not UTF-8: {}", editor.display());
            Failure::new(ErrorKind::Invalid, what).hint("set it to a command such as `nano`")
        }),
        None if programs::is_there("vi") => Ok("vi".into()),
        None => Err(Failure::new(
            ErrorKind::NotFound,
            "there is no editor: VISUAL and EDITOR are not set, and there is no `vi`",
        )
        .hint("set EDITOR to yours, or name what to change: `sched edit JOB --timeout 1h`")),
    }
}

/// The text that is edited, in a file that nobody else may read.
struct Draft {
    path: PathBuf,
    /// What it was at first.
    text: String,
}

impl Draft {
    fn new(id: &JobId, entry: &Value) -> Result<Self, Failure> {
        let text = format!("{entry:#}\n");
        let mut n = 1;
        loop {
            let path = env::temporary().join(format!("sched-edit-{id}-{}-{n}.json", process::id()));
            let written = RealFs.open(&path, Open::CreateNew).and_then(|file| file.write_all_at(text.as_bytes(), 0));
            match written {
                Ok(()) => return Ok(Self { path, text }),
                // Somebody's who had this pid before.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
                Err(cause) => return Err(Error::io(format!("cannot write {}", path.display()), cause).into()),
            }
        }
    }

    /// Lets the user edit it. The editor is a command line, as everywhere: `code --wait`.
    fn open_with(&self, editor: &str) -> Result<(), Failure> {
        let script = format!("{editor} \"$@\"");
        let ran = Command::new("/bin/sh").args(["-c", &script, editor]).arg(&self.path).status();
        let ended = ran.map_err(|cause| Error::io(format!("cannot start the editor `{editor}`"), cause))?;
        if ended.success() {
            return Ok(());
        }
        let failure = match ended.code() {
            Some(126 | 127) => Failure::new(ErrorKind::NotFound, format!("cannot start the editor `{editor}`"))
                .hint("set VISUAL or EDITOR to one that is there"),
            _ => Failure::new(
                ErrorKind::Invalid,
                format!("the editor `{editor}` ended with {ended}; nothing was changed"),
            ),
        };
        Err(self.kept(failure))
    }

    fn text(&self) -> Result<Vec<u8>, Failure> {
        let failed = |cause| Error::io(format!("cannot read {}", self.path.display()), cause);
        Ok(RealFs.read(&self.path).map_err(failed)?)
    }

    /// The same failure, and where the text is now; nothing stays of one that is as it was.
    fn kept(&self, failure: Failure) -> Failure {
        if self.text().is_ok_and(|text| text == self.text.as_bytes()) {
            self.remove();
            return failure;
        }
        failure.hint(format!("what you wrote is kept in {}", self.path.display()))
    }

    fn remove(&self) {
        // It is in a folder for what may go; one that stays harms nobody.
        let _ = RealFs.remove(&self.path);
    }
}
