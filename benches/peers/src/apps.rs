//! The application without a layer and behind ours, and a browser's request to it.

use axum::{Router, routing::get};
use http::{Request, StatusCode, header};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SessionId, SigningKey,
    clock::Timestamp,
    revocation::{MemoryRevocations, Revocation, Target},
    testing::StubProvider,
};

pub const ADDRESS: &str = "ada@example.com";
/// A path as people have them: the way back to it has to be encoded.
pub const TARGET: &str = "/reports?month=11&sort=amount";
pub const PATH: &str = "/reports";

/// An application, and what it is asked.
pub struct App<S = Router> {
    pub name: String,
    pub service: S,
    /// Requests of people who are signed in.
    pub signed_in: Vec<Request<()>>,
    /// What a browser without a cookie is answered.
    pub refusal: StatusCode,
}

/// The handler alone.
pub fn unprotected() -> App {
    App {
        name: format!("axum {}", crate::version("axum")),
        service: Router::new().route(PATH, get(async || ADDRESS.to_owned())),
        signed_in: vec![browser(Some("session=nobody-reads-this"))],
        refusal: StatusCode::OK,
    }
}

/// Our layer, with so many people who are signed in, and so many sessions that have ended.
pub fn magic_link(people: usize, ended: u64) -> App {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let revocations = MemoryRevocations::default();
    for number in 0..ended {
        let id = u128::from(number) << 64 | u128::from(number);
        let target = Target::Session(SessionId::from_bytes(id.to_be_bytes()));
        let (begun, until) = (Timestamp::from_secs(0), Timestamp::from_secs(4_000_000_000));
        revocations.record(&Revocation::new(target, begun, until));
    }
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url("https://app.example.com")
        .revocations(revocations)
        .build()
        .unwrap();
    let home = async |session: Session| session.email().to_owned();
    let sign_in = || {
        let mut signed_in = Request::new(());
        layer.sign_in(&mut signed_in, ADDRESS);
        let cookie = signed_in.headers().get(header::COOKIE).unwrap();
        browser(Some(cookie.to_str().unwrap()))
    };
    App {
        name: "tower-magic-link".to_owned(),
        signed_in: (0..people).map(|_| sign_in()).collect(),
        service: Router::new().route(PATH, get(home)).layer(layer),
        refusal: StatusCode::SEE_OTHER,
    }
}

/// A browser's navigation: 12 fields, and 3 cookies with the session's.
pub fn browser(session: Option<&str>) -> Request<()> {
    let cookies = match session {
        Some(session) => format!("theme=dark; {session}; _ga=GA1.1.1234567890.1764288000"),
        None => "theme=dark; _ga=GA1.1.1234567890.1764288000".to_owned(),
    };
    let fields = FIELDS.into_iter().chain([("cookie", cookies.as_str())]);
    let request = fields.fold(Request::get(TARGET), |request, (name, value)| {
        request.header(name, value)
    });
    request.body(()).unwrap()
}

/// The fields of a browser's request, without its cookies.
pub const FIELDS: [(&str, &str); 11] = [
    ("host", "app.example.com"),
    ("connection", "keep-alive"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://app.example.com/reports"),
    ("upgrade-insecure-requests", "1"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
];
