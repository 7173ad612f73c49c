//! The same application three times: without a layer, behind ours, behind axum-login.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId, login_required,
};
use http::{HeaderValue, Request, header};
use tower_magic_link::{KeyRing, MagicLinkLayer, Session, SigningKey, testing::StubProvider};
use tower_sessions::{MemoryStore, SessionManagerLayer};

use crate::at_once;

pub const ADDRESS: &str = "ada@example.com";

/// An application, and a browser's request to it that is signed in.
pub struct App {
    pub router: Router,
    pub request: Request<()>,
}

/// The handler alone.
pub fn unprotected() -> App {
    let router = Router::new().route("/", get(async || ADDRESS.to_owned()));
    App {
        router,
        request: browser("nobody=reads-this"),
    }
}

pub fn magic_link() -> App {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url("https://app.example.com")
        .build()
        .unwrap();
    let mut signed_in = Request::new(());
    layer.sign_in(&mut signed_in, ADDRESS);
    let home = async |session: Session| session.email().to_owned();
    App {
        router: Router::new().route("/", get(home)).layer(layer),
        request: browser(signed_in.headers()[header::COOKIE].to_str().unwrap()),
    }
}

pub fn axum_login() -> App {
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let auth = AuthManagerLayerBuilder::new(Backend::default(), sessions).build();
    let mut router = Router::new()
        .route("/", get(home))
        .route_layer(login_required!(Backend, login_url = "/login"))
        .route("/login", post(login))
        .layer(auth);
    let request = Request::post("/login").body(Body::empty()).unwrap();
    let response = at_once(&mut router, request);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    let (cookie, _attributes) = cookie.split_once(';').unwrap();
    App {
        router,
        request: browser(cookie),
    }
}

async fn login(mut auth: AuthSession<Backend>) {
    let user = auth.authenticate(1).await.unwrap().unwrap();
    auth.login(&user).await.unwrap();
}

async fn home(auth: AuthSession<Backend>) -> String {
    auth.user.map(|user| user.address).unwrap_or_default()
}

#[derive(Clone, Debug)]
struct User {
    id: i64,
    address: String,
    password_hash: Vec<u8>,
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.password_hash
    }
}

#[derive(Clone, Debug)]
struct Backend {
    users: Arc<HashMap<i64, User>>,
}

impl Default for Backend {
    fn default() -> Self {
        let ada = User {
            id: 1,
            address: ADDRESS.to_owned(),
            password_hash: vec![7; 32],
        };
        Self {
            users: Arc::new(HashMap::from([(1, ada)])),
        }
    }
}

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = i64;
    type Error = Infallible;

    async fn authenticate(&self, id: i64) -> Result<Option<User>, Infallible> {
        self.get_user(&id).await
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
        Ok(self.users.get(id).cloned())
    }
}

/// A browser's navigation with a session cookie beside a neighbour's.
fn browser(cookie: &str) -> Request<()> {
    let fields = [
        ("host", "app.example.com"),
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
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
    ];
    let mut request = Request::new(());
    for (name, value) in fields {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    let cookies = HeaderValue::try_from(format!("theme=dark; {cookie}")).unwrap();
    request.headers_mut().insert(header::COOKIE, cookies);
    request
}
