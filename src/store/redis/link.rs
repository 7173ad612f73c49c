//! `Link`: one connection to one server, made in steps that are bounded one by one.
//!
//! The name and the first packet, TLS, the login, and the checks that follow it each take a round
//! trip or two. One limit over all of them would be long enough for a server far away only if it
//! were far too long for a server near by that is suspended.

use std::{fmt, future::Future, io, time::Duration};

use ::redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError, aio::MultiplexedConnection};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};

use super::{place::Address, trust::Trust};

/// How a link is made.
#[derive(Clone)]
pub(super) struct Terms {
    /// How long each step may take.
    pub(super) step: Duration,
    pub(super) trust: Trust,
}

/// A connection to a server.
pub(super) struct Link {
    pub(super) commands: MultiplexedConnection,
    driver: AbortHandle,
}

impl Link {
    /// Says whether it still carries commands. One that the server has closed is noticed at once.
    pub(super) fn is_open(&self) -> bool {
        !self.driver.is_finished()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // By itself the task ends only once everything written is sent. To a peer that is gone,
        // that may take minutes.
        self.driver.abort();
    }
}

impl Terms {
    /// Connects to a server and signs in.
    pub(super) async fn dial(
        &self,
        address: &Address,
        greeting: &RedisConnectionInfo,
    ) -> Result<Link, RedisError> {
        let (host, port, is_tls) = match address {
            Address::Tcp { host, port, is_tls } => (host.as_str(), *port, *is_tls),
            #[cfg(unix)]
            Address::Unix(path) => {
                let stream = tokio::net::UnixStream::connect(path);
                return self
                    .greet(greeting, self.step(Step::Connect, stream).await?)
                    .await;
            }
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        };
        let stream = self
            .step(Step::Connect, TcpStream::connect((host, port)))
            .await?;
        // A command is one small write. Nagle's algorithm would hold it back until the last one is
        // acknowledged.
        stream.set_nodelay(true)?;
        if is_tls {
            let wrapped = self.trust.wrap(host, stream);
            let wrapped = self.step(Step::Tls, wrapped).await?;
            self.greet(greeting, wrapped).await
        } else {
            self.greet(greeting, stream).await
        }
    }

    async fn greet<S>(&self, greeting: &RedisConnectionInfo, stream: S) -> Result<Link, RedisError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Each command has its own limit; a shared one would cut the follower's blocking reads.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(greeting, stream, config);
        let (commands, driver) = self.step(Step::Login, made).await?;
        Ok(Link {
            commands,
            driver: tokio::spawn(driver).abort_handle(),
        })
    }

    /// Waits for one step, for as long as it may take.
    pub(super) async fn step<T, E: Into<RedisError>>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, RedisError> {
        match timeout(self.step, work).await {
            Ok(done) => done.map_err(Into::into),
            Err(_) => {
                let late = format!("{step} took longer than {:?}", self.step);
                Err(io::Error::new(io::ErrorKind::TimedOut, late).into())
            }
        }
    }
}

/// A step of connecting.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// The name's address, and the first packet there and back.
    Connect,
    Tls,
    /// `AUTH` and `SELECT`.
    Login,
    /// A Sentinel names the primary.
    Sentinel,
    /// `INFO`, and whether the server holds our keys.
    Check,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the connection",
            Self::Tls => "the TLS handshake",
            Self::Login => "the login",
            Self::Sentinel => "the Sentinel's answer",
            Self::Check => "the check of the server",
        })
    }
}
