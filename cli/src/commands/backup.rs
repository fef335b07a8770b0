//! `sched backup`: the home as it is at one moment, while the daemon runs.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use scheduler_core::{Error, Home, size, store::json::copy_home, vfs::RealFs};
use serde_json::json;

use super::Done;
use crate::{
    args::BackupArgs,
    context::{Context, no_home},
    exit,
    output::Output,
};

pub(crate) fn run(args: &BackupArgs, context: &Context, out: &mut Output) -> Done {
    let home = context.home()?;
    if !home.path().exists() {
        return Err(no_home(&home));
    }
    let stamp = context.now().to_zoned(TimeZone::UTC).strftime("sched-backup-%Y%m%dT%H%M%SZ");
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from(stamp.to_string()));
    let failed = |cause| Error::io(format!("cannot find {}", folder.display()), cause);
    let folder = std::path::absolute(&folder).map_err(failed)?;
    let copied = copy_home(&RealFs, &home, &Home::new(&folder))?;
    if out.wants_json() {
        out.json(json!({ "folder": folder, "files": copied.files, "bytes": copied.bytes }))?;
    } else {
        let size = size::format(copied.bytes);
        out.line(format_args!("backed up {} files, {size}, to {}", copied.files, folder.display()))?;
        out.line(format_args!("put it back with: sched --home NEW_HOME restore --from {}", folder.display()))?;
    }
    Ok(exit::OK)
}
