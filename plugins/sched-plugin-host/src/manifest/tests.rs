use serde_json::json;

use super::*;

const EXEC: &str = "name: bells\nversion: '1.10'\nkind: exec\ncommand: [./bells, --loud]\nprotocol: 1\n";
const DYLIB: &str = "name: bells\nversion: '1'\nkind: dylib\nlibrary: lib/libbells.so\nabi: 1\n";

fn parse(text: &str) -> Result<Manifest> {
    Manifest::parse("plugin.yaml", text.as_bytes())
}

#[test]
fn every_key_is_read() {
    let rest = format!(
        "description: Rings\nsha256: {}\nconfig: {{every: 5, names: [a]}}\ntimeouts: {{ready: 1s, stop: 2s}}\nmin_sched: '0.1'\n\
         _note: mine\n",
        "AB".repeat(32)
    );
    let manifest = parse(&format!("{EXEC}{rest}")).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("bells", "1.10"));
    assert_eq!(manifest.description, "Rings");
    assert_eq!(manifest.code, Code::Command(vec!["./bells".into(), "--loud".into()]));
    assert_eq!(manifest.sha256, Some("ab".repeat(32)));
    assert_eq!(manifest.config, json!({ "every": 5, "names": ["a"] }));
    let [ready, call, stop] = [1, 10, 2].map(Duration::from_secs);
    assert_eq!(manifest.timeouts, Timeouts { ready, call, stop });

    let manifest = parse(DYLIB).unwrap();
    assert_eq!((manifest.code, manifest.config), (Code::Library("lib/libbells.so".into()), json!(null)));
    let mapped = DYLIB.replace("lib/libbells.so", &format!("{{{TARGET}: a.so, sparc-sun-solaris: b.so}}"));
    assert_eq!(parse(&mapped).unwrap().code, Code::Library("a.so".into()));
}

#[test]
fn every_mistake_is_named_with_its_place_and_its_fix() {
    let check = |text: &str, want: &str| {
        let error = parse(text).unwrap_err();
        let got = format!("{error} [{}]", error.hint_text().unwrap_or("no hint"));
        assert_eq!(got, format!("plugin.yaml: {want}"), "{text}");
    };
    let exec = |from: &str, to: &str| EXEC.replace(from, to);
    let dylib = |from: &str, to: &str| DYLIB.replace(from, to);
    let begin = "[begin with `name`, `version` and `kind`]";
    check("", &format!("expected keys with values, found nothing {begin}"));
    check("- a\n", &format!("expected keys with values, found a list {begin}"));
    check(
        "a: [\n",
        "line 2, column 1: did not find expected node content, while parsing a flow node [correct the YAML]",
    );
    check(&format!("{EXEC}comand: 1\n"), "line 6, column 1: there is no key `comand` [did you mean `command`?]");
    check(
        &format!("{EXEC}timeouts: {{redy: 1s}}\n"),
        "line 6, column 12: there is no key `timeouts.redy` [did you mean `ready`?]",
    );
    check(&exec("name: bells\n", ""), "there is no `name` [add `name: ...`]");
    check(
        &exec("'1.10'", "1.10"),
        "line 2, column 10: version: expected a text, found the number 1.1 [put it in quotes if it is meant as a text]",
    );
    check(
        &exec("bells\n", "My Bells\n"),
        "line 1, column 7: name: `My Bells` can't be a name [a name is a-z, 0-9, `.`, `_` or `-`, at most 63 long]",
    );
    check(
        &exec("kind: exec", "kind: script"),
        "line 3, column 7: kind: there is no kind `script` [`exec` is a program that speaks the protocol, `dylib` a library]",
    );
    check(
        &exec("[./bells, --loud]", "./bells"),
        "line 4, column 10: command: expected a list, found the text \"./bells\" [write it as a list: `command: [./program, --option]`]",
    );
    check(
        &exec("[./bells, --loud]", "[]"),
        "line 4, column 10: command: it names no program [write it as a list: `command: [./program, --option]`]",
    );
    check(
        &exec("protocol: 1", "protocol: 2"),
        "line 5, column 11: protocol: this build of sched speaks 1 alone, found the number 2 [write `protocol: 1`]",
    );
    check(&exec("protocol: 1\n", ""), "there is no `protocol` [add `protocol: 1`]");
    check(&exec("protocol", "abi"), "line 5, column 1: `abi` is nothing that a plugin of kind `exec` has [remove it]");
    check(
        &dylib("abi: 1", "abi: 3"),
        "line 5, column 6: abi: this build of sched speaks 1 alone, found the number 3 [write `abi: 1`]",
    );
    check(
        &dylib("library: lib/libbells.so", "library: {sparc: a.so}"),
        &format!(
            "line 4, column 10: library: there is no library for {TARGET}, which this machine is [build it and add `{TARGET}: PATH`]"
        ),
    );
    check(
        &format!("{EXEC}sha256: abc\n"),
        "line 6, column 9: sha256: expected 64 hex digits [take what `sha256sum` prints]",
    );
    check(
        &format!("{EXEC}timeouts: {{call: 5}}\n"),
        "line 6, column 18: timeouts.call: `5` has no unit; write `5s`, `5m` or `5h` [write it as `10s`]",
    );
    check(
        &format!("{EXEC}timeouts: {{call: 2h}}\n"),
        "line 6, column 18: timeouts.call: longer than 1h, so a plugin that hangs would go unnoticed for hours [write it as `10s`]",
    );
    check(
        &format!("{EXEC}timeouts: {{stop: 11s}}\n"),
        "line 6, column 18: timeouts.stop: longer than 10s, after which a daemon that stops waits no more [write it as `10s`]",
    );
    check(
        &format!("{EXEC}min_sched: '99.0'\n"),
        "line 6, column 12: min_sched: it needs sched 99.0 or later, and this is 0.1.0 [update sched]",
    );
    let error = Manifest::parse("plugin.yaml", b"name: a\xff\n").unwrap_err();
    assert_eq!(error.to_string(), "plugin.yaml: line 1, column 8: byte 0xff is not UTF-8");
}
