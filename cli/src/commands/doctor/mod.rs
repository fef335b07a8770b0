//! `sched doctor`: is the machine right? What `validate` and `status` say, and what jobs rest on beside them.
//!
//! | file | rows about |
//! |---|---|
//! | `row` | what a check answers |
//! | `facts` | what the rows rest on, gathered; the one part that looks at the machine |
//! | `files` | config.yaml and jobs.json, and the programs of the jobs |
//! | `home` | who may do what in the home, and what lies about there |
//! | `disk` | file system, room, syncs |
//! | `time` | clocks and time zones |
//! | `limits` | open files and processes |
//! | `services` | what starts the daemon, what else fires jobs, which machine this is, the verdict |
//!
//! **Invariant:** a check is a plain function from facts to a row. Nothing is changed but a file in `state/` that is
//! made to see whether the disk takes it, and removed; what can't be known is said to be so.

mod disk;
mod facts;
mod files;
mod home;
mod limits;
mod row;
mod services;
mod time;

pub(super) use facts::runner;
use serde_json::{Value, json};

use self::{
    facts::Machine,
    row::{Row, State},
};
use super::Done;
use crate::{args::DoctorArgs, context::Context, exit, failure::Failure, output::Output, table::Cell};

pub(crate) async fn run(_: &DoctorArgs, context: &Context, out: &mut Output) -> Done {
    let machine = facts::gather(context).await?;
    let rows = rows(&machine);
    if out.wants_json() {
        out.json(as_json(&machine, &rows))?;
    } else {
        print(&machine, &rows, out)?;
    }
    Ok(exit_code(&rows))
}

/// Every check, the nearest to the jobs first.
fn rows(machine: &Machine) -> Vec<Row> {
    let mut rows = files::rows(&machine.files);
    rows.extend(files::programs(machine.programs.as_ref()));
    rows.extend(home::rows(&machine.home));
    rows.extend(disk::rows(&machine.disk));
    rows.extend(time::rows(&machine.time));
    rows.extend(limits::rows(&machine.limits));
    rows.extend(services::rows(&machine.services));
    rows
}

/// Warnings may be meant so; what is bad may not.
fn exit_code(rows: &[Row]) -> u8 {
    if count(rows, State::Bad) == 0 { exit::OK } else { exit::ATTENTION }
}

fn count(rows: &[Row], state: State) -> usize {
    rows.iter().filter(|row| row.state == state).count()
}

fn print(machine: &Machine, rows: &[Row], out: &mut Output) -> Result<(), Failure> {
    out.line(format_args!("home: {}", machine.path.display()))?;
    let width = rows.iter().map(|row| row.check.len()).max().unwrap_or_default();
    let margin = State::WIDTH + width + 4;
    for row in rows {
        let state = Cell::new(format!("{:<1$}", row.state.word(), State::WIDTH), row.state.tone());
        out.toned(&state, format_args!("{:<width$}  {}", row.check, flat(&row.detail)))?;
        if let Some(fix) = &row.fix {
            out.line(format_args!("{:margin$}hint: {}", "", flat(fix)))?;
        }
    }
    let warnings = count(rows, State::Warn);
    let plural = if warnings == 1 { "" } else { "s" };
    out.line(format_args!("{} bad, {warnings} warning{plural}, {} checks", count(rows, State::Bad), rows.len()))
}

/// What people and systems wrote, on one line: it must not move the cursor.
fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn as_json(machine: &Machine, rows: &[Row]) -> Value {
    let checks: Vec<Value> = rows
        .iter()
        .map(|row| json!({"check": row.check, "state": row.state.word(), "detail": row.detail, "fix": row.fix}))
        .collect();
    json!({
        "home": machine.path.display().to_string(),
        "exit_code": exit_code(rows),
        "bad": count(rows, State::Bad),
        "warnings": count(rows, State::Warn),
        "checks": checks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_bad_alarms() {
        let check = |rows: &[Row], expected: u8| assert_eq!(exit_code(rows), expected, "{rows:?}");
        check(&[], 0);
        check(&[Row::ok("a", ""), Row::info("b", ""), Row::warn("c", "", "do"), Row::unknown("d", "")], 0);
        check(&[Row::ok("a", ""), Row::bad("b", "", "do")], 3);
    }
}
