//! What systemd learns of the guard (`Type=notify`): that it listens, that it reads its files
//! again, and that it is about to end.
//!
//! A message is a datagram to the socket that `NOTIFY_SOCKET` names (sd_notify(3)). Without that
//! variable nobody is told anything. A message that cannot be sent is logged, and changes nothing.

/// Says that the guard listens, or has read its files again.
pub(super) fn ready() {
    tell("READY=1");
}

/// Says that the guard reads its files again. [`ready`] follows.
pub(super) fn reloading() {
    // `Type=notify-reload` compares this time with that of its signal.
    #[cfg(target_os = "linux")]
    {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }
}

/// Says that the guard is about to end.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

#[cfg(target_os = "linux")]
fn tell(message: &str) {
    use std::{
        env,
        os::{
            linux::net::SocketAddrExt,
            unix::{
                ffi::OsStrExt,
                net::{SocketAddr, UnixDatagram},
            },
        },
    };

    let Some(name) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let send = || {
        // A name that begins with @ is one of the abstract namespace.
        let address = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A supervisor that does not read must not hold the guard up.
        socket.set_nonblocking(true)?;
        socket.send_to_addr(message.as_bytes(), &address)
    };
    if let Err(error) = send() {
        tracing::warn!(target: "guard", "NOTIFY_SOCKET cannot be written to: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
const fn tell(_message: &str) {}
