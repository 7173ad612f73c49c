//! `Connections`: connections to one mail server, kept for the next mail.
//!
//! - A mail takes a connection out, and puts it back when the server has accepted the mail. If the
//!   mail fails or is given up half-way, the connection is dropped: a late reply on it would be
//!   taken for the answer to another mail. lettre's own pool puts such connections back.
//! - A kept connection may take no more mail: servers bound the mails per connection, and hang up.
//!   A mail that has not left then goes out over a new one, which is tried once.
//! - There are never more connections than the pool's size. Other mails wait for one.
//! - It spawns no task, and connects only when the first mail is sent.

use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lettre::{
    address::Envelope,
    transport::smtp::{
        authentication::DEFAULT_MECHANISMS,
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};

use super::{
    conversation,
    failure::{LOST, NO_STARTTLS, REFUSED, TOO_LONG, UNREACHED, told, told_of_handshake, was_lost},
    plaintext::Plaintext,
    server::{Protection, Server},
};
use crate::{error::ConfigError, mailer::MailError};

/// Servers close an idle connection after five minutes or later (RFC 5321, section 4.5.3.2.7),
/// firewalls sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// How long a kept connection may take to say that it is still there.
const STILL_THERE: Duration = Duration::from_secs(2);
/// The least time that one of the server's addresses has to answer. Linux asks again after a second
/// if the first packet was lost.
const LEAST_PER_ADDRESS: Duration = Duration::from_millis(1_500);
const POOL_SIZE: usize = 10;

/// Connections to one mail server.
pub(super) struct Connections {
    server: Server,
    hello: ClientId,
    roots: Vec<Certificate>,
    tls: Option<TlsParameters>,
    free: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

/// A connection that waits for the next mail.
struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl Connections {
    pub(super) fn new(server: Server, hello: ClientId) -> Result<Self, ConfigError> {
        let mut connections = Self {
            server,
            hello,
            roots: Vec::new(),
            tls: None,
            free: Semaphore::new(POOL_SIZE),
            idle: Mutex::default(),
        };
        connections.prepare_tls()?;
        Ok(connections)
    }

    pub(super) fn resize(&mut self, size: usize) {
        self.free = Semaphore::new(size);
    }

    pub(super) fn trust(&mut self, root: Certificate) -> Result<(), ConfigError> {
        self.roots.push(root);
        self.prepare_tls()
    }

    /// Sends one mail before the deadline.
    pub(super) async fn send(
        &self,
        envelope: &Envelope,
        text: &[u8],
        deadline: Instant,
    ) -> Result<(), MailError> {
        // The permit is held until the mail is sent or dropped, so that the number of connections
        // stays bounded in either case.
        let permit = self.permit();
        let _permit = self.within(deadline, permit, MailError::of_server).await?;
        let kept = pin!(self.over_kept(envelope, deadline));
        let mut connection = match kept.await? {
            Some(connection) => connection,
            None => pin!(self.over_new(envelope, deadline)).await?,
        };
        let sent = conversation::hand_over(&mut connection, text);
        self.within(deadline, sent, MailError::after_sending)
            .await?;
        self.keep(connection);
        Ok(())
    }

    /// Connects and signs in as for a mail, and says goodbye.
    pub(super) async fn greet(&self, deadline: Instant) -> Result<(), MailError> {
        let _permit = self.permit().await?;
        let mut connection = self.connect(deadline).await?;
        conversation::leave(&mut connection);
        Ok(())
    }

    /// Returns what connecting takes with this server, in words.
    pub(super) fn steps(&self) -> &'static str {
        match (self.server.is_plain(), &self.server.credentials) {
            (true, None) => "the SMTP greeting",
            (true, Some(_)) => "the SMTP greeting and sign-in",
            (false, None) => "the SMTP greeting over TLS",
            (false, Some(_)) => "the SMTP greeting over TLS, and sign-in",
        }
    }

    /// Takes a step of a mail, or gives it up at the deadline. `late` says what that means.
    async fn within<T>(
        &self,
        deadline: Instant,
        step: impl Future<Output = Result<T, MailError>>,
        late: fn(MailError) -> MailError,
    ) -> Result<T, MailError> {
        timeout_at(deadline, step).await.unwrap_or_else(|_| {
            // If one connection hangs, the others usually do too.
            self.idle().clear();
            Err(late(MailError::because(TOO_LONG)))
        })
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, MailError> {
        let closed = |_| MailError::because("the mailer is closed");
        self.free.acquire().await.map_err(closed)
    }

    /// Names sender and recipient over a kept connection.
    ///
    /// Returns `None` if there is none, or if it takes no more mail. Some servers bound the mails
    /// per connection: they answer 250 to `NOOP` and refuse the next `MAIL`, or hang up. Nothing
    /// has left by then, so the caller may try a new connection.
    async fn over_kept(
        &self,
        envelope: &Envelope,
        deadline: Instant,
    ) -> Result<Option<AsyncSmtpConnection>, MailError> {
        let kept = async { Ok(self.take(deadline).await) };
        let kept = self.within(deadline, kept, MailError::of_server).await?;
        let Some(mut connection) = kept else {
            return Ok(None);
        };
        let begun = conversation::begin(&mut connection, envelope);
        let begun = self.within(deadline, begun, MailError::of_server).await;
        if begun.is_err() {
            return Ok(None);
        }
        let named = conversation::name_recipient(&mut connection, envelope);
        match self.within(deadline, named, MailError::in_doubt).await {
            Ok(()) => Ok(Some(connection)),
            Err(error) if was_lost(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Connects, and names sender and recipient.
    async fn over_new(
        &self,
        envelope: &Envelope,
        deadline: Instant,
    ) -> Result<AsyncSmtpConnection, MailError> {
        let begun = pin!(self.begin(envelope, deadline));
        let begun = self.within(deadline, begun, MailError::of_server).await;
        let mut connection = begun?;
        let named = conversation::name_recipient(&mut connection, envelope);
        self.within(deadline, named, MailError::in_doubt).await?;
        Ok(connection)
    }

    /// Connects, and names the sender. Before a recipient is named, nothing that fails is its
    /// fault.
    async fn begin(
        &self,
        envelope: &Envelope,
        deadline: Instant,
    ) -> Result<AsyncSmtpConnection, MailError> {
        let connected = self.connect(deadline).await;
        let mut connection = connected.map_err(MailError::of_server)?;
        conversation::begin(&mut connection, envelope).await?;
        Ok(connection)
    }

    /// Keeps a connection for the next mail, and closes those that have waited for too long: a
    /// younger one may have served all mail.
    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle();
        idle.retain(|other| other.since.elapsed() < LONGEST_IDLE);
        idle.push(Idle {
            connection,
            since: Instant::now(),
        });
    }

    /// Takes an idle connection that still answers.
    async fn take(&self, deadline: Instant) -> Option<AsyncSmtpConnection> {
        // At most half of the mail's time, so that there is time for another one.
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = STILL_THERE.min(left / 2);
        loop {
            let Idle {
                mut connection,
                since,
            } = self.idle().pop()?;
            if since.elapsed() >= LONGEST_IDLE {
                continue;
            }
            // Servers hang up on idle clients, and a mail on a dead connection would be lost time.
            match timeout(patience, connection.test_connected()).await {
                Ok(true) => return Some(connection),
                Ok(false) => {}
                Err(_) => {
                    // If one connection hangs, the others usually do too.
                    self.idle().clear();
                    return None;
                }
            }
        }
    }

    async fn connect(&self, deadline: Instant) -> Result<AsyncSmtpConnection, MailError> {
        let server = &self.server;
        let mut connection = match (server.protection, self.tls.clone()) {
            (Protection::StartTls, Some(tls)) => self.connect_and_upgrade(tls, deadline).await?,
            (_, wrapper) => {
                let told_of_connection = match wrapper {
                    Some(_) => told_of_handshake,
                    None => told,
                };
                let address = (server.host.as_str(), server.port);
                let patience = Some(per_address(deadline));
                let hello = &self.hello;
                let connected =
                    AsyncSmtpConnection::connect_tokio1(address, patience, hello, wrapper, None);
                let connected = connected.await;
                connected.map_err(|error| told_of_connection(UNREACHED, &error))?
            }
        };
        // Checked again, whatever lettre did above: no password and no link goes out in the clear.
        if !server.is_plain() && !connection.is_encrypted() {
            return Err(MailError::because("the connection is not encrypted"));
        }
        if let Some(credentials) = &server.credentials {
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|error| told(REFUSED, &error))?;
        }
        Ok(connection)
    }

    /// Connects in the clear, and has the server change to TLS.
    async fn connect_and_upgrade(
        &self,
        tls: TlsParameters,
        deadline: Instant,
    ) -> Result<AsyncSmtpConnection, MailError> {
        let (server, hello) = (&self.server, &self.hello);
        let stream = Plaintext::connect(&server.host, server.port, per_address(deadline)).await;
        let stream = Box::new(stream.map_err(|_| MailError::because(LOST))?);
        let connected = AsyncSmtpConnection::connect_with_transport(stream, hello).await;
        let mut connection = connected.map_err(|error| told(UNREACHED, &error))?;
        let upgraded = connection.starttls(tls, hello).await;
        upgraded.map_err(|error| told_of_handshake(NO_STARTTLS, &error))?;
        Ok(connection)
    }

    fn prepare_tls(&mut self) -> Result<(), ConfigError> {
        if self.server.is_plain() {
            return Ok(());
        }
        let mut builder = TlsParameters::builder(self.server.host.clone());
        for root in &self.roots {
            builder = builder.add_root_certificate(root.clone());
        }
        let unusable = |_| {
            let problem = "cannot be used, or this machine has no root certificates";
            ConfigError::secret("root_certificate", problem)
        };
        self.tls = Some(builder.build_rustls().map_err(unusable)?);
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how long each of the server's addresses may take to accept a connection: a third of the
/// time that the mail has left, so that there is time for another one if the first is silent.
fn per_address(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    LEAST_PER_ADDRESS.max(left / 3)
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("server", &self.server)
            .field("free", &self.free.available_permits())
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins: a silent first address of a mail server took all the time of every mail.
    #[tokio::test(start_paused = true)]
    async fn an_address_of_the_server_has_a_third_of_the_time_and_time_for_a_second_packet() {
        let now = Instant::now();
        let cases = [
            (0, 1_500),
            (1_000, 1_500),
            (3_000, 1_500),
            (6_000, 2_000),
            (60_000, 20_000),
        ];
        for (left, want) in cases {
            let deadline = now + Duration::from_millis(left);
            assert_eq!(per_address(deadline), Duration::from_millis(want), "{left}");
        }
        tokio::time::advance(Duration::from_secs(4)).await;
        let deadline = now + Duration::from_secs(10);
        assert_eq!(per_address(deadline), Duration::from_secs(2));
    }
}
