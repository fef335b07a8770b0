//! Work that may block, and the one thread on which it costs no hand-over.
//!
//! Handing work to another thread wakes that thread, and on an idle machine every wake-up takes longer than the work. Between
//! the instant of an occurrence and its process there would be four of them. So the engine sets a thread apart for a claim
//! that was made ahead: it sleeps until the instant, polls the beginning of the run, and then does itself what the run has
//! given to [`run`]. Everywhere else [`run`] is tokio's pool.

use std::{
    cell::RefCell,
    pin::Pin,
    task::{Context, Poll, Waker},
};

type Work = Box<dyn FnOnce() + Send>;

thread_local! {
    /// On a thread that is set apart, what has been given to it.
    static GIVEN: RefCell<Option<Vec<Work>>> = const { RefCell::new(None) };
}

/// Runs `work` on a thread that may block. Needs a tokio runtime.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let (answer, read) = tokio::sync::oneshot::channel();
/// scheduler_core::blocking::run(move || drop(answer.send(std::fs::read("/etc/hostname").is_ok())));
/// read.await.expect("it answers");
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn run(work: impl FnOnce() + Send + 'static) {
    let work: Work = Box::new(work);
    let left = GIVEN.with_borrow_mut(|given| match given {
        Some(given) => {
            given.push(work);
            None
        }
        None => Some(work),
    });
    if let Some(work) = left {
        tokio::task::spawn_blocking(work);
    }
}

/// Whether this thread is set apart, and may block while it polls.
pub(crate) fn is_allowed() -> bool {
    GIVEN.with_borrow(Option::is_some)
}

/// Polls `future` once on this thread, which may block. What is not over by that is handed to `hand_over`, to be polled
/// elsewhere; then the work that it gave is done here.
pub(crate) fn begin(
    mut future: Pin<Box<dyn Future<Output = ()> + Send>>,
    hand_over: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>),
) {
    /// Also when the future panics.
    struct Apart;
    impl Drop for Apart {
        fn drop(&mut self) {
            GIVEN.with_borrow_mut(|given| *given = None);
        }
    }
    GIVEN.with_borrow_mut(|given| *given = Some(Vec::new()));
    let apart = Apart;
    // Whoever polls next brings a waker of his own.
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let given = GIVEN.with_borrow_mut(Option::take).unwrap_or_default();
    drop(apart);
    if polled == Poll::Pending {
        hand_over(future);
    }
    for work in given {
        work();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn the_beginning_and_its_work_are_done_here_and_the_rest_elsewhere() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let _runtime = runtime.enter();
        let (told, heard) = mpsc::channel();
        let say = move |what: &'static str| told.send((what, thread::current().id())).unwrap();
        let future = Box::pin(async move {
            say("begins");
            assert!(is_allowed());
            let (answer, done) = tokio::sync::oneshot::channel();
            let working = say.clone();
            run(move || {
                working("works");
                answer.send(()).unwrap();
            });
            done.await.unwrap();
            assert!(!is_allowed());
            say("ends");
        });
        begin(future, |rest| drop(runtime.spawn(rest)));
        let order: Vec<_> = heard.iter().collect();
        let here = thread::current().id();
        assert_eq!(order.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["begins", "works", "ends"]);
        assert_eq!(order.iter().map(|(_, thread)| *thread == here).collect::<Vec<_>>(), [true, true, false]);
        assert!(!is_allowed());
    }

    #[test]
    fn a_thread_is_not_left_apart_by_a_panic() {
        let panics = std::panic::catch_unwind(|| begin(Box::pin(async { panic!("of a test") }), |_| ()));
        assert!(panics.is_err() && !is_allowed());
    }
}
