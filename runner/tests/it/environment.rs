//! What a child finds: its variables, its programs, its folder.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

use scheduler_core::RunContext;

use crate::support::{Bench, edit, output};

async fn variables(bench: &Bench, run: RunContext) -> BTreeMap<String, String> {
    let shown = output(&bench.run(run).await);
    shown.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

/// One of this process that no child would have unless it was inherited.
fn own_variable() -> (String, String) {
    let given = ["PATH", "HOME", "SHELL", "USER", "LOGNAME", "PWD", "OLDPWD", "_", "DIR"];
    let plain = |(name, value): &(String, String)| !given.contains(&name.as_str()) && !value.contains('\n');
    std::env::vars().find(plain).expect("tests are run with some environment")
}

#[tokio::test]
async fn a_run_knows_who_it_is() {
    let bench = Bench::with(|config| drop(config.env.insert("FROM".into(), "config".into())));
    let run = edit(bench.argv(&["env"]), |job| {
        // Facts about the run are not the job's to set.
        job.env.insert("SCHED_RUN_ID".into(), "forged".into());
    });
    let id = run.run.to_string();
    let found = variables(&bench, run).await;
    let check = |name: &str, expected: &str| {
        assert_eq!(found.get(name).map(String::as_str), Some(expected), "{name}");
    };
    check("SCHED_JOB_ID", "backup");
    check("SCHED_RUN_ID", &id);
    check("SCHED_SCHEDULED_AT", "2026-11-22T02:30:00Z");
    check("SCHED_ATTEMPT", "1");
    check("SCHED_OCCURRENCE", "backup/scheduled/2026-11-22T02:30:00Z");
    check("FROM", "config");
    let (name, value) = own_variable();
    check(&name, &value);
}

#[tokio::test]
async fn secrets_are_not_inherited() {
    let (name, value) = own_variable();
    let all = Bench::new();
    assert_eq!(variables(&all, all.argv(&["env"])).await.get(&name), Some(&value));
    let fewer = Bench::with(|config| config.secret_env = vec![name.clone()]);
    assert_eq!(variables(&fewer, fewer.argv(&["env"])).await.get(&name), None);
}

#[tokio::test]
async fn without_inheritance_it_is_as_in_cron() {
    let bench = Bench::with(|config| config.inherit_env = false);
    let found = variables(&bench, bench.argv(&["env"])).await;
    let user = output(&bench.run(bench.argv(&["id", "-un"])).await);
    let home = output(&bench.run(bench.shell("getent passwd $(id -u) | cut -d: -f6")).await);
    let check = |name: &str, expected: &str| {
        assert_eq!(found.get(name).map(String::as_str), Some(expected.trim()), "{name}");
    };
    check("PATH", "/usr/bin:/bin");
    check("SHELL", "/bin/sh");
    check("HOME", &home);
    check("LOGNAME", &user);
    check("USER", &user);
    let others = found.keys().filter(|name| !name.starts_with("SCHED_"));
    assert_eq!(others.collect::<Vec<_>>(), ["DIR", "HOME", "LOGNAME", "PATH", "SHELL", "USER"]);
}

#[tokio::test]
async fn programs_are_those_of_the_jobs_own_path() {
    let bench = Bench::new();
    fs::create_dir(bench.path("bin")).unwrap();
    let program = bench.path("bin/greet");
    fs::write(&program, "#!/bin/sh\necho greetings from $0\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let with_path = |path: String| edit(bench.argv(&["greet"]), |job| drop(job.env.insert("PATH".into(), path)));

    let found = bench.run(with_path(format!("{}:/usr/bin", bench.path("bin").display()))).await;
    assert_eq!(output(&found), format!("greetings from {}\n", program.display()));
    let missed = bench.run(with_path("/usr/bin:/bin".into())).await;
    assert_eq!(missed.message.as_deref(), Some("program not found: `greet` (looked in /usr/bin:/bin)"));
    // A relative entry is meant from where the job runs.
    let relative = edit(with_path("bin:/usr/bin:/bin".into()), |job| job.workdir = Some(bench.path("")));
    assert_eq!(output(&bench.run(relative).await), "greetings from bin/greet\n");
}

#[tokio::test]
async fn it_runs_in_the_jobs_folder_or_at_home_or_at_the_root() {
    let bench = Bench::new();
    fs::create_dir(bench.path("work")).unwrap();
    let own = fs::canonicalize(bench.path("")).unwrap().display().to_string();
    let check = async |workdir: Option<&str>, home: &str, expected: &str| {
        let run = edit(bench.argv(&["pwd", "-P"]), |job| {
            job.workdir = workdir.map(Into::into);
            job.env.insert("HOME".into(), home.into());
        });
        assert_eq!(output(&bench.run(run).await).trim_end(), expected, "{workdir:?}, HOME={home}");
    };
    check(Some(&format!("{own}/work")), "/", &format!("{own}/work")).await;
    check(Some("work"), &own, &format!("{own}/work")).await;
    check(None, &own, &own).await;
    check(None, "/no/such/home", "/").await;
}
