//! Ended sessions in the application's own PostgreSQL: the `Revocations` port in one table and two
//! statements.
//!
//! `DATABASE_URL=postgres://… cargo run --example postgres_revocations` makes the table, ends a
//! session and looks it up. Every look-up is a round trip. An application with many requests should
//! keep a local copy, or use `RedisRevocations`. For production add TLS and a pool.

#![expect(clippy::print_stdout, reason = "it says what it did")]

use std::{env, error::Error, sync::Arc};

use tokio_postgres::{Client, NoTls};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SigningKey,
    clock::Timestamp,
    revocation::{Lookup, Revocation, Revocations, Standing, Target},
    store::{StoreError, StoreFuture},
    testing::StubProvider,
};

/// One row for each revocation: of one session, or of all sessions of a target that began by `at`.
/// The index is for forgetting: without it each sign-out reads the whole table.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS ended_sessions (
    what text PRIMARY KEY, at bigint NOT NULL, until bigint NOT NULL);
    CREATE INDEX IF NOT EXISTS ended_sessions_until ON ended_sessions (until)";
/// Never shortens an entry. Deletes entries a minute after they end, by the database's clock and by
/// the revocation's time: the clock of the replica that revokes may be hours ahead.
const END: &str = "WITH forgotten AS (DELETE FROM ended_sessions
        WHERE until <= least($2, extract(epoch FROM now())::bigint) - 60 AND what <> $1)
    INSERT INTO ended_sessions AS known VALUES ($1, $2, $3) ON CONFLICT (what) DO UPDATE
    SET at = greatest(known.at, excluded.at), until = greatest(known.until, excluded.until)";
const IS_ENDED: &str = "SELECT EXISTS (SELECT FROM ended_sessions
    WHERE what = $1 OR at >= $2 AND what = ANY ($3))";

/// Remembers ended sessions in PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct PostgresRevocations(Arc<Client>);

impl PostgresRevocations {
    /// Connects, and makes the table if there is none.
    pub(crate) async fn connect(url: &str) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        // If the connection is lost, every look-up fails: the layer answers 503 and keeps the
        // cookie.
        tokio::spawn(connection);
        client.batch_execute(TABLE).await?;
        Ok(Self(Arc::new(client)))
    }

    async fn is_ended(&self, session: &Session) -> Result<bool, tokio_postgres::Error> {
        let id = Target::Session(session.id()).key();
        let all: Vec<_> = Target::all_of(session).map(|one| one.key()).collect();
        let at = seconds(session.revocable_from());
        let row = self.0.query_one(IS_ENDED, &[&id, &at, &all]).await?;
        row.try_get(0)
    }
}

impl Revocations for PostgresRevocations {
    fn look_up(&self, session: &Session) -> Lookup {
        let (store, session) = (self.clone(), session.clone());
        Lookup::Pending(Box::pin(async move {
            let is_ended = store
                .is_ended(&session)
                .await
                .map_err(StoreError::unavailable)?;
            Ok(match is_ended {
                true => Standing::Revoked,
                false => Standing::Active,
            })
        }))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let what = revocation.target().key();
            let [at, until] = [revocation.at(), revocation.until()].map(seconds);
            let ended = self.0.execute(END, &[&what, &at, &until]).await;
            ended.map(drop).map_err(StoreError::unavailable)
        })
    }
}

fn seconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = PostgresRevocations::connect(&env::var("DATABASE_URL")?).await?;
    let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
        .public_url("https://app.example.com")
        .revocations(store.clone())
        .build()?;
    let ada = tower_magic_link::provider::Identity::new("prof_ada", "ada@example.com".parse()?);
    let [ended, other] = [layer.issuer().issue(&ada)?, layer.issuer().issue(&ada)?];
    layer.issuer().sign_out(ended.session()).await?;
    let standing = [ended.session(), other.session()].map(|session| store.look_up(session));
    if let [Lookup::Pending(ended), Lookup::Pending(other)] = standing {
        let (ended, other) = (ended.await?, other.await?);
        println!("the session that was signed out is {ended:?}, another one is {other:?}");
    }
    Ok(())
}
