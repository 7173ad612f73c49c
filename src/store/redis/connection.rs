//! `Connection`: a connection to the primary that holds our keys.
//!
//! - All our keys are in one cluster slot, so support for a cluster is to follow the `MOVED` of a
//!   node that does not hold them. A Sentinel names the primary.
//! - A replica is refused: its data may be old, and it takes no writes.
//! - A connection whose answer is late is dropped by its user, with everything still in flight on
//!   it.

use std::{sync::Arc, time::Duration};

use ::redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisConnectionInfo, RedisError, Script,
    ServerErrorKind, aio::MultiplexedConnection, cmd,
};
use futures_util::future;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::ServerName},
};

use super::{Place, Redis, away::is_denied};
use crate::store::{StoreError, StoreErrorKind};

/// How long one configured address has, from the first packet to a primary that has been checked.
const GREETING: Duration = Duration::from_secs(1);
/// How long a command may take, unless it blocks on purpose.
const ANSWER: Duration = Duration::from_secs(1);
/// How many servers one attempt may dial, following `MOVED`.
const MOST_MOVES: usize = 3;

/// A connection to the primary that holds our keys.
pub(crate) struct Connection {
    commands: MultiplexedConnection,
    driver: AbortHandle,
    /// The server's replication id, which names the history of its data: another history may lack
    /// some of our keys. Empty if the server does not show it.
    pub(crate) history: String,
    /// The server's `maxmemory-policy` when the connection was made, if it evicts keys that have no
    /// expiry.
    pub(crate) evicts: Option<String>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // By itself the task ends only once everything written is sent. To a peer that is gone,
        // that may take minutes.
        self.driver.abort();
    }
}

impl Connection {
    /// Sends a command, and waits up to a second for the answer.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.ask_within(ANSWER, command).await
    }

    /// Sends a command, and waits up to `limit` for the answer.
    pub(crate) async fn ask_within<T: FromRedisValue>(
        &self,
        limit: Duration,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        let mut commands = self.commands.clone();
        let answer = timeout(limit, command.query_async(&mut commands)).await;
        answer.map_err(|_| late())?.map_err(failed)
    }

    /// Returns the server's present history. Fails if the server has become a replica: a demoted
    /// primary keeps its connections open.
    pub(crate) async fn history_now(&self) -> Result<String, StoreError> {
        if self.history.is_empty() {
            return Ok(String::new());
        }
        let told = timeout(ANSWER, self.replication()).await;
        told.map_err(|_| late())?.map_err(failed)
    }

    /// Returns the server's history, and fails if the server is a replica.
    async fn replication(&self) -> Result<String, RedisError> {
        let info = self.info("replication").await?;
        if field(&info, "role").is_some_and(|role| role != "master") {
            return Err(refusal("the server is a replica"));
        }
        let history = field(&info, "master_replid").unwrap_or_default();
        Ok(history.to_owned())
    }

    /// Returns the policy by which the server evicts keys that have no expiry. `None` if it does
    /// not, or does not say.
    async fn eviction(&self) -> Option<String> {
        let info = self.info("memory").await.ok()?;
        // Without a limit nothing is evicted, whatever the policy.
        field(&info, "maxmemory").filter(|limit| *limit != "0")?;
        let policy = field(&info, "maxmemory_policy")?;
        policy.starts_with("allkeys-").then(|| policy.to_owned())
    }

    /// Returns a section of the server's description of itself. Empty if the ACL of this user
    /// forbids INFO: the layer goes on without the checks that need it.
    async fn info(&self, section: &str) -> Result<String, RedisError> {
        let mut commands = self.commands.clone();
        let mut info = cmd("INFO");
        match info.arg(section).query_async(&mut commands).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Ok(String::new())
            }
            info => info,
        }
    }

    /// Runs a script, which Redis executes atomically.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<T, StoreError> {
        let mut commands = self.commands.clone();
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        for argument in arguments {
            call.arg(argument);
        }
        let answer = timeout(ANSWER, call.invoke_async(&mut commands)).await;
        answer.map_err(|_| late())?.map_err(failed)
    }
}

impl Redis {
    /// Connects to the primary that holds our keys. Tries every configured address at once, and
    /// takes the first that leads there.
    pub(crate) async fn connect(&self) -> Result<Connection, StoreError> {
        let attempts = self.places.iter().map(|place| {
            Box::pin(async move {
                let led = timeout(GREETING, self.follow(place)).await;
                led.map_err(|_| late())?.map_err(failed)
            })
        });
        // At once and not in turn: a dead address would cost its whole second before the next is
        // tried.
        let (connection, _others) = future::select_ok(attempts).await?;
        Ok(connection)
    }

    async fn follow(&self, place: &Place) -> Result<Connection, RedisError> {
        let mut place = match &self.sentinels_of {
            Some(name) => place.master(name).await?,
            None => place.clone(),
        };
        // Nodes whose maps of the cluster differ may point at each other for ever.
        for _ in 0..MOST_MOVES {
            let mut connection = place.dial(&place.login()).await?;
            match self.find(&mut connection).await {
                Ok(()) => return Ok(connection),
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => {
                    place = moved(&place, &error).ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal("redirected too often between cluster nodes"))
    }

    /// Checks that this server holds our keys, and that it is the primary.
    async fn find(&self, connection: &mut Connection) -> Result<(), RedisError> {
        let mut commands = connection.commands.clone();
        let mut exists = cmd("EXISTS");
        // Any command with one of our keys makes a cluster node answer `MOVED` if it lacks them.
        exists.arg(self.key("state"));
        let _: i64 = exists.query_async(&mut commands).await?;
        // Asked together, in one round trip.
        let (history, evicts) = future::join(connection.replication(), connection.eviction()).await;
        (connection.history, connection.evicts) = (history?, evicts);
        Ok(())
    }
}

impl Place {
    fn login(&self) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default()
            .set_db(self.database)
            .set_lib_name("tower-magic-link", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &self.user {
            login = login.set_username(user);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        login
    }

    /// Asks a Sentinel for the primary.
    async fn master(&self, name: &str) -> Result<Self, RedisError> {
        // Without a login: the credentials of the URL are the server's, not the Sentinel's.
        let sentinel = self.dial(&RedisConnectionInfo::default()).await?;
        let mut commands = sentinel.commands.clone();
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(name);
        let answer: Option<(String, u16)> = question.query_async(&mut commands).await?;
        let (host, port) = answer.ok_or_else(|| refusal("the Sentinel knows no such primary"))?;
        Ok(self.beside(&host, port))
    }

    async fn dial(&self, login: &RedisConnectionInfo) -> Result<Connection, RedisError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // A command is one small write. Nagle's algorithm would hold it back until the last one is
        // acknowledged.
        stream.set_nodelay(true)?;
        if self.is_tls {
            greet(login, self.wrap(stream).await?).await
        } else {
            greet(login, stream).await
        }
    }

    async fn wrap(
        &self,
        stream: TcpStream,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, RedisError> {
        let told = |error| RedisError::from(std::io::Error::other(error));
        // Named here: the process-wide default belongs to the application, which may have installed
        // another or none.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(told)?
            .with_platform_verifier()
            .map_err(told)?
            .with_no_client_auth();
        let name = ServerName::try_from(self.host.clone());
        let name = name.map_err(|error| RedisError::from(std::io::Error::other(error)))?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(connector.connect(name, stream).await?)
    }
}

async fn greet<S>(login: &RedisConnectionInfo, stream: S) -> Result<Connection, RedisError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Each command has its own limit; a shared one would cut the follower's blocking reads.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let made = MultiplexedConnection::new_with_config(login, stream, config).await;
    let (commands, driver) = made?;
    Ok(Connection {
        commands,
        driver: tokio::spawn(driver).abort_handle(),
        history: String::new(),
        evicts: None,
    })
}

/// Returns the server that a `MOVED` names, as `host:port`.
fn moved(from: &Place, error: &RedisError) -> Option<Place> {
    let (node, _slot) = error.redirect_node()?;
    let (host, port) = node.rsplit_once(':')?;
    Some(from.beside(host, port.parse().ok()?))
}

/// Returns the value of a field of the server's description of itself.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = info.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn refusal(problem: &'static str) -> RedisError {
    (ErrorKind::Client, problem).into()
}

/// Converts a failure of the client into the store's error.
fn failed(error: RedisError) -> StoreError {
    if is_denied(&error) {
        return StoreError::caused(StoreErrorKind::Denied, error);
    }
    StoreError::unavailable(error)
}

fn late() -> StoreError {
    StoreError::new(StoreErrorKind::TimedOut)
}
