//! When the program is to end: at SIGTERM, as systemd and Docker send it, or at Ctrl-C.

use std::io;

use tokio::{signal, sync::watch};

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
        // It is kept, so that the state stays known.
        stop.send_replace(true);
        stop.closed().await;
    });
    Ok(stopped)
}
