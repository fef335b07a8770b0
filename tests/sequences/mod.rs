//! Any sequence of what people, planners and runners ask of a store, on both stores and on a model of a few lines: all of them
//! must say the same after every step.
//!
//! `model` is the few lines, `real` brings what a store shows into the same form.

mod model;
mod real;

use proptest::{collection::vec, prelude::*};

use self::{model::Model, real::Real};

/// A step. Numbers choose among what there is to choose from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Add(usize),
    Remove(usize),
    Pause(usize),
    Resume(usize),
    /// A minute passes, and a pass admits what is due by then.
    Minute,
    /// Somebody asks for a run, with one of a few keys.
    Ask(usize, u8),
    Claim(usize),
    Start(usize),
    Finish(usize, bool),
    Cancel(usize),
}

/// The jobs that there may be: one whose runs may overlap, and two whose may not.
pub(crate) const JOBS: [&str; 3] = ["beside", "alone", "other"];

/// Which of them share the places of a group, and how many there are.
pub(crate) const IN_GROUP: [bool; 3] = [true, false, true];
pub(crate) const PLACES: usize = 2;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let job = 0..JOBS.len();
    let step = prop_oneof![
        3 => job.clone().prop_map(Step::Add),
        1 => job.clone().prop_map(Step::Remove),
        1 => job.clone().prop_map(Step::Pause),
        1 => job.clone().prop_map(Step::Resume),
        4 => Just(Step::Minute),
        3 => (job, 0..4u8).prop_map(|(job, key)| Step::Ask(job, key)),
        3 => (0..8usize).prop_map(Step::Claim),
        4 => (0..8usize).prop_map(Step::Start),
        4 => (0..8usize, any::<bool>()).prop_map(|(n, well)| Step::Finish(n, well)),
        1 => (0..8usize).prop_map(Step::Cancel),
    ];
    vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_steps_means_the_same_to_both_stores_and_to_the_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut model = Model::default();
            let mut stores = [Real::in_memory(), Real::on_a_disk()];
            for (n, step) in steps.iter().enumerate() {
                let (choice, expected) = model.take(*step);
                for store in &mut stores {
                    store.take(*step, choice.as_ref()).await;
                    for seen in store.views().await {
                        assert_eq!(seen, expected, "{} after step {n}, {step:?}, of {steps:?}", store.name());
                    }
                }
            }
            for store in &stores {
                store.audited(&steps).await;
            }
        });
    }
}
