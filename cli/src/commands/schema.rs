//! `sched schema jobs|config`: the JSON Schema of a file, for editors.

use scheduler_core::{config, job};
use serde_json::json;

use super::Done;
use crate::{
    args::{SchemaArgs, SchemaOf},
    exit,
    output::Output,
};

pub(crate) fn run(args: &SchemaArgs, out: &mut Output) -> Done {
    let (file, schema) = match args.file {
        SchemaOf::Jobs => ("jobs.json", job::schema()),
        SchemaOf::Config => ("config.yaml", config::schema()),
    };
    if out.wants_json() {
        out.json(json!({ "file": file, "json_schema": schema }))?;
    } else {
        out.line(format_args!("{schema:#}"))?;
    }
    Ok(exit::OK)
}
