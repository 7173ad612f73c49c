//! A role that was granted at sign-in is checked without a look-up: in axum and in tonic.

use axum::{Router, routing::get};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tonic::{Code, Status};
use tower::ServiceBuilder;
use tower_magic_link::{
    Email, Grant, MagicLinkLayer, Session, provider::Identity, testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::{Greeter, ONCE, ask, heard},
    names::{ADA, EVE},
    site::{SESSION, builder, program, with_cookie},
};

#[derive(Serialize, Deserialize)]
struct Access {
    role: String,
}

fn layer() -> MagicLinkLayer {
    builder(&ManualClock::new()).build().unwrap()
}

fn cookie(layer: &MagicLinkLayer, email: &str, role: Option<&str>) -> String {
    let identity = Identity::new("prof_1", Email::parse(email).unwrap());
    let role = role.map(str::to_owned);
    let grant = role.map_or(Ok(Grant::new()), |role| {
        Grant::new().claims(&Access { role })
    });
    let issued = layer.issuer().issue_granted(&identity, &grant.unwrap());
    format!("{SESSION}={}", issued.unwrap().token().expose())
}

fn cookies(layer: &MagicLinkLayer) -> [(String, bool); 3] {
    [
        (cookie(layer, ADA, Some("admin")), true),
        (cookie(layer, EVE, Some("reader")), false),
        (cookie(layer, EVE, None), false),
    ]
}

#[tokio::test]
async fn an_axum_handler_checks_a_role_in_five_lines() {
    async fn admin(session: Session) -> Result<&'static str, StatusCode> {
        match session.claims::<Access>() {
            Ok(Some(access)) if access.role == "admin" => Ok("the back office"),
            _ => Err(StatusCode::FORBIDDEN),
        }
    }
    let layer = layer();
    let app = Router::new()
        .route("/admin", get(admin))
        .layer(layer.clone());
    for (cookie, is_admin) in cookies(&layer) {
        let answer = Answer::of(app.clone(), with_cookie(program("/admin"), &cookie)).await;
        let want = if is_admin { 200 } else { 403 };
        assert_eq!(answer.status(), want);
    }
}

#[tokio::test]
async fn a_tonic_interceptor_checks_a_role_in_five_lines() {
    fn admin(request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        let session = request.extensions().get::<Session>();
        match session.map(Session::claims::<Access>) {
            Some(Ok(Some(access))) if access.role == "admin" => Ok(request),
            _ => Err(Status::permission_denied("admins alone")),
        }
    }
    let layer = layer();
    let service = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(tonic::service::InterceptorLayer::new(admin))
        .service(Greeter);
    for (cookie, is_admin) in cookies(&layer) {
        let mut client = tonic::client::Grpc::new(service.clone());
        let answer = ask(&mut client, ONCE, &[cookie]).await;
        match answer {
            Ok(_) => assert!(is_admin),
            Err(status) => {
                let want = (Code::PermissionDenied, "admins alone");
                assert_eq!((is_admin, heard(&status)), (false, want));
            }
        }
    }
}
