//! How far something has got that takes more than a moment: a bar on stderr, if that is a terminal.

use std::{sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that shows itself only after a second.
pub(crate) struct Bar(ProgressBar);

/// Begins; `what` is what is being done.
pub(crate) fn bar(what: &'static str) -> Bar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent}% {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    Bar(bar)
}

impl Bar {
    /// What is told how much of how much has been done.
    pub(crate) fn bytes(&self) -> Arc<dyn Fn(u64, u64) + Send + Sync> {
        let bar = self.0.clone();
        Arc::new(move |done, all| {
            if bar.is_hidden() && bar.elapsed() >= Duration::from_secs(1) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            bar.set_length(all);
            bar.set_position(done);
        })
    }

    /// It is done.
    pub(crate) fn finish(self) {
        self.0.finish_and_clear();
    }
}
