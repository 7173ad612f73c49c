//! What is read again at SIGHUP: the file of keys, and the certificate.
//!
//! - Each is read by itself: one that cannot be used stays as it was, is logged as an error, and
//!   keeps the other from nothing. No request waits, and no connection is closed.
//! - The file of keys is followed anyway, within twenty seconds. A SIGHUP takes it at once, and so
//!   takes a file as it is: put a new one into place as a whole.
//! - All other settings are those of the start.

use std::{io, sync::Arc};

use tokio::task::spawn_blocking;
use tower_magic_link::{
    KeyRing,
    keys::{KeyFile, KeyHandle},
    settings::Settings,
};

use super::{certificate::Certificate, supervisor};

/// What can be read again.
pub(super) struct Files {
    keys: Option<(String, KeyHandle)>,
    certificate: Option<Certificate>,
}

/// The signals that ask for it. They are kept from the moment when this is made: before, a SIGHUP
/// would end the program.
pub(super) struct Asked {
    #[cfg(unix)]
    signals: tokio::signal::unix::Signal,
}

impl Files {
    pub(super) fn of(
        settings: &Settings,
        keys: &KeyRing,
        certificate: Option<Certificate>,
    ) -> Self {
        let path = settings.text("key_file").map(str::to_owned);
        Self {
            keys: path.map(|path| (path, keys.handle())),
            certificate,
        }
    }

    fn read_again(&self) {
        if self.keys.is_none() && self.certificate.is_none() {
            tracing::warn!(
                target: "guard",
                "SIGHUP: neither key_file nor tls_certificate is set, and other settings are read \
                 at the start alone"
            );
        }
        if let Some((path, handle)) = &self.keys {
            match KeyFile::open(path) {
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
        if let Some(certificate) = &self.certificate {
            match certificate.read_again() {
                Ok(()) => tracing::info!(target: "guard", "SIGHUP: tls_certificate is read again"),
                Err(error) => tracing::error!(
                    target: "guard",
                    "SIGHUP: the certificate stays as it was: {error}"
                ),
            }
        }
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

    /// Reads the files again at each signal, for as long as the program runs.
    pub(super) async fn answer(mut self, files: Files) {
        let files = Arc::new(files);
        while self.next().await {
            supervisor::reloading();
            let files = Arc::clone(&files);
            // Reading blocks, and a network file system may block for long. If it panics, the
            // former keys and certificate are still there.
            let _ = spawn_blocking(move || files.read_again()).await;
            supervisor::ready();
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
