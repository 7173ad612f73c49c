//! The application behind what people write themselves: `from_fn`, a cookie jar, jsonwebtoken.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{OriginalUri, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use axum_extra::extract::CookieJar;
use http::StatusCode;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use redis::aio::MultiplexedConnection;
use tokio::sync::OnceCell;

use crate::{
    apps::{App, PATH, browser},
    jwt::{AUDIENCE, Claims, ISSUER, SECRET, token},
};

struct Keys {
    key: DecodingKey,
    validation: Validation,
    /// Where ended sessions are looked up, if sessions can be ended.
    ended: Option<Redis>,
}

/// A Redis, and the connection to it once somebody has asked. It belongs to the server's own
/// runtime.
pub struct Redis {
    client: redis::Client,
    connection: OnceCell<MultiplexedConnection>,
}

impl Redis {
    pub fn new(url: &str) -> Self {
        Self {
            client: redis::Client::open(url).unwrap(),
            connection: OnceCell::new(),
        }
    }

    async fn has_ended(&self, session: &str) -> redis::RedisResult<bool> {
        let connect = || self.client.get_multiplexed_async_connection();
        let mut connection = self.connection.get_or_try_init(connect).await?.clone();
        let key = format!("ended:{session}");
        redis::cmd("EXISTS")
            .arg(key)
            .query_async(&mut connection)
            .await
    }
}

/// Verifies the session's token, and asks Redis whether the session has ended, if there is one.
pub fn hand_written(ended: Option<Redis>) -> App {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let store = if ended.is_some() { " + Redis" } else { "" };
    let keys = Arc::new(Keys {
        key: DecodingKey::from_secret(SECRET).unwrap(),
        validation,
        ended,
    });
    let version = crate::version("jsonwebtoken");
    App {
        name: format!("hand-written, jsonwebtoken {version}{store}"),
        service: Router::new()
            .route(PATH, get(home))
            .layer(from_fn_with_state(keys, admit)),
        signed_in: vec![browser(Some(&format!("session={}", token())))],
        refusal: StatusCode::SEE_OTHER,
    }
}

async fn admit(
    State(keys): State<Arc<Keys>>,
    jar: CookieJar,
    OriginalUri(uri): OriginalUri,
    mut request: Request,
    next: Next,
) -> Response {
    let token = jar.get("session").map(|cookie| cookie.value());
    let claims = token.and_then(|token| decode::<Claims>(token, &keys.key, &keys.validation).ok());
    let Some(claims) = claims.map(|token| token.claims) else {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let back = utf8_percent_encode(target, NON_ALPHANUMERIC);
        return Redirect::to(&format!("/login?return_to={back}")).into_response();
    };
    if let Some(redis) = &keys.ended {
        match redis.has_ended(&claims.jti).await {
            Ok(false) => {}
            Ok(true) => return Redirect::to("/login").into_response(),
            Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
    request.extensions_mut().insert(claims);
    next.run(request).await
}

async fn home(Extension(claims): Extension<Claims>) -> String {
    claims.email
}
