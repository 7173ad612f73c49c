//! What is read again at SIGHUP: the file of keys, and the certificate.
//!
//! - Each is read by itself: one that cannot be used, or whose file system hangs, stays as it was,
//!   is logged as an error, and keeps the other from nothing. No request waits, and no connection
//!   is closed.
//! - systemd waits until both are read, and no longer than [`PATIENCE`]. A read of the certificate
//!   that ends later still counts. Keys whose read took five seconds or more are read again, three
//!   reads in all: they are also followed, and what was read slowly may be older than what is in
//!   use by then.
//! - A SIGHUP during a read has the file read once more: it may have changed in the meantime.
//! - The file of keys is followed anyway, within twenty seconds. A SIGHUP takes it at once, and so
//!   takes a file as it is: put a new one into place as a whole.
//! - All other settings are those of the start.

use std::{io, sync::Arc, time::Duration};

use futures_util::future::OptionFuture;
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use tower_magic_link::{
    KeyRing,
    keys::{KeyFile, KeyHandle},
    settings::Settings,
};

use super::{certificate::Certificate, supervisor};

/// How long systemd waits for a file that is being read. Its own limit is 90 seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// What was read faster than this is at least as new as what the follower has applied. For a change
/// it reads the file twice, ten seconds apart.
const FRESH: Duration = Duration::from_secs(5);
/// How often a file of keys is read for one signal, if each read takes longer.
const READS: usize = 3;

/// Reads a file again, and logs what has come of it.
type Read = Arc<dyn Fn() + Send + Sync>;

/// What can be read again, each by the name of its setting.
pub(super) struct Files(Vec<(&'static str, Read)>);

/// The signals that ask for it. They are kept from the moment when this is made: before, a SIGHUP
/// would end the program.
pub(super) struct Asked {
    #[cfg(unix)]
    signals: tokio::signal::unix::Signal,
}

/// A file that a task of its own reads each time it is asked to.
struct Reader {
    name: &'static str,
    /// How many signals have asked for the file.
    asked: watch::Sender<u64>,
    /// How many of them a read has answered that began after them.
    answered: watch::Receiver<u64>,
}

impl Files {
    pub(super) fn of(
        settings: &Settings,
        keys: &KeyRing,
        certificate: Option<Certificate>,
    ) -> Self {
        let mut files: Vec<(_, Read)> = Vec::new();
        if let Some(path) = settings.text("key_file") {
            let (path, keys) = (path.to_owned(), keys.handle());
            files.push(("key_file", Arc::new(move || read_keys(&path, &keys))));
        }
        if let Some(certificate) = certificate {
            let read = move || read_certificate(&certificate);
            files.push(("tls_certificate", Arc::new(read)));
        }
        Self(files)
    }
}

impl Asked {
    pub(super) fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            #[cfg(unix)]
            signals: signal(SignalKind::hangup())?,
        })
    }

    /// Has the files read again at each signal, for as long as the program runs.
    pub(super) async fn answer(mut self, files: Files) {
        let readers: Vec<_> = files.0.into_iter().map(Reader::start).collect();
        // Until when systemd waits, if it does.
        let mut until = None;
        loop {
            let all = until.map(|until| timeout_at(until, all_answered(&readers)));
            tokio::select! {
                biased;
                true = self.next() => {
                    if ask(&readers) {
                        until.get_or_insert_with(|| Instant::now() + PATIENCE);
                    }
                }
                Some(_) = OptionFuture::from(all) => {
                    for late in readers.iter().filter(|reader| !reader.has_answered()) {
                        let name = late.name;
                        tracing::error!(
                            target: "guard",
                            "SIGHUP: {name} is not read yet: what was read before stays in use"
                        );
                    }
                    supervisor::ready();
                    until = None;
                }
                else => return,
            }
        }
    }

    #[cfg(unix)]
    async fn next(&mut self) -> bool {
        self.signals.recv().await.is_some()
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> bool {
        false
    }
}

impl Reader {
    fn start((name, read): (&'static str, Read)) -> Self {
        let (asked, mut signals) = watch::channel(0);
        let (answers, answered) = watch::channel(0);
        tokio::spawn(async move {
            while signals.changed().await.is_ok() {
                let count = *signals.borrow_and_update();
                let read = Arc::clone(&read);
                // Reading blocks, and a network file system may block for long. If it panics, what
                // was read before is still there.
                let _ = spawn_blocking(move || read()).await;
                answers.send_replace(count);
            }
        });
        Self {
            name,
            asked,
            answered,
        }
    }

    fn ask(&self) {
        if !self.has_answered() {
            let name = self.name;
            tracing::warn!(
                target: "guard",
                "SIGHUP: {name} is still being read for an earlier one, and once more after that"
            );
        }
        self.asked
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn has_answered(&self) -> bool {
        let asked = *self.asked.borrow();
        *self.answered.borrow() == asked
    }

    /// Waits until a read has ended that began after the last signal.
    async fn answers(&self) {
        let asked = *self.asked.borrow();
        // Without its task, which only the program's end stops, nothing is read any more.
        let _ = self
            .answered
            .clone()
            .wait_for(|count| *count == asked)
            .await;
    }
}

async fn all_answered(readers: &[Reader]) {
    for reader in readers {
        reader.answers().await;
    }
}

/// Passes a signal on. Returns whether systemd waits for the answers.
fn ask(readers: &[Reader]) -> bool {
    if !supervisor::reloading() {
        tracing::warn!(
            target: "guard",
            "SIGHUP: nothing is read again: the guard is about to end"
        );
        return false;
    }
    if readers.is_empty() {
        tracing::warn!(
            target: "guard",
            "SIGHUP: neither key_file nor tls_certificate is set, and other settings are read at \
             the start alone"
        );
    }
    readers.iter().for_each(Reader::ask);
    true
}

fn read_keys(path: &str, handle: &KeyHandle) {
    let mut reads = (0..READS).map(|_| {
        let begun = Instant::now();
        (KeyFile::open(path), begun.elapsed())
    });
    // An older file may have a key that has leaked, and must not come back. An error puts no key
    // back.
    let fresh = reads.find(|(read, took)| read.is_err() || *took < FRESH);
    let Some((read, _)) = fresh else {
        tracing::error!(
            target: "guard",
            "SIGHUP: the keys stay as they were for now: each read of key_file took too long. It \
             is followed as before"
        );
        return;
    };
    match read {
        Ok(file) => {
            let keys = file.keys();
            handle.replace(&keys);
            tracing::info!(target: "guard", ?keys, "SIGHUP: key_file is read again");
        }
        Err(error) => {
            tracing::error!(target: "guard", "SIGHUP: the keys stay as they were: {error}");
        }
    }
}

fn read_certificate(certificate: &Certificate) {
    match certificate.read_again() {
        Ok(()) => tracing::info!(target: "guard", "SIGHUP: tls_certificate is read again"),
        Err(error) => {
            tracing::error!(target: "guard", "SIGHUP: the certificate stays as it was: {error}");
        }
    }
}
