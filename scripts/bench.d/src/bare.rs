//! The least that a scheduler could do: `bare COUNT PERIOD ROUNDS PROGRAM ARG...` sleeps until the wall clock is at a whole
//! multiple of PERIOD seconds, starts the program COUNT times, waits for all of them, and does so ROUNDS times.
//!
//! It writes nothing down, reads no definition and remembers nothing: the distance to it is what scheduling costs.

use std::{
    env,
    process::{Child, Command, Stdio},
};

use rustix::{
    thread::{ClockId, clock_nanosleep_absolute},
    time::{Timespec, clock_gettime},
};

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let [count, period, rounds, program, arguments @ ..] = words.as_slice() else {
        panic!("bare COUNT PERIOD ROUNDS PROGRAM ARG...");
    };
    let count: usize = count.parse().expect("COUNT is a number");
    let period: i64 = period.parse().expect("PERIOD is a number of seconds");
    let rounds: usize = rounds.parse().expect("ROUNDS is a number");
    for _ in 0..rounds {
        let now = clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
        let until = Timespec { tv_sec: (now / period + 1) * period, tv_nsec: 0 };
        while clock_nanosleep_absolute(ClockId::Realtime, &until).is_err() {}
        // The standard library starts these with posix_spawn, as sched's runner does.
        let spawn = || Command::new(program).args(arguments).stdin(Stdio::null()).spawn().expect("the program starts");
        let mut children: Vec<Child> = (0..count).map(|_| spawn()).collect();
        for child in &mut children {
            child.wait().expect("a child can be waited for");
        }
    }
}
