//! An HTTP POST, in the form that whoever is there takes.

use async_trait::async_trait;
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use scheduler_core::{
    Error, ErrorKind, Result,
    config::{Secret, sinks::Preset},
    notify::Severity,
};
use serde_json::{Value, json};

use super::Carrier;
use crate::{
    desk::Secrets,
    http::{Http, Request, public, url},
    notice::Notice,
    report::Letter,
    rules::Moment,
    scrub::credentials,
};

/// Where it is posted to, and how.
#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) url: Secret,
    pub(super) preset: Preset,
    pub(super) token: Option<Secret>,
    pub(super) chat: Option<String>,
    pub(super) secrets: Secrets,
    pub(super) http: Http,
}

impl Webhook {
    /// The address, and the body for it.
    fn message(&self, written: &Url, notice: &Notice) -> (Url, Value) {
        let mut url = written.clone();
        let body = match self.preset {
            Preset::Slack => {
                let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                json!({ "text": cut(&format!("*{}*\n{}", escape(&notice.subject()), escape(&notice.body())), 3900) })
            }
            Preset::Discord => json!({
                "content": cut(&format!("**{}**\n{}", notice.subject(), notice.body()), 1990),
                // A job's output may say "@everyone".
                "allowed_mentions": { "parse": [] },
            }),
            Preset::Telegram => {
                to_send_message(&mut url);
                json!({ "chat_id": self.chat, "text": cut(&notice.text(), 4000), "disable_web_page_preview": true })
            }
            Preset::Ntfy => {
                let topic = to_server(&mut url);
                json!({
                    "topic": topic,
                    "title": cut(&notice.subject(), 240),
                    "message": cut(&notice.body(), 3900),
                    "priority": priority(notice.severity()),
                    "tags": [tag(notice)],
                })
            }
            _ => notice.json(),
        };
        (url, body)
    }

    async fn post(&self, url: Url, body: &Value) -> Result<()> {
        let mut secrets = self.secrets.hidden(&self.url);
        // A server that says no likes to repeat what it was asked.
        secrets.extend([url.path(), url.query().unwrap_or_default()].map(str::to_owned));
        secrets.extend(credentials(&url));
        secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            let token = self.secrets.reveal(token)?;
            let odd = |_| Error::new(ErrorKind::Invalid, "its `token` holds what no header may");
            let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(odd)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
            secrets.push(token);
        }
        let request = Request { method: Method::POST, url, headers, body: Some(body), secrets: &secrets };
        self.http.done(request).await.map(drop)
    }
}

#[async_trait]
impl Carrier for Webhook {
    async fn deliver(&self, notice: &Notice) -> Result<Option<String>> {
        let written = self.secrets.reveal_url(&self.url)?;
        let (url, body) = self.message(&url(&written)?, notice);
        self.post(url, &body).await.map(|()| None)
    }

    async fn deliver_report(&self, letter: &Letter) -> Result<()> {
        let mut to = url(&self.secrets.reveal_url(&self.url)?)?;
        let body = report(self.preset, self.chat.as_deref(), &mut to, letter);
        self.post(to, &body).await
    }

    fn preview(&self, notice: &Notice) -> String {
        match self.secrets.reveal_url(&self.url).and_then(|written| url(&written)) {
            Ok(written) => {
                let (url, body) = self.message(&written, notice);
                format!("posts to {}:\n{body:#}", public(&url))
            }
            Err(error) => format!("can't be sent: {error}"),
        }
    }
}

/// A report in the form that whoever is there takes: Markdown where that is understood, else plain text. Chats take no long
/// messages, so the end of it may be missing, which it says.
fn report(preset: Preset, chat: Option<&str>, url: &mut Url, letter: &Letter) -> Value {
    let Letter { subject, text, markdown, clean, .. } = letter;
    match preset {
        Preset::Slack => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            json!({ "text": shortened(&text, 3900) })
        }
        Preset::Discord => json!({ "content": shortened(markdown, 1990), "allowed_mentions": { "parse": [] } }),
        Preset::Telegram => {
            to_send_message(url);
            json!({ "chat_id": chat, "text": shortened(text, 4000), "disable_web_page_preview": true })
        }
        Preset::Ntfy => json!({
            "topic": to_server(url),
            "title": cut(subject, 240),
            "message": shortened(markdown, 3900),
            "markdown": true,
            "priority": if *clean { 2 } else { 4 },
            "tags": [if *clean { "white_check_mark" } else { "rotating_light" }],
        }),
        _ => letter.for_webhooks(),
    }
}

/// Telegram's method, should the address not name it.
fn to_send_message(url: &mut Url) {
    if !url.path().ends_with("/sendMessage") {
        url.set_path(&format!("{}/sendMessage", url.path().trim_end_matches('/')));
    }
}

/// Makes of the address of an ntfy topic that of its server, and answers the topic. Published as JSON, which is posted to the
/// server and not to the topic: a header takes no other letters than those of English.
fn to_server(url: &mut Url) -> String {
    let path = url.path().trim_end_matches('/').to_owned();
    let (base, topic) = path.rsplit_once('/').unwrap_or_default();
    url.set_path(&format!("{base}/"));
    topic.to_owned()
}

/// `text`, or its begin with a word about that.
fn shortened(text: &str, most: usize) -> String {
    const WORD: &str = "\n(cut here; `sched report` has all of it)";
    if text.len() <= most { text.to_owned() } else { format!("{}{WORD}", cut(text, most - WORD.len())) }
}

/// The first `most` bytes, or fewer: whoever gets more refuses all of it.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 2,
        Severity::Warning => 3,
        Severity::Critical => 5,
        _ => 4,
    }
}

fn tag(notice: &Notice) -> &'static str {
    match notice.moment {
        Moment::Closed => "white_check_mark",
        Moment::Test => "mag",
        _ => "rotating_light",
    }
}
