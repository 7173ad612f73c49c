//! Each way through the layer, by each algorithm and store.

use std::{net::IpAddr, time::Duration};

use http::{Request, StatusCode, header};
use tower::{Layer, service_fn};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SessionId, SigningKey,
    clock::{Clock, SystemClock, Timestamp},
    revocation::{MemoryRevocations, Revocation, Target},
    testing::StubProvider,
};

use crate::{
    Extent,
    redis::Replicas,
    requests::{
        ORIGIN, PATH, PROXY, bare_answer, grpc, hosted, navigation, program, question, text_answer,
    },
    turns::{Case, RUNS, Timed, at_once, footing, median},
};

const ADA: &str = "ada@example.com";
/// How long ago the session began that is due to be renewed: half of its idle time.
const AGE: Duration = Duration::from_secs(4 * 60 * 60);
const IDLE: Duration = Duration::from_secs(8 * 60 * 60);

/// The signatures and the store of a column.
struct Column<'a> {
    name: String,
    keys: KeyRing,
    store: Store<'a>,
    cases: Vec<Case>,
}

#[derive(Clone, Copy)]
enum Store<'a> {
    Memory(&'a MemoryRevocations),
    Redis(&'a Replicas),
}

/// The machine's clock, some hours ago.
#[derive(Debug)]
struct Earlier;

impl Clock for Earlier {
    fn now(&self) -> Timestamp {
        SystemClock::default().now() - AGE
    }
}

pub(crate) fn measure(extent: Extent) {
    let (rounds, people, revoked) = match extent {
        Extent::Bench => (153, 10_000, 1_000_000),
        Extent::Trial => (3, 10, 10),
    };
    let memory = MemoryRevocations::default();
    for number in 0..revoked {
        let id = SessionId::from_bytes(u128::to_be_bytes(number << 64 | number));
        let (begun, until) = (Timestamp::from_secs(0), Timestamp::from_secs(4_000_000_000));
        memory.record(&Revocation::new(Target::Session(id), begun, until));
    }
    let replicas = Replicas::start();
    let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut columns = Vec::new();
    let stores = [
        Some(("memory", Store::Memory(&memory))),
        replicas
            .as_ref()
            .map(|shared| ("Redis", Store::Redis(shared))),
    ];
    for (place, store) in stores.into_iter().flatten() {
        for key in [
            SigningKey::generate(),
            SigningKey::generate_ed25519(),
            SigningKey::es256_pem(p256.serialize_pem()),
        ] {
            let key = key.unwrap();
            let name = format!("{} {place}", key.algorithm());
            let mut column = Column {
                name,
                keys: KeyRing::new(key),
                store,
                cases: Vec::new(),
            };
            column.cases = column.cases(people);
            columns.push(column);
        }
    }

    let mut yardstick = Timed::hmac(signed_part());
    for _ in 0..rounds {
        yardstick.take_turn();
        columns
            .iter_mut()
            .flat_map(|column| &mut column.cases)
            .for_each(Case::take_turn);
    }
    print(&columns, &yardstick);
    println!(
        "{}",
        match replicas {
            Some(_) => format!("Memory has {revoked} ended sessions; Redis is a replica's copy."),
            None => "The columns of Redis are left out: no redis-server is installed.".to_owned(),
        }
    );
}

fn print(columns: &[Column<'_>], yardstick: &Timed) {
    println!("paths: what the layer adds to a request, in F, and its allocations");
    let mut figures = Vec::new();
    print!("{:<42}", "");
    for column in columns {
        print!("{:>14}", column.name);
    }
    println!();
    let rows = columns.iter().map(|column| column.cases.len()).max();
    for row in 0..rows.unwrap_or(0) {
        let cases = columns.iter().filter_map(|column| column.cases.get(row));
        for (place, case) in cases.enumerate() {
            if place == 0 {
                print!("{:<42}", case.name);
            }
            let runs: [f64; RUNS] = case.multiples(yardstick);
            figures.push(runs);
            print!("{:>9.2} ({:>2})", median(runs.to_vec()), case.allocations);
        }
        println!();
    }
    println!("{}", footing(yardstick, &figures));
}

impl Column<'_> {
    fn builder(&self) -> Builder {
        let builder = MagicLinkLayer::builder(StubProvider::new(), self.keys.clone())
            .public_url(ORIGIN)
            .public_path("/about")
            .optional_path("/home")
            .trusted_proxies([IpAddr::from(PROXY)]);
        match self.store {
            Store::Memory(memory) => builder.revocations(memory.clone()),
            Store::Redis(replicas) => builder.revocations(replicas.follows.clone()),
        }
    }

    /// Each way through the layer: by a host that has extensions and fields of its own, then by a
    /// bare service.
    fn cases(&self, people: usize) -> Vec<Case> {
        let layer = |configure: fn(Builder) -> Builder| configure(self.builder()).build().unwrap();
        let plain = layer(|builder| builder);
        let bearer = layer(Builder::bearer_tokens);
        let ada = session(&plain);
        let (_, token) = ada.split_once('=').unwrap();
        let forged = forged(&ada);
        let idle = layer(|builder| builder.idle_timeout(IDLE));
        let due = session(&layer(|builder| builder.idle_timeout(IDLE).clock(Earlier)));
        let ended = self.ended(&plain);
        let many: Vec<_> = (0..people)
            .map(|_| hosted(navigation(PATH, Some(&session(&plain)))))
            .collect();
        let at = |path, cookie| vec![hosted(navigation(path, cookie))];
        let (ok, found, denied) = (
            StatusCode::OK,
            StatusCode::SEE_OTHER,
            StatusCode::UNAUTHORIZED,
        );
        let mut renewing = idle.layer(service_fn(text_answer));
        let renewed = at_once(&mut renewing, hosted(navigation(PATH, Some(&due))));
        assert!(renewed.headers().contains_key(header::SET_COOKIE));
        let cold = layer(Builder::verify_each_request);
        // Other people: what the row before has looked up would be in the CPU's caches.
        let mut others = many.clone();
        others.rotate_left(many.len() / 2);
        let identity = layer(Builder::forward_identity);
        let streams = layer(Builder::end_streams);
        let mut cases: Vec<_> = [
            ("admitted", &plain, at(PATH, Some(&ada)), ok),
            ("admitted, each person once", &plain, many, ok),
            ("the same, verified each time", &cold, others, ok),
            ("public path, no session", &plain, at("/about", None), ok),
            ("public path, session", &plain, at("/about", Some(&ada)), ok),
            ("optional path, no session", &plain, at("/home", None), ok),
            (
                "optional path, session",
                &plain,
                at("/home", Some(&ada)),
                ok,
            ),
            ("admitted and renewed", &idle, at(PATH, Some(&due)), ok),
            (
                "bearer token",
                &bearer,
                vec![hosted(program(PATH, Some(token)))],
                ok,
            ),
            ("forward_identity", &identity, at(PATH, Some(&ada)), ok),
            ("end_streams", &streams, at(PATH, Some(&ada)), ok),
            ("gRPC", &bearer, vec![hosted(grpc(Some(token)))], ok),
            ("refused, no cookie (303)", &plain, at(PATH, None), found),
            (
                "refused, a program (401)",
                &plain,
                vec![hosted(program(PATH, None))],
                denied,
            ),
            (
                "refused, forged (303)",
                &plain,
                at(PATH, Some(&forged)),
                found,
            ),
            (
                "refused, revoked (303)",
                &plain,
                at(PATH, Some(&ended)),
                found,
            ),
            ("refused, gRPC", &bearer, vec![hosted(grpc(None))], ok),
        ]
        .into_iter()
        .map(|(name, layer, requests, want)| {
            let inner = service_fn(text_answer);
            Case::of(name, inner, layer.layer(inner), requests, want)
        })
        .collect();
        for (name, cookie, want) in [
            ("forward auth, permit", Some(ada.as_str()), ok),
            ("forward auth, refused (303)", None, found),
        ] {
            let inner = service_fn(text_answer);
            let requests = vec![question(cookie)];
            cases.push(Case::of(name, inner, plain.forward_auth(), requests, want));
        }
        for (name, cookie, want) in [
            ("bare: admitted", Some(&ada), ok),
            ("bare: refused, no cookie (303)", None, found),
            ("bare: refused, forged (303)", Some(&forged), found),
            ("bare: refused, revoked (303)", Some(&ended), found),
        ] {
            let inner = service_fn(bare_answer);
            let requests = vec![navigation(PATH, cookie.map(String::as_str))];
            cases.push(Case::of(name, inner, plain.layer(inner), requests, want));
        }
        cases
    }

    /// Returns the cookie of a session that was ended.
    fn ended(&self, layer: &MagicLinkLayer) -> String {
        let mut request = Request::new(());
        let session = layer.sign_in(&mut request, ADA);
        match self.store {
            Store::Memory(memory) => {
                let target = Target::Session(session.id());
                let (begun, until) = (session.auth_time(), session.expires_at());
                memory.record(&Revocation::new(target, begun, until));
            }
            Store::Redis(replicas) => replicas.end(&session),
        }
        cookie_of(&request)
    }
}

/// Returns the cookie of a new session.
pub(crate) fn session(layer: &MagicLinkLayer) -> String {
    let mut request = Request::new(());
    layer.sign_in(&mut request, ADA);
    cookie_of(&request)
}

fn cookie_of(request: &Request<()>) -> String {
    let cookie = request.headers().get(header::COOKIE).unwrap();
    cookie.to_str().unwrap().to_owned()
}

/// Returns the cookie with another signature of the right form: a forger knows the header.
fn forged(cookie: &str) -> String {
    let (rest, signature) = cookie.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let kept: String = signature.chars().skip(1).collect();
    format!("{rest}.{other}{kept}")
}

/// Returns the part that is signed of a token of ours, under HS256.
pub(crate) fn signed_part() -> String {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(ORIGIN);
    let cookie = session(&layer.build().unwrap());
    let (_, token) = cookie.split_once('=').unwrap();
    token.rsplit_once('.').unwrap().0.to_owned()
}
