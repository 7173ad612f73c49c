//! What stands in front of a guarded service: the guard, or a real proxy that asks, by the very
//! configuration that the documentation shows.

use std::{
    env, fs,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SigningKey,
    emulator::{Emulator, EmulatorServer},
    language::Words,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::{StoreError, StoreErrorKind, StoreFuture},
    testing::ManualClock,
    workos::WorkOs,
};

use crate::{
    configured::{Behind, command, logs::FILE},
    forward_auth_example::{self, Proxy},
    guard_example,
    heads::Heads,
    names::ADA,
    person::ProxiedPerson,
    port::free_port,
    program::Program,
};

/// How long a session lasts without a renewal, which is due after half of it.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3_600);

/// The longest that a proxy may take until it listens.
const LISTENING: Duration = Duration::from_secs(60);
/// The longest that a proxy that listens may take until it knows its routes.
const ROUTING: Duration = Duration::from_secs(20);

/// A program that asks or forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// The version of Debian.
    Caddy,
    Envoy,
    Guard,
    Haproxy,
    /// The version of today, from PyPI.
    NewCaddy,
    Nginx,
    Traefik,
}

/// A front that runs, with a sign-in service beside it. `/about` is public.
pub(crate) struct Running {
    pub(crate) origin: String,
    /// The time of the sign-in service behind a proxy.
    pub(crate) clock: ManualClock,
    /// What its sign-in service was asked.
    pub(crate) asked: Heads,
    pub(crate) store: Store,
    workos: EmulatorServer,
    program: Option<(Program, Folder)>,
    /// What keeps its ports from being given to other tests.
    held: Vec<TcpSocket>,
}

/// A revocation store of a sign-in service, which can be out of reach.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    ended: MemoryRevocations,
    pub(crate) is_out: Arc<AtomicBool>,
}

/// A folder that goes with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tower-magic-link-forward-{}-{count}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(crate) const fn path(&self) -> &PathBuf {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Revocations for Store {
    fn look_up(&self, session: &Session) -> Lookup {
        if self.is_out.load(Ordering::Relaxed) {
            return Lookup::Settled(Err(StoreError::new(StoreErrorKind::Unavailable)));
        }
        self.ended.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        self.ended.revoke(revocation)
    }
}

impl Front {
    /// Starts it in front of a service.
    pub(crate) async fn before(self, service: &str) -> Running {
        self.between(service, None, None, &[]).await
    }

    /// Starts it in front of a service of gRPC, and returns where its clients connect.
    pub(crate) async fn before_grpc(self, service: &str) -> (Running, String) {
        let (port, held) = free_port();
        let mut running = self.between(service, None, Some(port), &[]).await;
        running.held.push(held);
        let authority = match self {
            Self::Nginx => format!("127.0.0.1:{port}"),
            _ => running.authority().to_owned(),
        };
        (running, authority)
    }

    /// Starts it in front of a service, with another server in place of the sign-in service.
    pub(crate) async fn misled(self, service: &str, stray: &str) -> Running {
        self.between(service, Some(stray), None, &[]).await
    }

    /// Starts it with changes to the file that has the question, and with another server in place
    /// of the sign-in service if there is one.
    pub(crate) async fn changed(
        self,
        service: &str,
        stray: Option<&str>,
        changes: &[(&str, &str)],
    ) -> Running {
        self.between(service, stray, None, changes).await
    }

    async fn between(
        self,
        service: &str,
        stray: Option<&str>,
        grpc_port: Option<u16>,
        changes: &[(&str, &str)],
    ) -> Running {
        let (clock, asked, store) = (ManualClock::new(), Heads::default(), Store::default());
        let workos = Emulator::builder().build().serve(0).await.unwrap();
        if self == Self::Guard {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let origin = format!("http://{}", listener.local_addr().unwrap());
            let guard = guard_example::app(builder(&workos, &origin), service.parse().unwrap());
            serve(listener, guard.unwrap());
            return Running {
                origin,
                clock,
                asked,
                store,
                workos,
                program: None,
                held: Vec::new(),
            };
        }
        let (port, held) = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let sign_in = match stray {
            Some(stray) => stray.to_owned(),
            None => {
                let layer = builder(&workos, &origin).clock(clock.clone());
                let layer = layer.revocations(store.clone());
                self.sign_in_service(layer, &asked).await
            }
        };
        let folder = Folder::new();
        let behind = Behind {
            port,
            sign_in: authority(&sign_in),
            service: authority(service),
            grpc_port,
            changes,
        };
        let program = listening(command(self, folder.path(), &behind), port).await;
        routing(self, &format!("{origin}/auth/login")).await;
        Running {
            origin,
            clock,
            asked,
            store,
            workos,
            program: Some((program, folder)),
            held: vec![held],
        }
    }

    /// Starts what a proxy asks: the endpoints, and the question beside them.
    async fn sign_in_service(self, layer: Builder, asked: &Heads) -> String {
        let layer = layer.idle_timeout(LIFETIME).bearer_tokens();
        let layer = layer.trusted_proxies(["127.0.0.1"]);
        let proxy = match self {
            Self::Nginx => Proxy::Nginx,
            _ => Proxy::Other,
        };
        let app = forward_auth_example::app(layer, proxy).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        serve(listener, asked.before(app));
        origin
    }
}

impl Running {
    /// Somebody who is signed in here.
    pub(crate) async fn person(&self) -> ProxiedPerson {
        self.person_called(ADA).await
    }

    /// Somebody of this address who is signed in here.
    pub(crate) async fn person_called(&self, email: &str) -> ProxiedPerson {
        let mut person = ProxiedPerson::at(&self.origin);
        let mail = self.workos.emulator().clone();
        let link = || mail.last_link_to(email).expect("a mail");
        person.sign_in_as(email, link).await;
        person
    }

    /// The access log, as far as it is written.
    pub(crate) fn access_log(&self) -> String {
        let (_, folder) = self.program.as_ref().unwrap();
        fs::read_to_string(folder.path().join(FILE)).unwrap_or_default()
    }

    /// The address of its socket.
    pub(crate) fn authority(&self) -> &str {
        authority(&self.origin)
    }
}

fn builder(workos: &EmulatorServer, public_url: &str) -> Builder {
    let client = WorkOs::new("sk_test", "client_test").unwrap();
    let client = client.base_url(workos.base_url()).unwrap();
    MagicLinkLayer::builder(client, KeyRing::new(SigningKey::generate().unwrap()))
        .public_url(public_url)
        .cookie_name("magic-link")
        .languages([Words::english(), Words::german()])
        .public_path("/about")
        // The mail is read as soon as the answer is there.
        .insecure_answer_when_sent()
}

fn serve(listener: TcpListener, app: Router) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
}

/// Starts a server that says nothing when it listens; until then a connection is refused at once.
async fn listening(mut command: Command, port: u16) -> Program {
    let mut program = Program::start(&mut command);
    let listens = async {
        loop {
            let connected = TcpStream::connect(("127.0.0.1", port)).await;
            // After the connect: if the program has ended, another server took the connection.
            let ended = program.child.try_wait().unwrap();
            assert!(ended.is_none(), "{command:?} has ended: {ended:?}");
            if connected.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let listens = timeout(LISTENING, listens).await;
    assert!(
        listens.is_ok(),
        "{command:?} does not listen at {port} after {LISTENING:?}"
    );
    program
}

/// Waits until a proxy knows its routes. Traefik listens before that.
async fn routing(front: Front, form: &str) {
    let routes = async {
        while reqwest::get(form).await.unwrap().status() == 404 {
            tokio::task::yield_now().await;
        }
    };
    let routes = timeout(ROUTING, routes).await;
    assert!(
        routes.is_ok(),
        "{front:?} has no route to {form} after {ROUTING:?}"
    );
}

/// Returns what stands behind the scheme of an origin.
fn authority(origin: &str) -> &str {
    origin.strip_prefix("http://").unwrap()
}
