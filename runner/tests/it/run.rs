//! A run from start to end: what is executed, how it ends, and what is said when it can't be started.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use scheduler_core::{JobRunner, RunResult, job::Command};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Bench, context, edit, output, processes_of, text, until};

#[tokio::test]
async fn exit_codes_and_signals() {
    let bench = Bench::new();
    let check = async |line: &str, result, code, signal| {
        let outcome = bench.run(bench.shell(line)).await;
        assert_eq!((outcome.result, outcome.exit_code, outcome.signal), (result, code, signal), "{line}: {outcome:?}");
        outcome
    };
    check("exit 0", RunResult::Succeeded, Some(0), None).await;
    check("exit 3", RunResult::Failed, Some(3), None).await;
    check("kill -SEGV $$", RunResult::Failed, None, Some(11)).await;
    let killed = check("kill -9 $$", RunResult::Failed, None, Some(9)).await;
    assert!(killed.message.unwrap().contains("SIGKILL"));
    let unknown = check("no-such-command", RunResult::Failed, Some(127), None).await;
    assert!(unknown.message.as_deref().unwrap().contains("the shell found no such command"), "{unknown:?}");
    assert!(output(&unknown).contains("no-such-command"));
}

#[tokio::test]
async fn a_list_is_taken_as_it_is_and_a_text_by_the_shell() {
    let bench = Bench::new();
    let argv = bench.run(bench.argv(&["echo", "$HOME; exit 3", "*"])).await;
    assert_eq!(output(&argv), "$HOME; exit 3 *\n");
    let shell = bench.run(bench.shell("echo a | tr a b; echo c >&2; exit 3")).await;
    assert_eq!((output(&shell).as_str(), shell.exit_code), ("b\nc\n", Some(3)));
}

#[tokio::test]
async fn usage_is_that_of_the_run() {
    let bench = Bench::new();
    let line = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
    let usage = bench.run(bench.shell(line)).await.usage.unwrap();
    assert!(usage.user_us > 1000 && usage.max_rss_kib > 100, "{usage:?}");
    let idle = bench.run(bench.shell("exit 0")).await.usage.unwrap();
    assert!(idle.user_us + idle.system_us < usage.user_us, "{idle:?} {usage:?}");
}

#[tokio::test]
async fn the_process_is_noted_as_it_is() {
    let bench = Bench::new();
    let noted = Arc::new(Mutex::new(None));
    let run = bench.shell("echo $$").on_spawned({
        let noted = Arc::clone(&noted);
        move |process| *noted.lock().unwrap() = Some(process)
    });
    let outcome = bench.run(run).await;
    let noted = noted.lock().unwrap().clone().unwrap();
    assert_eq!(output(&outcome), format!("{}\n", noted.pid));
    let me = sched_runner::proc::myself();
    assert_eq!(noted.boot_id, me.boot_id);
    assert!(noted.start_time >= me.start_time);
    assert!(!sched_runner::proc::is_alive(&noted));
}

/// Descriptors, signals and session are a fresh login's, whatever this process has.
#[tokio::test]
async fn a_child_starts_clean() {
    let bench = Bench::new();
    // A descriptor that is handed on to children unless somebody closes it.
    let leaky = fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&leaky, rustix::io::FdFlags::empty()).unwrap();
    let descriptors = bench.run(bench.argv(&["ls", "/proc/self/fd"])).await;
    // The last one is that of the listing itself.
    assert_eq!(output(&descriptors), "0\n1\n2\n3\n");
    drop(leaky);
    let input = bench.run(bench.argv(&["readlink", "/proc/self/fd/0"])).await;
    assert_eq!(output(&input), "/dev/null\n");
    let ids = output(&bench.run(bench.argv(&["cut", "-d", " ", "-f", "1,5,6", "/proc/self/stat"])).await);
    let ids: Vec<_> = ids.split_whitespace().collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "pid, group, session: {ids:?}");

    // Rust ignores SIGPIPE in this process; with that handed on, `yes` would complain about a broken pipe.
    let signals = bench.run(bench.argv(&["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"])).await;
    assert_eq!(output(&signals), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

#[tokio::test]
async fn what_can_not_be_started_says_why() {
    let bench = Bench::new();
    let file = |name: &str, text: &str, mode| {
        fs::write(bench.path(name), text).unwrap();
        fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    file("plain.sh", "echo hello\n", 0o755);
    file("locked.sh", "#!/bin/sh\n", 0o644);
    file("dos.sh", "#!/bin/sh\r\necho\r\n", 0o755);
    file("odd.sh", "#!/no/such/interpreter -x\n", 0o755);
    file("empty", "", 0o755);
    file("alien", "\x7fELF nonsense", 0o755);
    file("a-file", "", 0o644);
    symlink("/no/such/target", bench.path("dangling")).unwrap();
    let own = bench.path("");
    let own = own.to_str().unwrap().trim_end_matches('/');

    let check = async |words: &[&str], workdir: &str, expected: &str| {
        let run = edit(bench.argv(words), |job| {
            job.workdir = (!workdir.is_empty()).then(|| workdir.into());
            job.env.insert("PATH".into(), format!("/usr/bin:/bin:{own}"));
        });
        let refused = bench.runner.validate(&run.job).err();
        let refused = refused.map(|error| format!("{error}; {}", error.hint_text().unwrap_or_default()));
        let path = bench.log(&run);
        let outcome = bench.run(run).await;
        let message = outcome.message.unwrap_or_default();
        assert_eq!(outcome.result, RunResult::Failed, "{words:?}");
        assert!(message.contains(expected), "{words:?}: `{message}` should say `{expected}`");
        assert!(outcome.output.is_none() && !path.exists(), "{words:?} left {}", path.display());
        refused
    };
    let early = async |words: &[&str], workdir: &str, expected: &str| {
        let refused = check(words, workdir, expected).await.unwrap_or_else(|| panic!("{words:?} is not validated"));
        assert!(refused.contains(expected), "{words:?}: `{refused}` should say `{expected}`");
    };
    early(&["pg_dumpp"], "", &format!("program not found: `pg_dumpp` (looked in /usr/bin:/bin:{own})")).await;
    early(&["echo hello"], "", "a list is a program and its arguments").await;
    early(&["./nope"], own, "program not found: `./nope`").await;
    early(&["true"], "/no/such/dir", "workdir `/no/such/dir` does not exist").await;
    early(&["true"], &format!("{own}/a-file"), "is not a folder").await;
    early(&["locked.sh"], "", "permission denied").await;
    early(&["./locked.sh"], own, "permission denied: `./locked.sh` is not executable").await;
    early(&[own], "", "is a folder, not a program").await;
    early(&[&format!("{own}/dangling")], "", "program not found").await;
    early(&[""], "", "the command is empty").await;
    early(&["echo", "a\0b"], "", "NUL").await;
    check(&["plain.sh"], "", "has no #! line (exec format error); begin it with `#!/bin/sh`, or run `sh ").await;
    early(&["dos.sh"], "", "ends in a carriage return").await;
    early(&["odd.sh"], "", "does not exist: `/no/such/interpreter`").await;
    check(&["empty"], "", "is empty (exec format error)").await;
    check(&["alien"], "", "another kind of machine").await;
    check(&["echo", &"x".repeat(200_000)], "", "argument list too long").await;
}

#[tokio::test]
async fn good_jobs_are_valid_and_nothing_is_run_by_looking() {
    let bench = Bench::new();
    let run = bench.shell("touch $DIR/ran");
    bench.runner.validate(&run.job).unwrap();
    bench.runner.validate(&bench.argv(&["/bin/true"]).job).unwrap();
    assert!(!bench.path("ran").exists() && !bench.path("runs").exists());
    bench.run(run).await;
    assert!(bench.path("ran").exists());
}

#[tokio::test]
async fn a_bad_variable_name_is_refused() {
    let bench = Bench::new();
    let run = edit(bench.argv(&["true"]), |job| drop(job.env.insert("A=B".into(), "c".into())));
    let outcome = bench.run(run).await;
    assert!(outcome.message.unwrap().starts_with("`A=B` can't be the name of a variable"));
}

#[tokio::test]
async fn a_run_is_never_started_twice() {
    let bench = Bench::new();
    let run = bench.shell("echo once");
    assert_eq!(bench.run(run.clone()).await.result, RunResult::Succeeded);
    let again = bench.run(run.clone()).await;
    assert_eq!(again.result, RunResult::Failed);
    assert!(again.message.unwrap().contains("was started before"));
    assert_eq!(text(&bench.log(&run)), "once\n");
}

#[tokio::test]
async fn one_cancelled_before_its_start_is_not_started() {
    let bench = Bench::new();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = bench.run(bench.shell("touch $DIR/ran").with_cancel(cancel)).await;
    assert_eq!(outcome.result, RunResult::Cancelled);
    assert!(!bench.path("ran").exists());
}

/// As cron does: the run ends with its main process, and what that left in the background goes on.
#[tokio::test]
async fn a_background_child_holds_nothing_up() {
    let bench = Bench::new();
    let run = bench.shell("mkfifo $DIR/go; (read x <$DIR/go; echo late) & echo early");
    let outcome = bench.run(run.clone()).await;
    assert_eq!((outcome.result, output(&outcome).as_str()), (RunResult::Succeeded, "early\n"));
    assert_eq!(processes_of(&run).len(), 1);
    fs::write(bench.path("go"), "x\n").unwrap();
    until("the child has written", || text(&bench.log(&run)) == "early\nlate\n").await;
}

#[tokio::test]
async fn a_payload_is_refused_before_and_at_its_run() {
    let bench = Bench::new();
    let mut job = bench.job(Command::Shell("true".into()));
    job.work = json!({"prompt": "hi"}).into();
    let refused = bench.runner.validate(&job).unwrap_err();
    assert_eq!(refused.to_string(), "it has a `payload`, and this runner runs commands");
    assert!(refused.hint_text().is_some_and(|hint| hint.contains("embeds scheduler-core")));
    let outcome = bench.run(context(job)).await;
    assert_eq!(outcome.result, RunResult::Failed);
    assert!(outcome.message.is_some_and(|message| message.contains("it has a `payload`")));
}

/// How late the last of a burst is: every one of them must have begun soon after it was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once() {
    let bench = Bench::new();
    let begun = Instant::now();
    let late = Arc::new(Mutex::new(Vec::new()));
    let runs: Vec<_> = (0..200)
        .map(|number| {
            let mut job = bench.job(Command::Argv(["echo".to_owned(), number.to_string()].into_iter().collect()));
            job.id = format!("job{}", number % 50).parse().unwrap();
            let late = Arc::clone(&late);
            let run = context(job).on_spawned(move |_| late.lock().unwrap().push(begun.elapsed()));
            let runner = Arc::clone(&bench.runner);
            tokio::spawn(async move { runner.run(run).await })
        })
        .collect();
    for (number, run) in runs.into_iter().enumerate() {
        let outcome = run.await.unwrap();
        assert_eq!((outcome.result, output(&outcome)), (RunResult::Succeeded, format!("{number}\n")));
    }
    let mut late = late.lock().unwrap().clone();
    late.sort_unstable();
    println!("200 runs: median start {:?}, last start {:?}, all over {:?}", late[100], late[199], begun.elapsed());
    assert!(late[199] < Duration::from_secs(5), "{:?}", late[199]);
}
