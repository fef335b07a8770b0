//! The bitsets' own matching against the `cron` crate: two programs that share no line have to answer the same.

use proptest::prelude::*;

use super::{
    super::{crontab, engine::Engine, matching, years::Years},
    oracle,
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_cron_crate(rule in oracle::rule(true), after in 0_i64..200_000_000_000) {
        let Ok(calendar) = crontab::parse_own(&rule.text()) else { return Ok(()) };
        let all: Years = (Years::FIRST..=Years::LAST).collect();
        let engine = Engine::new(&calendar);
        let mut at = after;
        for _ in 0..20 {
            let found = matching::next(&calendar, at);
            prop_assert_eq!(found, engine.next(&all, at), "`{}` after {}", rule.text(), at);
            let Some(found) = found else { break };
            at = found;
        }
    }
}

#[test]
fn the_end_of_time_is_no_match() {
    let calendar = crontab::parse_own("0 0 1 1 *").unwrap();
    let last_second = 253_402_207_200;
    assert_eq!(matching::next(&calendar, last_second), None);
    assert_eq!(matching::next(&calendar, i64::MAX), None);
}
