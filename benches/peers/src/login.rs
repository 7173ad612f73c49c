//! The application behind axum-login with its memory store, set up as its documentation begins.
//!
//! - A session cookie without a signature, its cheapest.
//! - Its users stand behind an `Arc`, since it clones its backend for each request.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId, login_required,
};
use http::{Request, StatusCode, header};
use tower_sessions::{MemoryStore, SessionManagerLayer, SessionStore, session::Id};

use crate::{
    apps::{ADDRESS, App, PATH, browser},
    turns::{at_once, ready},
};

/// With so many sessions in the store, and requests of so many people.
pub fn axum_login(people: usize, sessions: usize) -> App {
    let store = MemoryStore::default();
    let manager = SessionManagerLayer::new(store.clone());
    let auth = AuthManagerLayerBuilder::new(Backend::default(), manager).build();
    let mut router = Router::new()
        .route(PATH, get(home))
        .route_layer(login_required!(Backend, login_url = "/login"))
        .route("/login", post(login))
        .layer(auth);
    let request = Request::post("/login").body(Body::empty()).unwrap();
    let response = at_once(&mut router, request);
    let cookie = response.headers().get(header::SET_COOKIE).unwrap();
    let (cookie, _attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
    let (name, id) = cookie.split_once('=').unwrap();
    let first = ready(store.load(&id.parse().unwrap())).unwrap().unwrap();
    let mut cookies = vec![cookie.to_owned()];
    // The others are as the one that signed in.
    for number in 1..sessions {
        let mut record = first.clone();
        record.id = Id::default();
        ready(store.create(&mut record)).unwrap();
        if number < people {
            cookies.push(format!("{name}={}", record.id));
        }
    }
    App {
        name: format!("axum-login {}", crate::version("axum-login")),
        signed_in: cookies.iter().map(|cookie| browser(Some(cookie))).collect(),
        service: router,
        refusal: StatusCode::TEMPORARY_REDIRECT,
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
