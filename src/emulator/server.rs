//! `EmulatorServer`: the emulator on a loopback port.
//!
//! - It listens only on `127.0.0.1`: any client that reaches an emulator can sign in as any person.
//! - Dropping it stops it and ends every connection.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::Emulator;

/// How long to wait after a failed `accept`, for instance without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// An emulator on a port of `127.0.0.1`. Dropping it stops it.
#[derive(Debug)]
#[must_use = "it stops when it is dropped"]
pub struct EmulatorServer {
    emulator: Emulator,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Serves HTTP/1.1 on a port of `127.0.0.1`, from a task of its own. Port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with IO and time.
    pub async fn serve(&self, port: u16) -> io::Result<EmulatorServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let emulator = self.at(format!("http://{address}"));
        let task = tokio::spawn(accept(listener, emulator.clone()));
        Ok(EmulatorServer {
            emulator,
            address,
            task,
        })
    }
}

impl EmulatorServer {
    /// Returns the base URL for clients: `http://127.0.0.1:PORT`, or what the builder fixed.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.emulator.base_url()
    }

    /// Returns the port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the emulator that is served, with the base URL of this server.
    pub const fn emulator(&self) -> &Emulator {
        &self.emulator
    }
}

impl Drop for EmulatorServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, emulator: Emulator) {
    // A set, so that aborting this task also ends its connections.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, emulator.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the emulator accepts no connection for a moment");
                // The usual reason is that no descriptor is left. Without a pause this loop would
                // take a whole core.
                tokio::time::sleep(PAUSE).await;
            }
        }
        // A `JoinSet` keeps each finished task until it is joined.
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, emulator: Emulator) {
    let service = service_fn(move |request: Request<Incoming>| {
        let emulator = emulator.clone();
        async move { emulator.answer(request).await }
    });
    // An error here is the client's, or a fault that a test ordered.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
