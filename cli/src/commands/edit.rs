//! `sched edit`: changes fields of a job's entry, as the command line says; `editor` does the same by hand.

use scheduler_core::{
    ErrorKind, JobId, JobStore as _,
    job::{FIELDS, entry_id, parse_definition},
    nearest,
    schedule::zone,
    store::{Edit, JobView, JsonStore},
};
use serde_json::{Map, Value, json};

use super::{Done, editor};
use crate::{
    args::{EditArgs, Settings},
    context::{self, Context},
    difference::{self, Change},
    entries, exit,
    failure::Failure,
    groups, next_fires,
    output::Output,
    programs, settings, standing,
};

pub(crate) async fn run(args: &EditArgs, context: &Context, out: &mut Output) -> Done {
    // To change it from the first: nobody should write for minutes and then hear that they may not.
    let store = context.change_existing()?;
    let views = context::jobs(&store).await?;
    let entries = entries::current(context, &views)?;
    let (id, before) = entries::one(&entries, &views, &args.job)?;
    if args.editor {
        return editor::run(&store, (id, before), context, out).await;
    }
    let after = changed(args, id, before, context)?;
    let view = save(&store, id, before, &after).await?;
    tell(view.as_ref(), id, &difference::between(before, &after), context, out)
}

/// The entry as `args` want it.
fn changed(args: &EditArgs, id: &JobId, before: &Value, context: &Context) -> Result<Value, Failure> {
    let (now, defaults) = (context.now(), context.job_defaults());
    let mut entry = before.as_object().cloned().unwrap_or_default();
    for field in &args.clear {
        clear(&mut entry, field)?;
    }
    let Settings { name, time_zone, .. } = &args.settings;
    if let Some(name) = name {
        if name.trim().is_empty() {
            return Err(Failure::usage("the name is empty").hint("to take it away: --clear name"));
        }
        entry.insert("name".into(), json!(name));
    }
    let renamed = name.is_some() || args.clear.iter().any(|field| field == "name");
    if renamed && !entry.contains_key("id") {
        // It was made of the name, and must outlive it.
        entry.shift_insert(0, "id".into(), json!(id));
    }
    let zone_name = time_zone.as_deref().or_else(|| entry.get("timezone")?.as_str()).unwrap_or(&defaults.zone);
    let schedule = match &args.schedule {
        Some(text) => Some(settings::storable_schedule(text, &zone::parse(zone_name)?, now)?),
        None => None,
    };
    for (field, value) in settings::members(&args.settings, schedule.as_deref())? {
        match (entry.get_mut(field).and_then(Value::as_object_mut), value) {
            (Some(members), Value::Object(more)) => members.extend(more),
            (_, value) => drop(entry.insert(field.into(), value)),
        }
    }
    if args.enabled {
        entry.insert("enabled".into(), json!(true));
    }
    let entry = Value::Object(entry);
    parse_definition(&entry, &defaults, &defaults.zone, now)
        .map_err(|error| Failure::new(ErrorKind::Invalid, format!("job `{id}` would be invalid: {error}")))?;
    Ok(entry)
}

/// Takes a field, or a member of one (`env.PATH`), away.
fn clear(entry: &mut Map<String, Value>, field: &str) -> Result<(), Failure> {
    if let Some((section, member)) =
        field.split_once('.').filter(|(section, _)| ["env", "misfire", "retries"].contains(section))
    {
        if let Some(members) = entry.get_mut(section).and_then(Value::as_object_mut) {
            members.shift_remove(member);
            if members.is_empty() {
                entry.shift_remove(section);
            }
        }
        return Ok(());
    }
    match field {
        "id" | "schedule" | "command" => {
            return Err(Failure::usage(format!("--clear {field}: a job can't be without it"))
                .hint("say what it is to be instead; see `sched edit --help`"));
        }
        _ if entry.shift_remove(field).is_some() || FIELDS.contains(&field) => {}
        _ => {
            let failure = Failure::usage(format!("--clear {field}: there is no such field"));
            let known = FIELDS.into_iter().chain(entry.keys().map(String::as_str));
            return Err(match nearest(field, known).first() {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint(format!("the fields are {}", FIELDS.join(", "))),
            });
        }
    }
    Ok(())
}

/// Puts `after` in the place of `before`, unless somebody else has changed the job meanwhile. Answers the job as it is
/// then; `None` if there was nothing to change.
pub(super) async fn save(
    store: &JsonStore,
    id: &JobId,
    before: &Value,
    after: &Value,
) -> Result<Option<JobView>, Failure> {
    if let Ok(other) = entry_id(after)
        && other != *id
    {
        return Err(Failure::new(ErrorKind::Invalid, format!("the id of job `{id}` can't be changed (to `{other}`)"))
            .hint(format!("its history goes by its id: `sched add` it as `{other}`, then `sched remove {id}`"))
            .hint(format!("to change only what people call it, keep `\"id\": \"{id}\"` beside the new name")));
    }
    let mut views = Vec::new();
    if before != after {
        let mut put = after.clone();
        // What isn't named stays, so what is to go is named.
        for name in before.as_object().into_iter().flat_map(Map::keys).filter(|name| name.starts_with(['$', '_'])) {
            if let Some(members) = put.as_object_mut().filter(|members| !members.contains_key(name)) {
                members.insert(name.clone(), Value::Null);
            }
        }
        let seen = vec![(id.clone(), Some(before.clone()))];
        views = store.define(Edit::Apply { put: vec![put], remove: Vec::new(), seen }).await?;
    }
    store.close().await?;
    Ok(views.pop())
}

/// How many fires are shown.
const SHOWN: u32 = 3;

/// Says what was changed, and what comes of it.
pub(super) fn tell(
    view: Option<&JobView>,
    id: &JobId,
    changes: &[Change],
    context: &Context,
    out: &mut Output,
) -> Done {
    let now = context.now();
    let home = context.home()?;
    let job = view.and_then(|view| view.job.as_ref().ok());
    let mut warnings: Vec<String> =
        job.map(|job| programs::obstacles(job).into_iter().map(|(_, what)| what).collect()).unwrap_or_default();
    warnings.extend(job.and_then(|job| groups::obstacle(job, &context.config().config.groups)));
    if out.wants_json() {
        out.json(json!({
            "home": home.path().display().to_string(),
            "id": id,
            "changed": view.is_some(),
            "changes": changes.iter().map(Change::to_json).collect::<Vec<_>>(),
            "job": view.map(|view| standing::to_json(view, None)),
            "next": view.map(|view| next_fires::to_json(view, now, SHOWN)),
            "warnings": warnings,
        }))?;
        return Ok(exit::OK);
    }
    let Some(view) = view else {
        out.line(format_args!("job `{id}`: nothing changed"))?;
        return Ok(exit::OK);
    };
    out.line(format_args!("changed job `{id}`"))?;
    for change in changes {
        out.line(format_args!("  {}", change.line()))?;
    }
    next_fires::explain(view, now, SHOWN, out)?;
    for warning in warnings {
        out.warn(warning, Some("the job was changed all the same; put that right before it is due"));
    }
    Ok(exit::OK)
}
