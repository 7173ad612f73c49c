//! The self-test: what would fail at the first sign-in, said before it.
//!
//! - It never ends the start. A provider, a mail server or a Redis that is away may come back, and
//!   those who are signed in need the first two for nothing. What ends the start are mistakes that
//!   no waiting mends: a setting, a secret, a file of keys, a certificate, a taken port.
//! - `--check` prints it and ends by it, for a deployment that would rather stay as it is.
//! - What stands in for something has not failed: nobody knows whether production works. The log
//!   has it as a warning.

use std::{io, time::Duration};

use futures_util::future::OptionFuture;
use http::Uri;
use tokio::{net::TcpStream, time::timeout};
use tower_magic_link::{
    MagicLinkLayer, check::Line, revocation::RedisRevocations, settings::Settings,
};

use super::secrets;

/// How long it waits for the ended sessions.
const LOAD: Duration = Duration::from_secs(10);

/// How long it waits for a connection to the service.
const CONNECT: Duration = Duration::from_secs(2);

/// What it finds out about.
pub(super) struct SelfTest {
    pub(super) layer: MagicLinkLayer,
    pub(super) settings: Settings,
    pub(super) store: Option<RedisRevocations>,
    /// A service to try a connection to. A start tries none: it may be up before the service.
    pub(super) upstream: Option<Uri>,
}

/// What it has found.
pub(super) struct Found {
    /// What stands in for something.
    stand_ins: Vec<Line>,
    lines: Vec<Line>,
}

impl SelfTest {
    pub(super) async fn run(self) -> Found {
        if let Some(store) = &self.store {
            // If it is not loaded by then, the report says so.
            let _ = timeout(LOAD, store.first_load()).await;
        }
        let upstream = OptionFuture::from(self.upstream.as_ref().map(reach));
        let (report, upstream) = tokio::join!(self.layer.check(), upstream);
        let (stand_ins, mut lines) = secrets::without_stand_ins(&self.settings, &report);
        lines.extend(upstream);
        Found { stand_ins, lines }
    }
}

impl Found {
    pub(super) fn is_ok(&self) -> bool {
        !self.lines.iter().any(Line::has_failed)
    }

    pub(super) fn print(&self) -> String {
        let lines = self.stand_ins.iter().chain(&self.lines);
        let lines: Vec<_> = lines.map(Line::to_string).collect();
        lines.join("\n")
    }

    pub(super) fn log(&self) {
        for line in &self.stand_ins {
            tracing::warn!(target: "guard", "self-test: {line}");
        }
        for line in &self.lines {
            match line.has_failed() {
                true => tracing::error!(target: "guard", "self-test: {line}"),
                false => tracing::info!(target: "guard", "self-test: {line}"),
            }
        }
    }
}

/// Tries a connection to the service, without a request.
async fn reach(upstream: &Uri) -> Line {
    let host = upstream.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = upstream.port_u16().unwrap_or(80);
    let late = || Err(io::Error::from(io::ErrorKind::TimedOut));
    let connected = timeout(CONNECT, TcpStream::connect((host, port))).await;
    match connected.unwrap_or_else(|_| late()) {
        Ok(_) => Line::passed("upstream: the service takes connections"),
        Err(error) => {
            let why = format!("the service takes no connection ({error}); it may start later");
            Line::not_checked("upstream", why)
        }
    }
}
