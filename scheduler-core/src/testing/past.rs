//! What every store must be able to tell of the past: part of the suite in `stores`.

use jiff::SignedDuration;
use serde_json::json;

use super::stores::{Bench, at, id};
use crate::{
    Clock as _, ErrorKind,
    audit::{AuditQuery, End, NotOwed, Outage, OutageCause, Why},
    occurrence::SkipReason,
    store::{Edit, Start},
};

impl Bench {
    async fn why(&self, instant: &str) -> Why {
        self.store.explain(id("a"), at(instant)).await.expect("an explanation").why
    }
}

pub(super) async fn looking_back(bench: Bench) {
    bench.add("a", "* * * * *", json!({})).await;
    bench.minutes(1);
    let claim = bench.pass().await.remove(0);
    assert!(matches!(bench.start(&claim).await, Start::Go(_)));
    // It goes on while the next two instants come.
    bench.minutes(2);
    bench.pass().await;
    assert_eq!(bench.why("2026-03-01T10:01:00Z").await, Why::Open);
    assert!(bench.finish(&claim).await);

    let down = bench.clock.now();
    bench.minutes(10);
    let outage = Outage::new(OutageCause::Crashed, down, bench.clock.now()).with_detail("the power was cut");
    bench.store.note(vec![outage.clone()]).await.expect("note");
    assert_eq!(bench.why("2026-03-01T10:05:00Z").await, Why::Waiting);
    let claim = bench.pass().await.remove(0);
    assert!(matches!(bench.start(&claim).await, Start::Go(_)) && bench.finish(&claim).await);

    let edited = json!({"id": "a", "schedule": "30 * * * *", "command": ["true"]});
    bench.store.define(Edit::Replace(vec![edited])).await.expect("an edit");
    bench.minutes(20);

    let expected = [
        ("2026-03-01T10:00:00Z", Why::NotOwed(NotOwed::NotYetDefined { at: at("2026-03-01T10:00:30Z") })),
        ("2026-03-01T10:01:00Z", Why::Ran),
        ("2026-03-01T10:01:30Z", Why::NotOwed(NotOwed::NotInSchedule)),
        ("2026-03-01T10:02:00Z", Why::Skipped(SkipReason::Overlap)),
        ("2026-03-01T10:08:00Z", Why::Skipped(SkipReason::Coalesced)),
        ("2026-03-01T10:13:00Z", Why::Ran),
        ("2026-03-01T10:14:00Z", Why::NotOwed(NotOwed::NotInSchedule)),
        ("2026-03-01T10:30:00Z", Why::Waiting),
        ("2026-03-01T11:30:00Z", Why::ToCome),
    ];
    for (instant, why) in expected {
        assert_eq!(bench.why(instant).await, why, "{instant}");
    }
    let skipped = bench.store.explain(id("a"), at("2026-03-01T10:08:00Z")).await.expect("an explanation");
    assert_eq!(skipped.outages, std::slice::from_ref(&outage), "with the cause");
    let instead = skipped.in_its_place.expect("and the run that stood for it");
    assert_eq!(instead.run(), Some(&claim.run));
    assert_eq!(skipped.in_force.map(|in_force| in_force.revision), Some(1), "judged by the definition of its time");

    let since = Some(bench.clock.now() - SignedDuration::from_hours(1));
    let query = AuditQuery { job: Some(id("a")), since, ..AuditQuery::default() };
    let audit = bench.store.audit(query).await.expect("an audit");
    assert!(audit.is_complete() && audit.pruned_before.is_none(), "{audit:#?}");
    let job = &audit.jobs[0];
    let count = |end: End| job.count(|one| one == end);
    assert_eq!((job.owed, count(End::Waiting)), (14, 1));
    assert_eq!((count(End::Skipped(SkipReason::Overlap)), count(End::Skipped(SkipReason::Coalesced))), (2, 9));
    assert_eq!((audit.outages.len(), audit.outages[0].skipped, audit.outages[0].late), (1, 9, 1));

    let nobody = AuditQuery { job: Some(id("nobody")), ..AuditQuery::default() };
    let refused = bench.store.audit(nobody).await.expect_err("there is no such job").kind();
    assert_eq!(refused, ErrorKind::NotFound);
    let refused = bench.store.explain(id("nobody"), down).await.expect_err("there is no such job").kind();
    assert_eq!(refused, ErrorKind::NotFound);
    // What came before it went is on record as removed.
    bench.store.define(Edit::Remove(vec![id("a")])).await.expect("a removal");
    assert_eq!(bench.why("2026-03-01T10:30:00Z").await, Why::Skipped(SkipReason::Removed));
}
