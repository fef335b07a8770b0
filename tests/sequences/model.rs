//! What a store must do, as short as it can be said. It shares no code with the stores, and knows only jobs that are due every
//! minute and are never behind, but for want of a place.

use super::{IN_GROUP, JOBS, PLACES, Step};

/// What is seen of a store: jobs in force, open occurrences, and the history, each sorted and in words.
pub(crate) type View = (Vec<String>, Vec<String>, Vec<String>);

#[derive(Debug, Default)]
pub(crate) struct Model {
    minute: i64,
    jobs: [Job; 3],
    open: Vec<Open>,
    history: Vec<String>,
}

#[derive(Debug, Default, Clone)]
struct Job {
    exists: bool,
    incarnation: u32,
    paused: bool,
    /// The first minute that isn't settled.
    next: i64,
    asked: Vec<String>,
}

#[derive(Debug, Clone)]
struct Open {
    job: usize,
    /// Job, incarnation, and minute or key.
    name: String,
    /// The minute it is owed at, if a schedule says so.
    minute: Option<i64>,
    state: &'static str,
    epoch: u32,
    cancel: bool,
}

impl Model {
    /// Takes a step. Answers which occurrence it chose, and what is to be seen afterwards.
    pub(crate) fn take(&mut self, step: Step) -> (Option<String>, View) {
        let choice = match step {
            Step::Add(job) => {
                self.add(job);
                None
            }
            Step::Remove(job) => {
                if self.jobs[job].exists {
                    self.jobs[job] = Job { exists: false, paused: false, ..self.jobs[job].clone() };
                    let (waiting, rest) =
                        self.open.drain(..).partition(|open| open.job == job && open.state != "running");
                    self.open = rest;
                    let waiting: Vec<Open> = waiting;
                    self.history.extend(waiting.iter().map(|open| format!("{} skipped: removed", open.name)));
                }
                None
            }
            Step::Pause(job) => {
                self.jobs[job].paused |= self.jobs[job].exists;
                None
            }
            Step::Resume(job) => {
                self.resume(job);
                None
            }
            Step::Minute => {
                self.minute += 1;
                (0..JOBS.len()).for_each(|job| self.admit(job));
                None
            }
            Step::Ask(job, key) => {
                self.ask(job, key);
                None
            }
            Step::Claim(n) => self.choose(n, |open| open.state == "queued").inspect(|name| self.claim(name)),
            Step::Start(n) => self.choose(n, |open| open.state == "claimed").inspect(|name| self.start(name)),
            Step::Finish(n, well) => self.choose(n, |open| open.state == "running").inspect(|name| {
                self.close(name, if well { "succeeded" } else { "failed" });
            }),
            Step::Cancel(n) => self.choose(n, |_| true).inspect(|name| {
                if self.find(name).state == "running" {
                    self.find(name).cancel = true;
                } else {
                    self.close(name, "cancelled");
                }
            }),
        };
        (choice, self.view())
    }

    fn add(&mut self, job: usize) {
        if !self.jobs[job].exists {
            let incarnation = self.jobs[job].incarnation + 1;
            self.jobs[job] = Job { exists: true, incarnation, next: self.minute + 1, ..Job::default() };
        }
    }

    fn resume(&mut self, job: usize) {
        if self.jobs[job].paused {
            let (from, to) = (self.jobs[job].next, self.minute);
            if from <= to {
                self.history.push(format!("{} paused: {from} to {to}", JOBS[job]));
                self.jobs[job].next = to + 1;
            }
            self.jobs[job].paused = false;
        }
    }

    fn is_busy(&self, job: usize) -> bool {
        self.open.iter().any(|open| open.job == job && open.state != "queued")
    }

    fn admit(&mut self, job: usize) {
        if !self.jobs[job].exists || self.jobs[job].paused {
            return;
        }
        self.jobs[job].next = self.minute + 1;
        let name = format!("{}/{}/{}", JOBS[job], self.jobs[job].incarnation, self.minute);
        if job > 0 && self.is_busy(job) {
            self.history.push(format!("{name} skipped: the previous run was still open"));
        } else {
            let waits = |open: &&Open| open.state == "queued";
            let behind_others = IN_GROUP[job] && self.open.iter().filter(waits).any(|open| IN_GROUP[open.job]);
            let has_place = !behind_others && self.has_place(job);
            self.coalesce(job);
            let (state, epoch) = if has_place { ("claimed", 1) } else { ("queued", 0) };
            self.open.push(Open { job, name, minute: Some(self.minute), state, epoch, cancel: false });
        }
    }

    /// Of the instants of a job that wait, one may for two minutes; else the newest stands for all of them.
    fn coalesce(&mut self, job: usize) {
        let waiting = self.open.iter().filter(|open| open.job == job && open.state == "queued");
        let waiting: Vec<(i64, String)> = waiting.filter_map(|open| Some((open.minute?, open.name.clone()))).collect();
        if waiting.len() > 1 || waiting.iter().any(|(minute, _)| self.minute - minute > 2) {
            for (_, name) in &waiting {
                self.close(name, "skipped: coalesced into a later run");
            }
        }
    }

    /// Whether the group of a job has room for one more.
    fn has_place(&self, job: usize) -> bool {
        let taken = self.open.iter().filter(|open| IN_GROUP[open.job] && open.state != "queued").count();
        !IN_GROUP[job] || taken < PLACES
    }

    fn ask(&mut self, job: usize, key: u8) {
        let name = format!("{}/{}/key{key}", JOBS[job], self.jobs[job].incarnation);
        if !self.jobs[job].exists || self.jobs[job].asked.contains(&name) {
            return;
        }
        self.jobs[job].asked.push(name.clone());
        if self.jobs[job].paused {
            self.history.push(format!("{name} skipped: paused"));
        } else if job > 0 && self.is_busy(job) {
            self.history.push(format!("{name} skipped: the previous run was still open"));
        } else {
            self.open.push(Open { job, name, minute: None, state: "queued", epoch: 0, cancel: false });
        }
    }

    fn claim(&mut self, name: &str) {
        let job = self.find(name).job;
        if self.jobs[job].paused {
            self.close(name, "skipped: paused");
        } else if (job == 0 || !self.is_busy(job)) && self.has_place(job) {
            let open = self.find(name);
            (open.state, open.epoch) = ("claimed", open.epoch + 1);
        }
    }

    fn start(&mut self, name: &str) {
        if self.jobs[self.find(name).job].paused {
            self.close(name, "skipped: paused");
        } else {
            self.find(name).state = "running";
        }
    }

    fn close(&mut self, name: &str, end: &str) {
        self.open.retain(|open| open.name != name);
        self.history.push(format!("{name} {end}"));
    }

    fn find(&mut self, name: &str) -> &mut Open {
        self.open.iter_mut().find(|open| open.name == name).expect("it is open")
    }

    fn choose(&self, n: usize, from: impl Fn(&Open) -> bool) -> Option<String> {
        let mut names: Vec<&String> = self.open.iter().filter(|open| from(open)).map(|open| &open.name).collect();
        names.sort();
        (!names.is_empty()).then(|| names[n % names.len()].clone())
    }

    fn view(&self) -> View {
        let jobs = self.jobs.iter().zip(JOBS).filter(|(job, _)| job.exists);
        let jobs = jobs.map(|(job, name)| {
            format!("{name}/{} next {}{}", job.incarnation, job.next, if job.paused { " paused" } else { "" })
        });
        // Runs of a job that was removed go on, and are shown again with a new life of it.
        let open = self.open.iter().filter(|open| self.jobs[open.job].exists).map(|open| {
            format!("{} {} {}{}", open.name, open.state, open.epoch, if open.cancel { " to be cancelled" } else { "" })
        });
        sorted(jobs.collect(), open.collect(), self.history.clone())
    }
}

pub(crate) fn sorted(mut jobs: Vec<String>, mut open: Vec<String>, mut history: Vec<String>) -> View {
    jobs.sort();
    open.sort();
    history.sort();
    (jobs, open, history)
}
