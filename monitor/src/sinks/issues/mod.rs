//! An issue in a tracker: opened once, commented while the alert lasts, closed when it is over, with a comment.
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
        let mut ours = self.ours(api, &marker).await?.into_iter();
        let oldest = ours.next();
        // Whoever opened the others could not close them.
        if let Some(oldest) = &oldest {
            for younger in ours {
                give_way(api, oldest.number, younger.number).await?;
            }
        }
        Ok(oldest)
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
                give_way(api, oldest.number, opened).await?;
                Ok(oldest.number)
            }
            _ => Ok(opened),
        }
    }
}

/// Closes the younger of two issues about the same.
async fn give_way(api: &Api<'_>, oldest: u64, younger: u64) -> Result<()> {
    end(api, younger, &format!("The same as #{oldest}, which was opened earlier.")).await
}

/// Closes an issue, then says why. In this order: what can't be closed is tried again for hours, and would get a comment each
/// time. That of one that is closed is not worth another try, which could not know whether somebody else has closed it.
async fn end(api: &Api<'_>, issue: u64, why: &str) -> Result<()> {
    api.close(issue).await?;
    if let Err(error) = api.comment(issue, why).await {
        tracing::warn!(issue, %error, "the issue is closed, and why could not be written under it");
    }
    Ok(())
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
            (Some(issue), Moment::Closed) => {
                end(&api, issue.number, &text(notice.headline(), notice)).await?;
                issue.number
            }
            (Some(issue), _) => {
                api.comment(issue.number, &text(notice.headline(), notice)).await?;
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

/// The title of its issue, whenever that is opened: one that somebody has closed too early begins anew, and isn't news of the
/// old one.
fn title(notice: &Notice) -> String {
    let title = format!("[{}] {}", notice.sender.agent, notice.alert.headline()).replace(['\r', '\n'], " ");
    title[..title.floor_char_boundary(240)].to_owned()
}

/// Words in Markdown. What a job has said goes between fences: it may look like a mention, or like our marker.
fn text(headline: impl std::fmt::Display, notice: &Notice) -> String {
    let body = notice.body();
    let mut fence = "```".to_owned();
    while body.contains(&fence) {
        fence.push('`');
    }
    format!("**{headline}**\n\n{fence}text\n{body}\n{fence}\n")
}

fn body(notice: &Notice) -> String {
    format!("{}\n{}\n", text(notice.alert.headline(), notice), marker::of(notice))
}
