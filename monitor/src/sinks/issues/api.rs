//! The few calls that are made of Gitea, Forgejo and GitHub, which have them nearly in common.

use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};
use scheduler_core::{
    Error, ErrorKind, Result,
    config::sinks::{Forge, Tracker},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Answer, Http, Request, public, refused, url};

/// Asked for at once. A tracker may give fewer, so only a page without anything new is the last.
const PAGE: usize = 50;

/// More pages than this are no list of our issues.
const PAGES: usize = 200;

/// A tracker that we are let into.
pub(super) struct Api<'a> {
    http: &'a Http,
    tracker: &'a Tracker,
    base: Url,
    headers: HeaderMap,
    secrets: Vec<String>,
}

/// An issue, as far as we care.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    #[serde(default)]
    state: String,
    #[serde(default)]
    body: Option<String>,
    /// GitHub lists requests to pull among the issues.
    #[serde(default)]
    pull_request: Option<Value>,
}

/// What a list is made of: something with an identity, so that a page that comes twice is noticed.
#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    id: u64,
    name: String,
}

impl Issue {
    pub(super) fn is_open(&self) -> bool {
        self.state == "open"
    }

    pub(super) fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }
}

impl<'a> Api<'a> {
    pub(super) fn new(http: &'a Http, tracker: &'a Tracker, token: String) -> Result<Self> {
        let mut base = url(&tracker.url)?;
        let path = base.path().trim_end_matches('/').to_owned();
        let (path, scheme) = match tracker.forge {
            Forge::GitHub => (path, "Bearer"),
            _ => (format!("{path}/api/v1"), "token"),
        };
        base.set_path(&format!("{path}/repos/{}", tracker.repo));
        let odd = |_| Error::new(ErrorKind::Invalid, "its `token` holds what no header may");
        let mut authorization = HeaderValue::from_str(&format!("{scheme} {token}")).map_err(odd)?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        if tracker.forge == Forge::GitHub {
            headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        }
        Ok(Self { http, tracker, base, headers, secrets: vec![token] })
    }

    /// Our open issues, through all pages.
    pub(super) async fn open_issues(&self) -> Result<Vec<Issue>> {
        let size = PAGE.to_string();
        // `limit` is Gitea's, `per_page` GitHub's; neither minds the other's.
        let query = [
            ("state", "open"),
            ("labels", self.tracker.label.as_str()),
            ("type", "issues"),
            ("limit", &size),
            ("per_page", &size),
        ];
        let mut issues: Vec<Issue> = self.pages("issues", &query, |issue: &Issue| issue.number).await?;
        issues.retain(|issue| issue.pull_request.is_none());
        Ok(issues)
    }

    /// An issue by its number; none if there is none.
    pub(super) async fn issue(&self, number: u64) -> Result<Option<Issue>> {
        let path = format!("issues/{number}");
        let answer = self.ask(Method::GET, &path, &[], None).await?;
        match answer.status {
            404 | 410 => Ok(None),
            _ => self.parsed(&self.success(&Method::GET, &path, answer)?).map(Some),
        }
    }

    /// Opens an issue for the assignees, those left out that the tracker doesn't know. Answers its number.
    pub(super) async fn open(&self, title: &str, body: &str) -> Result<u64> {
        let label = match self.tracker.forge {
            Forge::GitHub => {
                self.label().await?;
                json!(self.tracker.label)
            }
            _ => json!(self.label().await?),
        };
        let mut assignees = self.tracker.assignees.clone();
        loop {
            let mut issue = json!({ "title": title, "body": body, "labels": [label] });
            if !assignees.is_empty() {
                issue["assignees"] = json!(assignees);
            }
            let answer = self.ask(Method::POST, "issues", &[], Some(&issue)).await?;
            if answer.status != 422 || assignees.is_empty() {
                let answer = self.success(&Method::POST, "issues", answer)?;
                return self.parsed(&answer).map(|issue: Issue| issue.number);
            }
            // If it says who is unknown, the others stay.
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            let (unknown, known): (Vec<String>, Vec<String>) =
                assignees.into_iter().partition(|name| said.contains(name));
            let (dropped, left) = if unknown.is_empty() { (known, Vec::new()) } else { (unknown, known) };
            tracing::warn!(
                repo = self.tracker.repo,
                "the tracker refuses {dropped:?} as assignees; the issue opens without"
            );
            assignees = left;
        }
    }

    pub(super) async fn comment(&self, number: u64, body: &str) -> Result<()> {
        self.done(Method::POST, &format!("issues/{number}/comments"), &json!({ "body": body })).await.map(drop)
    }

    pub(super) async fn close(&self, number: u64) -> Result<()> {
        self.done(Method::PATCH, &format!("issues/{number}"), &json!({ "state": "closed" })).await.map(drop)
    }

    /// The id of our label, which is made if it isn't there.
    pub(super) async fn label(&self) -> Result<u64> {
        let size = PAGE.to_string();
        let name = &self.tracker.label;
        let query = [("limit", size.as_str()), ("per_page", &size)];
        let labels: Vec<Label> = self.pages("labels", &query, |label: &Label| label.name.clone()).await?;
        if let Some(label) = labels.iter().find(|label| label.name.eq_ignore_ascii_case(name)) {
            return Ok(label.id);
        }
        let color = if self.tracker.forge == Forge::GitHub { "d93f0b" } else { "#d93f0b" };
        let label = json!({ "name": name, "color": color, "description": "opened and closed by sched" });
        let answer = self.done(Method::POST, "labels", &label).await?;
        self.parsed(&answer).map(|label: Label| label.id)
    }

    /// Every entry of a list, whatever a page holds.
    async fn pages<T, K>(&self, path: &str, query: &[(&str, &str)], key: impl Fn(&T) -> K) -> Result<Vec<T>>
    where
        T: for<'de> Deserialize<'de>,
        K: Eq + std::hash::Hash,
    {
        let mut all: Vec<T> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for page in 1..=PAGES {
            let page = page.to_string();
            let query: Vec<(&str, &str)> = query.iter().copied().chain([("page", page.as_str())]).collect();
            let answer = self.ask(Method::GET, path, &query, None).await?;
            let entries: Vec<T> = self.parsed(&self.success(&Method::GET, path, answer)?)?;
            let before = all.len();
            all.extend(entries.into_iter().filter(|entry| seen.insert(key(entry))));
            if all.len() == before {
                return Ok(all);
            }
        }
        let what = format!("{}: the list of {path} has no end", self.place());
        Err(Error::new(ErrorKind::Invalid, what))
    }

    async fn done(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let answer = self.ask(method.clone(), path, &[], Some(body)).await?;
        self.success(&method, path, answer)
    }

    async fn ask(&self, method: Method, path: &str, query: &[(&str, &str)], body: Option<&Value>) -> Result<Answer> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let headers = self.headers.clone();
        self.http.ask(Request { method, url, headers, body, secrets: &self.secrets }).await
    }

    fn success(&self, method: &Method, path: &str, answer: Answer) -> Result<Answer> {
        if answer.is_success() {
            return Ok(answer);
        }
        let place = format!("{} {}/{path}", self.place(), self.tracker.repo);
        Err(refused(method, &place, &answer, &self.secrets))
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&self, answer: &Answer) -> Result<T> {
        let odd = |why| Error::new(ErrorKind::Invalid, format!("{}: not what was asked for: {why}", self.place()));
        serde_json::from_slice(&answer.body).map_err(odd)
    }

    fn place(&self) -> String {
        public(&self.base)
    }
}
