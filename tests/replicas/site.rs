//! The site: what its replicas share, and the replicas.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, redirect::Policy};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    companion::SessionIssuer,
    emulator::{Emulator, EmulatorServer},
    provider::Identity,
    testing::StubProvider,
};

use crate::{names::ORIGIN, program::Program, wall};

/// What the replicas share.
pub(crate) struct Site {
    pub(crate) workos: EmulatorServer,
    redis_url: String,
    key: String,
    /// Makes sessions with the same key.
    issuer: SessionIssuer,
}

/// One process of the application.
pub(crate) struct Replica {
    program: Program,
    pub(crate) origin: String,
}

impl Site {
    pub(crate) async fn new(redis_url: &str) -> Self {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).unwrap();
        let keys = KeyRing::new(SigningKey::hs256(secret).unwrap());
        let key = STANDARD.encode(secret);
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .build()
            .unwrap();
        Self {
            workos: Emulator::builder().build().serve(0).await.unwrap(),
            redis_url: redis_url.to_owned(),
            key,
            issuer: layer.issuer(),
        }
    }

    /// Starts a replica.
    pub(crate) fn replica(&self) -> Replica {
        self.replica_with(("X", ""))
    }

    /// Starts a replica with one more variable.
    pub(crate) fn replica_with(&self, variable: (&str, &str)) -> Replica {
        self.replica_having(&[variable])
    }

    /// Starts a replica whose clock is so many seconds ahead.
    pub(crate) fn replica_ahead(&self, seconds: i64) -> Replica {
        let variables = wall::ahead_by(seconds);
        let variables = variables.each_ref();
        self.replica_having(&variables.map(|(name, value)| (*name, value.to_str().unwrap())))
    }

    fn replica_having(&self, more: &[(&str, &str)]) -> Replica {
        let mut variables = more.to_vec();
        variables.extend([
            ("REDIS_URL", self.redis_url.as_str()),
            ("MAGIC_LINK_KEY", &self.key),
            ("PUBLIC_URL", ORIGIN),
            ("WORKOS_API_KEY", "sk_test"),
            ("WORKOS_CLIENT_ID", "client_test"),
            ("WORKOS_BASE_URL", self.workos.base_url()),
        ]);
        let mut program = Program::example("redis", &variables);
        let origin = program.says("listening on ");
        Replica { program, origin }
    }

    /// Returns the cookie of somebody who has signed in.
    pub(crate) fn cookie(&self, name: &str) -> String {
        let identity = Identity::new(
            format!("prof_{name}"),
            format!("{name}@example.com").parse().unwrap(),
        );
        let issued = self.issuer.issue(&identity).unwrap();
        format!("__Host-magic-link={}", issued.token().expose())
    }
}

impl Replica {
    /// Tells it to end, and waits until it has.
    pub(crate) fn end(mut self) {
        let pid = self.program.child.id().to_string();
        let told = std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status();
        assert!(told.unwrap().success());
        assert!(self.program.child.wait().unwrap().success());
    }
}

/// Returns a client that follows no redirect.
pub(crate) fn client() -> Client {
    Client::builder()
        .redirect(Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// What a replica answers to who has this cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// 503, and the cookie stays.
    Later,
    SignedIn,
    /// 401, and the cookie stays: a program may be late, and the browser have a newer one.
    SignedOut,
}

/// Asks a replica for its page; `None` if it cannot be reached.
pub(crate) async fn ask(client: &Client, origin: &str, cookie: &str) -> Option<Heard> {
    let request = client.get(origin).header("host", "app.example.com");
    let answer = request.header("cookie", cookie).send().await.ok()?;
    let removal = answer.headers().get("set-cookie").is_some();
    Some(match (answer.status().as_u16(), removal) {
        (200, false) => Heard::SignedIn,
        (401, false) => Heard::SignedOut,
        (503, false) => Heard::Later,
        other => panic!("{other:?}"),
    })
}

/// Signs the holder of a cookie out at a replica, and returns the status of the answer.
pub(crate) async fn sign_out(
    client: &Client,
    origin: &str,
    cookie: &str,
    form: &'static str,
) -> u16 {
    let request = client
        .post(format!("{origin}/auth/logout"))
        .header("host", "app.example.com")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie)
        .body(form);
    request.send().await.unwrap().status().as_u16()
}
