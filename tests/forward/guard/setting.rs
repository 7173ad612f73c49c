//! A guard to try things at, and clients that say what no library would.

use std::{
    env,
    fs::{self, File},
    process::Command,
    time::Duration,
};

use reqwest::{Client, redirect::Policy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    testing::{ManualClock, StubProvider},
};

use crate::{
    front::Folder,
    guard_program::{Door, Limits, Proxy, app, guarding, serve},
    person::ProxiedPerson,
    port::free_port,
    program::Program,
    site,
};

/// The longest that anything here may take.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// A guard in this process, with `/about` public, and the cookie of somebody who is signed in.
pub(super) struct Guarded {
    pub(super) origin: String,
    pub(super) cookie: String,
}

/// The guard as a program, and what it writes to standard error.
pub(super) struct Logged {
    pub(super) person: ProxiedPerson,
    pub(super) origin: String,
    program: Program,
    folder: Folder,
}

/// A version of HTTP, as a client begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

impl Guarded {
    pub(super) async fn before(service: &str) -> Self {
        Self::with(Proxy::to(service.parse().unwrap()), Limits::default()).await
    }

    pub(super) async fn with(proxy: Proxy, limits: Limits) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let clock = ManualClock::new();
        let builder = || {
            MagicLinkLayer::builder(StubProvider::new(), keys.clone())
                .public_url(&origin)
                .public_path("/about")
                .clock(clock.clone())
        };
        let (cookie, _) = site::cookie_of(&builder().build().unwrap());
        let app = app(guarding(builder()).unwrap(), proxy);
        tokio::spawn(serve(listener, app, limits, Door::default()));
        Self { origin, cookie }
    }

    pub(super) fn authority(&self) -> &str {
        self.origin.strip_prefix("http://").unwrap()
    }
}

impl Logged {
    pub(super) async fn before(service: &str) -> Self {
        let folder = Folder::new();
        let mut path = env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push(format!("examples/guard{}", env::consts::EXE_SUFFIX));
        let mut command = Command::new(path);
        command
            .env_remove("WORKOS_API_KEY")
            .env_remove("MAGIC_LINK_KEY")
            // What is no alarm is left out.
            .envs([("PORT", "0"), ("UPSTREAM", service), ("LOG_LEVEL", "error")])
            .stderr(File::create(folder.path().join("log")).unwrap());
        let mut program = Program::start(&mut command);
        let origin = program.says("listening on ");
        let mut person = ProxiedPerson::at(&origin);
        person
            .sign_in(|| program.says("sign-in link for ada@example.com: "))
            .await;
        Self {
            person,
            origin,
            program,
            folder,
        }
    }

    pub(super) fn authority(&self) -> &str {
        self.origin.strip_prefix("http://").unwrap()
    }

    /// Signs somebody else in.
    pub(super) async fn another(&mut self) -> ProxiedPerson {
        let mut person = ProxiedPerson::at(&self.origin);
        let program = &mut self.program;
        let link = || program.says("sign-in link for grace@example.com: ");
        person.sign_in_as("grace@example.com", link).await;
        person
    }

    /// Returns the errors that it has logged.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Version {
    pub(super) const BOTH: [Self; 2] = [Self::Http1, Self::Http2];

    pub(super) fn client(self) -> Client {
        let client = Client::builder().redirect(Policy::none());
        let client = match self {
            Self::Http1 => client.http1_only(),
            Self::Http2 => client.http2_prior_knowledge(),
        };
        client.build().unwrap()
    }
}

/// Where nothing listens, for as long as the socket is kept.
pub(super) fn nowhere() -> (String, TcpSocket) {
    let (port, held) = free_port();
    (format!("http://127.0.0.1:{port}"), held)
}

/// Sends bytes, and returns what comes back before the end. Only a `Connection: close` or a fault
/// makes one.
pub(super) async fn ask(authority: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    hear(&mut stream).await
}

/// Sends bytes and an end behind them, and returns what comes back.
pub(super) async fn cut_off(authority: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    hear(&mut stream).await
}

/// Returns what comes before the end.
pub(super) async fn hear(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut answer)).await;
    // A reset is an end too: a server that refuses may not have read all.
    let _ = read.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Returns the status of an answer as it was heard.
pub(super) fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    status.parse().unwrap_or_else(|_| panic!("{answer:?}"))
}
