//! Ended sessions in a PostgreSQL that the application has anyway: the `Revocations` port in one table and two statements.
//!
//! `DATABASE_URL=postgres://… cargo run --example postgres_revocations` makes the table, ends a session and looks it up. Every look-up is a round trip; an
//! application with many requests keeps a copy, or takes `RedisRevocations`. For production add TLS and a pool.

#![expect(clippy::print_stdout, reason = "it says what it did")]

use std::{env, error::Error, sync::Arc};

use tokio_postgres::{Client, NoTls, types::ToSql};
use tower_magic_link::{
    KeyRing, Lookup, MagicLinkLayer, Revocation, Revocations, Session, SigningKey, Standing,
    StoreError, StoreFuture, Target, testing::StubProvider,
};

/// One row for whatever was ended: a session, or all that have something in common and began up to a second.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS ended_sessions (
    kind text NOT NULL, name text NOT NULL, at bigint NOT NULL, until bigint NOT NULL, PRIMARY KEY (kind, name))";
/// An order that is there already is not shortened. Then what no token outlives is forgotten.
const END: &str =
    "WITH forgotten AS (DELETE FROM ended_sessions WHERE until <= $3 AND (kind, name) <> ($1, $2))
    INSERT INTO ended_sessions AS known VALUES ($1, $2, $3, $4) ON CONFLICT (kind, name) DO UPDATE
    SET at = greatest(known.at, excluded.at), until = greatest(known.until, excluded.until)";
const IS_ENDED: &str = "SELECT EXISTS (SELECT FROM ended_sessions WHERE kind = 'session' AND name = $1 OR at >= $2 AND
    (kind, name) IN (('subject', $3), ('address', $4), ('connection', $5), ('organization', $6), ('provider session', $7)))";

/// Remembers ended sessions in PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct PostgresRevocations(Arc<Client>);

impl PostgresRevocations {
    /// Connects, and makes the table where there is none.
    pub(crate) async fn connect(url: &str) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        // When it is lost, every look-up fails: the layer answers 503 and keeps the cookie.
        tokio::spawn(connection);
        client.execute(TABLE, &[]).await?;
        Ok(Self(Arc::new(client)))
    }

    async fn is_ended(&self, session: &Session) -> Result<bool, tokio_postgres::Error> {
        let [id, email] = [session.id().to_string(), session.email().to_lowercase()];
        let (at, subject) = (seconds(session.auth_time().as_secs()), session.subject());
        let (connection, organization) = (session.connection(), session.organization());
        let theirs = session.provider_session();
        #[rustfmt::skip]
        let values: [&(dyn ToSql + Sync); 7] = [&id, &at, &subject, &email, &connection, &organization, &theirs];
        self.0.query_one(IS_ENDED, &values).await?.try_get(0)
    }
}

impl Revocations for PostgresRevocations {
    fn look_up(&self, session: &Session) -> Lookup {
        let (store, session) = (self.clone(), session.clone());
        Lookup::Pending(Box::pin(async move {
            let is_ended = store.is_ended(&session).await;
            Ok(match is_ended.map_err(StoreError::unavailable)? {
                true => Standing::Revoked,
                false => Standing::Active,
            })
        }))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        let (kind, name) = match revocation.target() {
            Target::Session(id) => ("session", id.to_string()),
            Target::Subject(subject) => ("subject", subject.clone()),
            Target::Address(address) => ("address", address.to_lowercase()),
            Target::Connection(id) => ("connection", id.clone()),
            Target::Organization(id) => ("organization", id.clone()),
            Target::ProviderSession(id) => ("provider session", id.clone()),
            other => unreachable!("{other:?} is new: give it a kind"),
        };
        let [at, until] = [revocation.at(), revocation.until()].map(|time| seconds(time.as_secs()));
        Box::pin(async move {
            let ended = self.0.execute(END, &[&kind, &name, &at, &until]).await;
            ended.map(drop).map_err(StoreError::unavailable)
        })
    }
}

fn seconds(since_1970: u64) -> i64 {
    i64::try_from(since_1970).unwrap_or(i64::MAX)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = PostgresRevocations::connect(&env::var("DATABASE_URL")?).await?;
    let layer = MagicLinkLayer::builder(StubProvider::new(), KeyRing::new(SigningKey::generate()?))
        .public_url("https://app.example.com")
        .revocations(store.clone())
        .build()?;
    let ada = tower_magic_link::Identity::new("prof_ada", "ada@example.com".parse()?);
    let session = layer.issuer().issue(&ada)?.session().clone();
    layer.issuer().sign_out(&session).await?;
    if let Lookup::Pending(answer) = store.look_up(&session) {
        println!("the session that was signed out is {:?}", answer.await?);
    }
    Ok(())
}
