//! An issue in a tracker: opened once, commented while the alert lasts, closed with a comment when it is over.
//!
//! Ours are those with our label *and* our marker, a hidden comment at their end: a label alone is anybody's, and a title
//! changes with the count. `api` speaks to the tracker, `marker` makes and finds the marker.

mod api;
mod marker;

use async_trait::async_trait;
use scheduler_core::{Result, config::sinks::Tracker};

use self::api::{Api, Issue};
use super::Carrier;
use crate::{
    desk::Secrets,
    http::{Http, public, url},
    notice::Notice,
    rules::Moment,
};

/// A tracker, and what it is let in with.
#[derive(Debug)]
pub(super) struct Issues {
    tracker: Tracker,
    secrets: Secrets,
    http: Http,
}

impl Issues {
    pub(super) fn new(tracker: Tracker, secrets: Secrets, http: Http) -> Self {
        Self { tracker, secrets, http }
    }

    fn api(&self) -> Result<Api<'_>> {
        Api::new(&self.http, &self.tracker, self.secrets.reveal(&self.tracker.token)?)
    }

    /// The issue of this alert, if it is open: the oldest, should there be more.
    async fn find(&self, api: &Api<'_>, notice: &Notice) -> Result<Option<Issue>> {
        let marker = marker::of(notice);
        if let Some(number) = notice.thread.as_deref().and_then(|thread| thread.parse().ok()) {
            let known = api.issue(number).await?;
            if let Some(issue) = known.filter(|issue| issue.is_open() && issue.body().contains(&marker)) {
                return Ok(Some(issue));
            }
        }
        Ok(self.ours(api, &marker).await?.into_iter().next())
    }

    /// The open issues with our marker, the oldest first.
    async fn ours(&self, api: &Api<'_>, marker: &str) -> Result<Vec<Issue>> {
        let mut issues = api.open_issues().await?;
        issues.retain(|issue| issue.body().contains(marker));
        issues.sort_by_key(|issue| issue.number);
        Ok(issues)
    }

    /// Opens one, unless somebody else has at the same time: of two the older stays, and the younger closes itself.
    async fn open(&self, api: &Api<'_>, notice: &Notice) -> Result<u64> {
        let opened = api.open(&title(notice), &body(notice)).await?;
        let ours = self.ours(api, &marker::of(notice)).await?;
        match ours.first() {
            Some(oldest) if oldest.number < opened => {
                api.comment(opened, &format!("The same as #{}, which was opened a moment earlier.", oldest.number))
                    .await?;
                api.close(opened).await?;
                Ok(oldest.number)
            }
            _ => Ok(opened),
        }
    }
}

#[async_trait]
impl Carrier for Issues {
    async fn deliver(&self, notice: &Notice) -> Result<Option<String>> {
        let api = self.api()?;
        if notice.moment == Moment::Test {
            // Nobody wants an issue for that: whether we are let in, and may write, is what there is to know.
            api.label().await?;
            return Ok(None);
        }
        let found = self.find(&api, notice).await?;
        let number = match (found, notice.moment) {
            // Somebody has closed it by hand; it doesn't need to be closed twice.
            (None, Moment::Closed) => return Ok(None),
            (None, _) => self.open(&api, notice).await?,
            (Some(issue), moment) => {
                api.comment(issue.number, &text(notice)).await?;
                if moment == Moment::Closed {
                    api.close(issue.number).await?;
                }
                issue.number
            }
        };
        Ok(Some(number.to_string()))
    }

    fn preview(&self, notice: &Notice) -> String {
        let Tracker { url: base, repo, label, assignees, .. } = &self.tracker;
        let place = url(base).map_or_else(|error| error.to_string(), |base| public(&base));
        let what = match notice.moment {
            Moment::Opened => format!("an issue in {repo} at {place}, label {label}, for {assignees:?}"),
            Moment::Closed => format!("a comment on the issue in {repo} at {place}, which is closed"),
            _ => format!("a comment on the issue in {repo} at {place}"),
        };
        format!("{what}:\n{}\n\n{}", title(notice), body(notice))
    }

    fn patience(&self) -> std::time::Duration {
        // Several requests, and as many pages as there are.
        std::time::Duration::from_mins(2)
    }

    fn most(&self) -> Option<usize> {
        Some(self.tracker.max_issues)
    }
}

fn title(notice: &Notice) -> String {
    let title = notice.subject().replace(['\r', '\n'], " ");
    title[..title.floor_char_boundary(240)].to_owned()
}

/// Words in Markdown. What a job has said goes between fences: it may look like a mention, or like our marker.
fn text(notice: &Notice) -> String {
    let body = notice.body();
    let mut fence = "```".to_owned();
    while body.contains(&fence) {
        fence.push('`');
    }
    format!("**{}**\n\n{fence}text\n{body}\n{fence}\n", notice.headline())
}

fn body(notice: &Notice) -> String {
    format!("{}\n{}\n", text(notice), marker::of(notice))
}
