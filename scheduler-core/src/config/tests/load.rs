//! Whole files: broken, missing, unreadable, and the last good one.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_file_that_cannot_be_read_as_a_whole_says_where_and_why() {
    let default = "[correct the file, then run `sched validate`]";
    let cases: [(&[u8], &str, &str); 7] = [
        (
            b"agent: a\nprovider: [a\nb: c\n",
            "line 3, column 2: did not find expected ',' or ']', while parsing a flow sequence at line 2 column 11",
            default,
        ),
        (b"agent: a\nagent: b\n", "line 1, column 1: duplicate entry with key \"agent\"", default),
        (
            b"ticker:\n\tinterval: 5s\n",
            "line 2, column 1: found character that cannot start any token, while scanning for the next token",
            "[YAML takes no tabs at the beginning of a line; use spaces]",
        ),
        (b"just words\n", "line 1, column 1: expected keys with values, found the text \"just words\"", default),
        (b"# list\n- a\n", "line 2, column 1: expected keys with values, found a list", default),
        (b"agent: caf\xe9\n", "line 1, column 11: byte 0xe9 is not UTF-8", default),
        (b"a: 1\n---\nb: 2\n", "deserializing from YAML containing more than one document is not supported", default),
    ];
    for (text, why, hint) in cases {
        broken(text, &format!("config: config.yaml: {why}; the defaults are in force {hint}"));
    }
    broken(
        vec![b'#'; 2 << 20],
        &format!("config: config.yaml: it is larger than 1 MiB; the defaults are in force {default}"),
    );
}

#[test]
fn a_file_that_is_none_is_no_missing_file() {
    let case = Case::new();
    assert_eq!(case.problems(), [""; 0]);
    assert_eq!((case.load().source, case.load().readable), (Source::Defaults, true));

    fs::create_dir(case.home.config_yaml()).unwrap();
    assert!(
        case.problems()[0].starts_with("config: config.yaml: it is a folder, not a file;"),
        "{:?}",
        case.problems()
    );

    fs::remove_dir(case.home.config_yaml()).unwrap();
    std::os::unix::fs::symlink("nowhere", case.home.config_yaml()).unwrap();
    assert!(case.problems()[0].starts_with("config: config.yaml: it is a link to a file that is not there;"));
    assert!(!case.load().readable);

    fs::remove_file(case.home.config_yaml()).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, case.home.config_yaml(), rustix::fs::Mode::RUSR).unwrap();
    assert!(case.problems()[0].starts_with("config: config.yaml: it is not a regular file;"));
}

#[test]
fn what_may_not_be_read_is_a_problem() {
    let case = Case::with("provider: chronos");
    fs::set_permissions(case.home.config_yaml(), fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything; the case then has nothing to show.
    if fs::read(case.home.config_yaml()).is_err() {
        assert!(case.problems()[0].starts_with("config: config.yaml: cannot be read: permission denied;"));
        assert_eq!(case.load().config.provider, "");
    }
}

#[test]
fn a_broken_file_leaves_the_last_good_one_in_force_but_not_its_provider() {
    let case = Case::with("provider: chronos\nmax_parallel: 3\n");
    let first = load(&RealFs, &case.home, true);
    assert_eq!((first.source, first.config.provider.as_str()), (Source::File, "chronos"));

    fs::write(case.home.config_yaml(), "provider: [").unwrap();
    let then = load(&RealFs, &case.home, true);
    assert_eq!((then.source, then.readable), (Source::LastGood, false));
    assert_eq!((then.config.provider.as_str(), then.config.max_parallel), ("", 3));
    let what = &then.problems[0].what;
    let instead = "the last good configuration is in force; a daemon that starts now fires by the built-in ticker, not the provider `chronos`";
    assert!(what.contains(instead), "{what}");

    fs::write(case.home.last_good_config(), "- broken too").unwrap();
    let last = load(&RealFs, &case.home, true);
    assert_eq!((last.source, last.config), (Source::Defaults, Config::default()));
}

#[test]
fn only_a_good_file_is_kept_and_only_when_asked() {
    let case = Case::with("agent: one\n");
    let kept = || fs::read_to_string(case.home.last_good_config()).unwrap_or_default();
    case.load();
    assert_eq!(kept(), "");
    load(&RealFs, &case.home, true);
    assert_eq!(kept(), "agent: one\n");

    let before = fs::metadata(case.home.last_good_config()).unwrap().modified().unwrap();
    load(&RealFs, &case.home, true);
    assert_eq!(fs::metadata(case.home.last_good_config()).unwrap().modified().unwrap(), before);

    fs::write(case.home.config_yaml(), "agent: two\nmax_parallel: none\n").unwrap();
    load(&RealFs, &case.home, true);
    assert_eq!(kept(), "agent: one\n", "a file with a problem is not a good one");

    fs::write(case.home.config_yaml(), "agent: two\nunknown_thing: 1\n").unwrap();
    load(&RealFs, &case.home, true);
    assert_eq!(kept(), "agent: two\nunknown_thing: 1\n", "a remark keeps nothing from working");

    fs::remove_dir_all(case.home.state()).unwrap();
    let loaded = load(&RealFs, &case.home, true);
    assert!(loaded.readable && !case.home.state().exists(), "a home that is only looked at gets no state folder");
}

proptest::proptest! {
    /// Whatever is in the file, there is a configuration, and one that can't be trusted as a whole names no provider.
    #[test]
    fn no_content_is_too_strange(content in "\\PC{0,60}|[a-c:\\-\\[\\]{}#&*!|>'\"%@` \n\t,?]{0,80}") {
        let loaded = Case::with(&content).load();
        proptest::prop_assert!(loaded.readable || !loaded.problems.is_empty());
        proptest::prop_assert!(loaded.readable || loaded.config == Config::default());
        proptest::prop_assert!(loaded.problems.iter().all(|problem| !problem.hint.is_empty()));
    }

    /// The same for a file that was good until one byte of it changed.
    #[test]
    fn no_slip_is_too_strange(at in 0..TEMPLATE.len(), byte: u8) {
        let mut content: Vec<u8> = TEMPLATE.replace("\n#", "\n").into_bytes();
        let at = at % content.len();
        content[at] = byte;
        let loaded = Case::with(content).load();
        proptest::prop_assert!(loaded.readable || loaded.config.provider.is_empty());
    }
}
