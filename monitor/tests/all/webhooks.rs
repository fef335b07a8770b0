//! What each preset posts, and what of an address is seen.

use scheduler_core::config::{
    Secret,
    sinks::{Preset, Sink, Via},
};
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    post::{PostBox, Posted},
    tracker::TOKEN,
};

/// What a job that fails makes `preset` post to `path`.
async fn posted(preset: Preset, path: &str, chat: Option<&str>) -> Posted {
    let post = PostBox::start().await;
    let url = Secret::new(format!("{}{path}", post.url("")));
    let via = Via::Webhook { url, preset, token: Some(Secret::new("${TOKEN}")), chat: chat.map(str::to_owned) };
    let bench = Bench::new(vec![Sink::new("hook", via)]);
    bench.fails("backup").await;
    let got = post.got();
    assert_eq!(got.len(), 1, "{:?}", bench.alerts());
    got[0].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn every_preset_posts_what_its_reader_takes() {
    let Posted { path, authorization, body } = posted(Preset::Json, "/hook?x=${TOKEN}", None).await;
    assert_eq!(
        (path.as_str(), authorization.as_deref()),
        (&*format!("/hook?x={TOKEN}"), Some(&*format!("Bearer {TOKEN}")))
    );
    assert_eq!(
        (&body["event"], &body["key"], &body["job"], &body["severity"], &body["agent"]),
        (&json!("opened"), &json!("job-backup"), &json!("backup"), &json!("error"), &json!("db-1"))
    );

    let slack = posted(Preset::Slack, "/services/T/B/x", None).await;
    assert!(
        text(&slack.body["text"]).starts_with("*[db-1] job `backup` failed*\nat 2026-03-02T10:00:00Z\nexit code 3\n")
    );

    let discord = posted(Preset::Discord, "/api/webhooks/1/x", None).await;
    assert!(text(&discord.body["content"]).starts_with("**[db-1] job `backup` failed**\n"));
    assert_eq!(discord.body["allowed_mentions"], json!({"parse": []}));

    let telegram = posted(Preset::Telegram, "/bot123:x", Some("-100")).await;
    assert_eq!((telegram.path.as_str(), &telegram.body["chat_id"]), ("/bot123:x/sendMessage", &json!("-100")));

    let ntfy = posted(Preset::Ntfy, "/my-topic", None).await;
    assert_eq!((ntfy.path.as_str(), &ntfy.body["topic"], &ntfy.body["priority"]), ("/", &json!("my-topic"), &json!(4)));
    assert_eq!(text(&ntfy.body["title"]), "[db-1] job `backup` failed");
}

#[tokio::test]
async fn what_is_secret_is_in_no_error_and_in_no_file() {
    let post = PostBox::start().await;
    // It repeats the address in its answer, and the header that lets us in.
    post.refuse(Some(404));
    let url = Secret::new(post.url("/services/s3cret?token=${TOKEN}").replace("http://", "http://ann:s3cret@"));
    let via = Via::Webhook { url, preset: Preset::Slack, token: None, chat: None };
    let nowhere =
        Via::Webhook { url: Secret::new("http://127.0.0.1:9/s3cret"), preset: Preset::Json, token: None, chat: None };
    let bench = Bench::new(vec![Sink::new("hook", via), Sink::new("nowhere", nowhere)]);
    bench.fails("backup").await;
    // "ann:s3cret", as the header has it.
    assert!(post.refused().contains("authorization: Basic YW5uOnMzY3JldA=="), "{}", post.refused());
    let alert = &bench.alerts()[0];
    let file = std::fs::read_to_string(bench.home.alerts().join("job-backup.alert")).expect("a file");
    for sink in ["hook", "nowhere"] {
        assert!(alert.sinks[sink].error.is_some(), "{file}");
    }
    assert!(file.contains("answered 404") && file.contains("onnection refused"), "{file}");
    let shown = format!("{:?} {file} {}", bench.desk, bench.desk.preview_test("hook").expect("a sink"));
    assert!(!shown.contains("s3cret") && !shown.contains(TOKEN) && !shown.contains("YW5uOnMzY3JldA"), "{shown}");
}
