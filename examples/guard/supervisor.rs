//! What systemd learns of the guard (`Type=notify`): that it listens, that it reads its files
//! again, and that it is about to end.
//!
//! - A message is a datagram to the socket that `NOTIFY_SOCKET` names (sd_notify(3)). If that
//!   variable is not set or empty, no message is sent.
//! - A supervisor that is busy has a second to make room. A message that cannot be sent is logged,
//!   and changes nothing.
//! - That the guard is about to end is the last message.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::block_in_place;

/// Says whether the last message was sent. It is locked while one is sent, so that none follows the
/// last one.
static IS_STOPPING: Mutex<bool> = Mutex::new(false);

/// Says that the guard listens, or has read its files again.
pub(super) fn ready() {
    block_in_place(|| {
        if !*is_stopping() {
            tell("READY=1");
        }
    });
}

/// Says that the guard reads its files again. [`ready`] follows. Returns `false`, and says nothing,
/// if the guard is about to end.
pub(super) fn reloading() -> bool {
    block_in_place(|| {
        let is_stopping = is_stopping();
        // `Type=notify-reload` compares this time with that of its signal.
        #[cfg(target_os = "linux")]
        if !*is_stopping {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
            let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
            tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
        }
        !*is_stopping
    })
}

/// Says that the guard is about to end.
pub(super) fn stopping() {
    block_in_place(|| {
        *is_stopping() = true;
        tell("STOPPING=1");
    });
}

fn is_stopping() -> MutexGuard<'static, bool> {
    IS_STOPPING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
fn tell(message: &str) {
    use std::{
        env, io,
        os::{
            linux::net::SocketAddrExt,
            unix::{
                ffi::OsStrExt,
                net::{SocketAddr, UnixDatagram},
            },
        },
        time::Duration,
    };

    /// How long to wait for room in the socket's queue. Without a wait, a message that meets a full
    /// queue would be lost; a supervisor that does not read must not hold the guard up.
    const PATIENCE: Duration = Duration::from_secs(1);

    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return;
    };
    let send = || {
        // A name that begins with @ is one of the abstract namespace.
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        loop {
            match socket.send_to_addr(message.as_bytes(), &address) {
                // A signal came. With a time-out, the system does not go on by itself (signal(7)).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => break sent,
            }
        }
    };
    if let Err(error) = send() {
        tracing::warn!(target: "guard", "NOTIFY_SOCKET cannot be written to: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
const fn tell(_message: &str) {}
