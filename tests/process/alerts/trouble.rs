//! Servers that speak something else than was asked for, and proxies: what is said of them, and what to do.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use serde_json::json;

use crate::process::bench::Place;

/// Answers whoever comes with `greeting`, and what they say with `answer`; its port.
fn server(greeting: &'static str, answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let (_, mut said) = (stream.write_all(greeting.as_bytes()), [0; 4096]);
            while let Ok(1..) = stream.read(&mut said) {
                if stream.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    port
}

#[test]
fn a_server_that_speaks_something_else_is_told_plainly_with_what_to_do() {
    let place = Place::empty();
    let plain = server("", "HTTP/1.1 400 no\r\ncontent-length: 0\r\n\r\n");
    let mail = server("220 hello\r\n", "250 hello\r\n");
    let odd = server("", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\n");
    let by_mail = |name: &str, smtp: String| {
        let (to, from) = (["ops@example.org"], "sched@example.org");
        json!({"name": name, "type": "email", "to": to, "from": from, "smtp": smtp})
    };
    let by_post = |name: &str, url: String| json!({"name": name, "type": "webhook", "url": url});
    let notify = json!([
        by_post("web-plain", format!("https://127.0.0.1:{plain}/hook")),
        by_post("web-odd", format!("http://127.0.0.1:{odd}/hook")),
        by_mail("mail-plain", format!("smtps://127.0.0.1:{mail}")),
        by_mail("mail-no-tls", format!("smtp+starttls://127.0.0.1:{mail}")),
    ]);
    place.write("config.yaml", json!({ "notify": notify }).to_string());
    let ran = place.run(&["alerts", "test"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let said = format!("{}{}", ran.out, ran.err);
    for part in [
        &format!("POST https://127.0.0.1:{plain}/***: no TLS is spoken there"),
        "hint: write `http://`, or the port that speaks TLS",
        &format!("POST http://127.0.0.1:{odd}/***: what answers there speaks no HTTP"),
        "hint: if that port speaks TLS, write `https://`",
        &format!("mail by 127.0.0.1:{mail}: no TLS is spoken there"),
        "hint: `smtps://` is for port 465",
        &format!("mail by 127.0.0.1:{mail}: the server offers no STARTTLS"),
        "hint: write `smtps://` for a port with TLS from the start (465)",
    ] {
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
}

#[test]
fn a_proxy_that_stands_between_is_named_without_its_password() {
    let place = Place::empty();
    let sink = json!({"name": "hook", "type": "webhook", "url": "http://hooks.example.org/s3cret"});
    place.write("config.yaml", json!({ "notify": [sink] }).to_string());
    let proxy = server("", "what?\r\n");
    let mut asked = place.command(&["alerts", "test"]);
    asked.env("HTTP_PROXY", format!("http://ann:pr0xypass@127.0.0.1:{proxy}"));
    let ran = place.start_command(&mut asked).ran();
    let said = format!("{}{}", ran.out, ran.err);
    let expected =
        format!("POST http://hooks.example.org/*** by the proxy 127.0.0.1:{proxy}: what answers there speaks no HTTP");
    assert!(said.contains(&expected) && said.contains("NO_PROXY"), "{said}");
    assert!(!said.contains("pr0xypass") && !said.contains("s3cret"), "{said}");
}

#[test]
fn a_program_that_is_told_gets_no_secret_of_another_sink() {
    let place = Place::empty();
    let (told, tell) = (place.path("told"), place.path("told").display().to_string());
    let hook =
        json!({"name": "hook", "type": "webhook", "url": "http://127.0.0.1:9/${HOOK_PATH}", "token": "${HOOK_TOKEN}"});
    let pager = json!({"name": "pager", "type": "command", "command": ["sh", "-c", format!("env > {tell}")]});
    place.write("config.yaml", json!({ "notify": [hook, pager] }).to_string());
    let mut asked = place.command(&["alerts", "test", "pager"]);
    asked
        .env("HOOK_PATH", "path-of-the-hook")
        .env("HOOK_TOKEN", "token-of-the-hook")
        .env("PAGER_KEY", "key-of-the-pager");
    let ran = place.start_command(&mut asked).ran();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let got = std::fs::read_to_string(told).expect("it has run");
    assert!(got.contains("PAGER_KEY=key-of-the-pager"), "{got}");
    assert!(!got.contains("of-the-hook") && !got.contains("HOOK_"), "{got}");
}

#[test]
fn a_variable_that_is_not_set_is_found_where_the_daemon_runs() {
    let place = Place::beating();
    let sink = json!([{"name": "hook", "type": "webhook", "url": "http://127.0.0.1:9/${HOOK_PATH}", "token": "${HOOK_TOKEN}"}]);
    place.write("config.yaml", format!("ticker: {{interval: 1s}}\nnotify: {sink}\n"));
    place.write_jobs(&[json!({"id": "job", "schedule": "@yearly", "command": "true"})]);
    let unset = |environment: &str, name: &str| {
        format!("warning: config.yaml: notify: sink `hook`: `${{{name}}}` is not set in {environment}")
    };
    let validated = |name: &str| {
        let ran = place.start_command(place.command(&["validate"]).env(name, "x")).ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    };
    let of_command = "the environment of this command";
    let said = validated("HOOK_PATH");
    assert!(said.contains(&unset(of_command, "HOOK_TOKEN")) && said.contains("may be another one"), "{said}");
    assert!(!said.contains(&unset(of_command, "HOOK_PATH")), "{said}");
    let status = |place: &Place| place.status().1["problems"].to_string();
    assert!(!status(&place).contains("unset-"), "nobody delivers from here: {}", status(&place));
    // The daemon's counts, whatever this one has.
    let mut daemon = place.start_command(place.command(&["run"]).env("HOOK_TOKEN", "x"));
    place.until_status("it is LIVE", |status| status["verdict"] == "live");
    let of_daemon = format!("the environment of the daemon (pid {})", daemon.pid());
    let said = validated("HOOK_PATH");
    assert!(said.contains(&unset(&of_daemon, "HOOK_PATH")) && !said.contains("HOOK_TOKEN"), "{said}");
    assert!(status(&place).contains("unset-hook-HOOK_PATH"), "{}", status(&place));
    daemon.stop();
}
