//! When the program is to end: at SIGTERM, as systemd and Docker send it, or at Ctrl-C. A second
//! Ctrl-C does not wait for the grace.

use std::{io, process};

use tokio::{signal, sync::watch};

use super::supervisor;

/// Returns what becomes `true` when the program is to end.
pub(super) fn signal() -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = signal::ctrl_c().await;
        // First: without a connection that is open, the program ends at once.
        supervisor::stopping();
        // It is kept, so that the state stays known.
        stop.send_replace(true);
        tokio::select! {
            () = stop.closed() => {}
            // As a shell reports a program that SIGINT has ended.
            Ok(()) = signal::ctrl_c() => process::exit(130),
        }
    });
    Ok(stopped)
}
