//! The application behind the crates that verify a token that another service has signed.
//!
//! Each verifies HS256, the issuer, the audience and the expiry, and yields the same claims.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Extension, Router, routing::get};
use axum_jwt_auth::{CookieTokenExtractor, Decoder, LocalDecoder, define_cookie_extractor};
use http::{HeaderValue, Request, StatusCode, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims, layer::JwtSource};
use serde::{Deserialize, Serialize};
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

use crate::{
    apps::{ADDRESS, App, PATH, browser},
    turns::ready,
};

/// 32 bytes, as ours has.
pub const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub const ISSUER: &str = "https://app.example.com";
pub const AUDIENCE: &str = "https://app.example.com";
const KEY: &str = "key-2026-11";

/// What a session says.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub email: String,
    pub jti: String,
    pub iat: u64,
    pub exp: u64,
}

/// Returns a session's token.
#[expect(clippy::disallowed_methods, reason = "a token is dated")]
pub fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "prof_6dd0d4a5ca8a2b1b2a2a8a4d5a0d6bb2".to_owned(),
        email: ADDRESS.to_owned(),
        jti: "3f1b7a52c8e94d06a7b1e2f30c4d5e6f".to_owned(),
        iat: now.as_secs(),
        exp: now.as_secs() + 12 * 60 * 60,
    };
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(KEY.to_owned());
    let key = EncodingKey::from_secret(SECRET).unwrap();
    encode(&header, &claims, &key).unwrap()
}

define_cookie_extractor!(SessionCookie, "session");

pub fn axum_jwt_auth() -> App {
    type Admitted = axum_jwt_auth::Claims<Claims, CookieTokenExtractor<SessionCookie>>;
    let mut validation = jsonwebtoken10::Validation::new(jsonwebtoken10::Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let decoder = LocalDecoder::builder()
        .keys(vec![jsonwebtoken10::DecodingKey::from_secret(SECRET)])
        .validation(validation)
        .build();
    let decoder: Decoder<Claims> = Arc::new(decoder.unwrap());
    let home = async |session: Admitted| session.claims.email;
    App {
        name: format!("axum-jwt-auth {}", crate::version("axum-jwt-auth")),
        service: Router::new().route(PATH, get(home)).with_state(decoder),
        signed_in: vec![browser(Some(&format!("session={}", token())))],
        refusal: StatusCode::UNAUTHORIZED,
    }
}

/// Runs in axum 0.7.
pub fn jwt_authorizer() -> App<axum07::Router> {
    let validation = jwt_authorizer::Validation::new()
        .iss(&[ISSUER])
        .aud(&[AUDIENCE]);
    let authorizer = JwtAuthorizer::<Claims>::from_secret(std::str::from_utf8(SECRET).unwrap())
        .jwt_source(JwtSource::Cookie("session".to_owned()))
        .validation(validation)
        .build();
    let layer = ready(authorizer).unwrap().into_layer();
    let home = |JwtClaims(session): JwtClaims<Claims>| async { session.email };
    App {
        name: format!("jwt-authorizer {}", crate::version("jwt-authorizer")),
        service: axum07::Router::new()
            .route(PATH, axum07::routing::get(home))
            .layer(layer),
        signed_in: vec![browser(Some(&format!("session={}", token())))],
        refusal: StatusCode::UNAUTHORIZED,
    }
}

/// The handler alone in axum 0.7.
pub fn unprotected07() -> App<axum07::Router> {
    let home = || async { ADDRESS.to_owned() };
    App {
        name: "axum 0.7".to_owned(),
        service: axum07::Router::new().route(PATH, axum07::routing::get(home)),
        signed_in: vec![browser(Some("session=nobody-reads-this"))],
        refusal: StatusCode::OK,
    }
}

/// The token is in `Authorization`, where it looks by itself.
pub fn tower_oauth2_resource_server() -> App {
    // The 32 bytes of `SECRET` in base64url.
    const SECRET64: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
    let jwks =
        format!(r#"{{"keys":[{{"kty":"oct","kid":"{KEY}","alg":"HS256","k":"{SECRET64}"}}]}}"#);
    let audiences = vec![AUDIENCE.to_owned()];
    let tenant = TenantConfiguration::static_builder(jwks)
        .claims_validation(
            ClaimsValidationSpec::new()
                .exp(true)
                .iss(ISSUER)
                .aud(&audiences),
        )
        .allowed_algorithms(&[jsonwebtoken11::Algorithm::HS256])
        .build();
    let server = <OAuth2ResourceServer<Claims>>::builder()
        .add_tenant(tenant.unwrap())
        .build();
    let layer = ready(server).unwrap().into_layer();
    let home = async |Extension(session): Extension<Claims>| session.email;
    let mut request: Request<()> = browser(None);
    let bearer = HeaderValue::try_from(format!("Bearer {}", token())).unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    App {
        name: format!(
            "tower-oauth2-resource-server {}",
            crate::version("tower-oauth2-resource-server")
        ),
        service: Router::new().route(PATH, get(home)).layer(layer),
        signed_in: vec![request],
        refusal: StatusCode::UNAUTHORIZED,
    }
}
