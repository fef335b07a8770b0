//! How far a long command is: a bar on a terminal's stderr, and only if it takes more than a moment.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Who is done before that needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many steps go by between looks at the time.
const SELDOM: u32 = 16;

/// How far it is.
pub(crate) struct Progress {
    length: u64,
    wanted: bool,
    began: Instant,
    steps: u32,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// At the beginning of something that is `length` long; nothing is ever shown if that is not wanted.
    pub(crate) fn new(length: u64, quiet: bool) -> Self {
        Self { length, wanted: !quiet, began: Instant::now(), steps: 0, bar: None }
    }

    /// It has come so far, and turns out to be `length` long.
    pub(crate) fn reached_of(&mut self, position: u64, length: u64) {
        self.length = length;
        if let Some(bar) = &self.bar {
            bar.set_length(length);
        }
        self.reached(position);
    }

    /// It has come so far.
    pub(crate) fn reached(&mut self, position: u64) {
        self.steps += 1;
        if !self.wanted || !self.steps.is_multiple_of(SELDOM) {
            return;
        }
        if self.bar.is_none() && self.began.elapsed() > PATIENCE {
            self.bar = Some(bar(self.length).with_elapsed(self.began.elapsed()));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(position);
        }
    }
}

impl Drop for Progress {
    /// Nothing is left of it on the screen, however the command ends.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Hidden by itself where stderr is no terminal.
fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("[{bar:40}] {percent}%, {eta} left") {
        Ok(style) => bar.with_style(style.progress_chars("##-")),
        Err(_) => bar,
    }
}
