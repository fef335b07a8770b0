//! Notices that others changed something: inotify on the home and its state, or a look every two seconds where inotify can't
//! be had. A notice is only a hint: whoever gets one looks for themselves, and everybody looks at every beat anyway.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::manifest::Manifest;
use crate::{Home, vfs::Vfs};

const POLL: Duration = Duration::from_secs(2);

pub(super) struct Watched {
    pub(super) fs: Arc<dyn Vfs>,
    pub(super) home: Home,
    /// Where the store's own reading of the journal stands: its own appends are no news.
    pub(super) end: Arc<AtomicU64>,
}

impl Watched {
    /// Bumps `changed` on every notice, until `stop`.
    pub(super) async fn run(self, changed: watch::Sender<u64>, stop: CancellationToken) {
        let mut before = self.look();
        #[cfg(target_os = "linux")]
        let mut notices = match inotify::Notices::of(&[self.home.path(), &self.home.state()]) {
            Ok(notices) => Some(notices),
            Err(error) => {
                tracing::warn!(%error, "inotify can't be had; edits are looked for every 2 s instead");
                None
            }
        };
        #[cfg(not(target_os = "linux"))]
        let mut notices: Option<never::Notices> = None;
        loop {
            let notice = async {
                match &mut notices {
                    Some(notices) => notices.next().await.is_ok(),
                    None => {
                        tokio::time::sleep(POLL).await;
                        true
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                well = notice => if !well { notices = None },
            }
            let now = self.look();
            if now != before {
                before = now;
                changed.send_modify(|count| *count += 1);
            }
        }
    }

    /// What is different when others have changed something.
    fn look(&self) -> impl PartialEq + use<> {
        let stat = |path: &std::path::Path| self.fs.stat(path).ok();
        let generation = stat(&self.home.manifest());
        let manifest = Manifest::read(&*self.fs, &self.home).ok().flatten();
        let journal = manifest.map(|manifest| self.home.journal(manifest.generation));
        let len = journal.and_then(|journal| stat(&journal)).map(|stat| stat.len);
        let unread = len.filter(|len| *len != self.end.load(Ordering::Relaxed));
        (generation, unread, stat(&self.home.jobs_json()), stat(&self.home.config_yaml()))
    }
}

#[cfg(target_os = "linux")]
mod inotify {
    use std::{io, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
    use tokio::io::unix::AsyncFd;

    pub(super) struct Notices(AsyncFd<OwnedFd>);

    impl Notices {
        pub(super) fn of(folders: &[&Path]) -> io::Result<Self> {
            let fd = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            for folder in folders {
                // Not "opened" or "closed": our own looking must not be news to us.
                let what = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_TO;
                add_watch(&fd, *folder, what | WatchFlags::MOVED_FROM | WatchFlags::ONLYDIR)?;
            }
            #[expect(deprecated, reason = "the replacement is unsafe; an OwnedFd always answers the same descriptor")]
            let fd = AsyncFd::new(fd)?;
            Ok(Self(fd))
        }

        /// Waits for notices and takes all there are.
        pub(super) async fn next(&mut self) -> io::Result<()> {
            let mut ready = self.0.readable().await?;
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(ready.get_inner(), &mut buffer);
            loop {
                match reader.next() {
                    Ok(_) => {}
                    Err(rustix::io::Errno::AGAIN) => break,
                    Err(error) => return Err(error.into()),
                }
            }
            ready.clear_ready();
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod never {
    pub(super) enum Notices {}

    impl Notices {
        pub(super) async fn next(&mut self) -> std::io::Result<()> {
            match *self {}
        }
    }
}
