//! `sched plugin check`: a plugin goes through the gates, and a table says which let it pass. At the last one it is put to work,
//! for jobs that run nothing, in a home that is thrown away.

use sched_plugin_host::{Cleared, Mark, Plugins, Report, Row, protocol::Ready};
use scheduler_core::{Error, ErrorKind, Home, Result};
use serde_json::{Value, json};

use super::folder_of;
use crate::{
    args::PluginCheckArgs,
    commands::Done,
    context::Context,
    daemon::plugins,
    env, exit,
    output::Output,
    runtime::runtime,
    table::{Cell, Tone},
};

/// What a gate said.
struct Gate {
    name: &'static str,
    said: Result<String>,
}

/// How far a plugin came.
struct Checked {
    gates: Vec<Gate>,
    /// What it did at the last one, if it came so far.
    report: Option<Report>,
}

pub(super) fn run(args: &PluginCheckArgs, context: &Context, out: &mut Output) -> Done {
    let folder = folder_of(&context.home()?, &args.folder);
    let home = tempfile::Builder::new().prefix("sched-plugin-check-").tempdir_in(env::temporary());
    let home = home.map_err(|error| {
        let error = Error::io(format!("cannot make a folder in {}", env::temporary().display()), error);
        error.hint("TMPDIR names another place")
    })?;
    let plugins = plugins::of(&Home::new(home.path()), &context.config().config);
    let checked = match plugins.check(&folder) {
        Err(error) => Checked { gates: vec![Gate { name: "files", said: Err(error) }], report: None },
        Ok((cleared, ready)) => {
            let at_work = ready.is_ok().then(|| at_work(&plugins, &cleared)).transpose()?;
            Checked::of(&cleared, ready, at_work)
        }
    };
    checked.tell(out)?;
    Ok(if checked.passed() { exit::OK } else { exit::ATTENTION })
}

/// On several threads, as a daemon's: a plugin that holds one up must not hold up those who watch it.
fn at_work(plugins: &Plugins, cleared: &Cleared) -> std::result::Result<Report, crate::failure::Failure> {
    Ok(runtime(true)?.block_on(plugins.conformance(cleared)))
}

impl Checked {
    fn of(cleared: &Cleared, ready: Result<Ready>, report: Option<Report>) -> Self {
        let (manifest, sum) = (&cleared.manifest, &cleared.sha256);
        let files = format!("{} {} ({}), sha256 {sum}", manifest.name, manifest.version, manifest.code.kind());
        let ready = ready.map(|ready| {
            let hooks =
                if ready.hooks.is_empty() { "no hooks".into() } else { format!("hooks {}", ready.hooks.join(", ")) };
            format!("it answers as {} {}, with {hooks}", ready.name, ready.version)
        });
        let mut gates = vec![Gate { name: "files", said: Ok(files) }, Gate { name: "ready", said: ready }];
        gates.extend(report.as_ref().map(|report| Gate { name: "run", said: summary(report) }));
        Self { gates, report }
    }

    fn passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.said.is_ok())
    }

    fn rows(&self) -> &[Row] {
        self.report.as_ref().map_or(&[], |report| &report.rows)
    }

    fn tell(&self, out: &mut Output) -> std::result::Result<(), crate::failure::Failure> {
        if out.wants_json() {
            let gates: Vec<Value> = self.gates.iter().map(Gate::to_json).collect();
            let checks: Vec<Value> = self.rows().iter().map(row_to_json).collect();
            return out.json(json!({ "passed": self.passed(), "gates": gates, "checks": checks }));
        }
        let cells = self.gates.iter().filter(|gate| gate.name != "run").map(Gate::cells);
        let cells = cells.chain(self.rows().iter().map(row_cells)).collect();
        out.table(&["GATE", "", "WHAT"], cells)?;
        if let Some(Gate { said: Ok(what), .. }) = self.gates.iter().find(|gate| gate.name == "run") {
            out.line(what)?;
        }
        for error in self.gates.iter().filter_map(|gate| gate.said.as_ref().err()) {
            if self.report.is_some() {
                out.line(error)?;
            }
            if let Some(hint) = error.hint_text() {
                out.line(format_args!("hint: {hint}"))?;
            }
        }
        Ok(())
    }
}

impl Gate {
    fn to_json(&self) -> Value {
        let hint = self.said.as_ref().err().and_then(Error::hint_text);
        let what = self.said.as_ref().map_or_else(ToString::to_string, Clone::clone);
        json!({ "gate": self.name, "passed": self.said.is_ok(), "what": what, "hint": hint })
    }

    fn cells(&self) -> Vec<Cell> {
        let (state, what) = match &self.said {
            Ok(what) => (Cell::new("ok", Tone::Good), what.clone()),
            Err(error) => (Cell::new("bad", Tone::Bad), error.to_string()),
        };
        vec![self.name.into(), state, what.into()]
    }
}

fn summary(report: &Report) -> Result<String> {
    let [passed, failed, unseen] = [Mark::Passed, Mark::Failed, Mark::NotApplicable].map(|mark| report.count(mark));
    if report.passed() {
        return Ok(format!("{passed} checks passed, {unseen} not applicable"));
    }
    let what = format!("{failed} of {} checks failed", report.rows.len());
    Err(Error::new(ErrorKind::Foreign, what).hint("docs/plugins.md says what each check wants"))
}

/// Whether it passed is `null` where there was nothing to look at.
fn row_to_json(row: &Row) -> Value {
    let passed = match row.mark {
        Mark::Passed => Some(true),
        Mark::Failed => Some(false),
        Mark::NotApplicable => None,
    };
    let took = u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX);
    json!({ "check": row.check, "passed": passed, "took_ms": took, "why": row.why })
}

fn row_cells(row: &Row) -> Vec<Cell> {
    let (state, tone) = match row.mark {
        Mark::Passed => (Cell::new("ok", Tone::Good), Tone::Plain),
        Mark::Failed => (Cell::new("bad", Tone::Bad), Tone::Plain),
        Mark::NotApplicable => (Cell::new(Mark::NotApplicable.word(), Tone::Faint), Tone::Faint),
    };
    let what = row.why.as_ref().map_or_else(|| row.check.to_owned(), |why| format!("{}: {why}", row.check));
    vec!["run".into(), state, Cell::new(what, tone)]
}
