//! Ports that nobody else is given for as long as a test needs them.

use tokio::net::TcpSocket;

/// Returns a port at which nobody listens, and what keeps others from being given it. Whoever names
/// it may listen there.
pub(crate) fn free_port() -> (u16, TcpSocket) {
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind(([127, 0, 0, 1], 0).into()).unwrap();
    (held.local_addr().unwrap().port(), held)
}
