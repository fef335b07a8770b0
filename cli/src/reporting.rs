//! The morning report of a home: everything that it is made of, collected.

use jiff::Timestamp;
use sched_monitor::{Material, Report};
use scheduler_core::{
    Home, JobStore as _,
    audit::{Audit, AuditQuery},
    liveness::verdict,
    store::{LedgerEntry, LedgerQuery},
};

use crate::{
    context::Context,
    daemon::machinery,
    facts::{self, Known},
    failure::Failure,
    outages,
};

/// The report on `home` since then. What can't be found out is said in it: a report that fails is no news at all.
pub(crate) async fn report(context: &Context, home: &Home, since: Timestamp) -> Report {
    let Known { facts, views, beats, alerts } = facts::collect(context, home).await;
    let mut gaps = Vec::new();
    let (history, audit) = match past(context, home, since).await {
        Ok((history, audit)) => (history, Some(audit)),
        Err(failure) => {
            gaps.push(format!("what ran, and what didn't: {}", failure.message));
            (Vec::new(), None)
        }
    };
    let config = &context.config().config;
    Report::of(&Material {
        agent: &machinery::agent(config),
        home: &home.path().display().to_string(),
        zone: &config.report.zone(&context.job_defaults().zone),
        since,
        facts: &facts,
        verdict: &verdict(&facts),
        jobs: &views,
        history: &history,
        audit: audit.as_ref(),
        alerts: &alerts,
        beats: &beats,
        gaps: &gaps,
    })
}

async fn past(context: &Context, home: &Home, since: Timestamp) -> Result<(Vec<LedgerEntry>, Audit), Failure> {
    let store = context.look()?;
    let history = store.ledger(LedgerQuery { since: Some(since), ..LedgerQuery::default() }).await?;
    let outages = outages::ongoing(home, context.now()).into_iter().collect();
    let audit = store.audit(AuditQuery { since: Some(since), outages, ..AuditQuery::default() }).await?;
    Ok((history, audit))
}
