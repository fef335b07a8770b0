//! What would happen: the planner and the rules of the store, played through over a clock that nobody waits for.
//!
//! [`Simulation`] makes the calls that the engine makes (plan, admit, claim, start, finish, recover, housekeep), on a book in
//! memory, from one event to the next. So what it answers is what the rules say, and not what a second set of rules would.
//! Nothing runs, and nothing is written.
//!
//! | file | job |
//! |---|---|
//! | `scenario` | what is played: jobs, a stretch of time, how long runs take, downtime, a clock that is set |
//! | `course` | the events, one after the other |
//! | `pass` | one pass of the engine, without its tasks and its disk |
//! | `tally` | what became of each job |
//! | `load` | starts and open runs, minute by minute |
//!
//! Where two things come at one instant, what is due is decided before what ends: a run begins a moment after its instant, so
//! one that takes just as long as the period is still open when the next comes. Of runs that wait for one place since the
//! same instant chance chooses in fact; here it is their number, so that a scenario comes to the same each time.

mod course;
mod load;
mod pass;
mod scenario;
mod tally;

pub use self::{
    course::{Fire, Simulation, Step},
    load::{Load, Minute},
    scenario::{ASSUMED, Scenario},
    tally::{Report, Tally},
};

#[cfg(test)]
mod tests;
