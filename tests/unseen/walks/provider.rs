//! A WorkOS that fails: refusals, outages, late and malformed answers, and bodies that repeat what
//! they were asked.

use std::time::Duration;

use http::StatusCode;
use tower_magic_link::{
    Builder, SignIn,
    emulator::{Endpoint, Fault},
    workos::WorkOs,
};

use super::type_digits;
use crate::{
    names::ADA,
    redis::free_port,
    support::{KEY, Post},
    walk::{Walk, ZOE},
    watched::Watched,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Returns every way to fail. The last ones repeat the key, the address and the code.
fn faults(repeated: &str) -> Vec<Fault> {
    let answer = |status: StatusCode, content_type: &str, body: String| Fault::Answer {
        status,
        content_type: content_type.to_owned(),
        body,
    };
    let told = format!("{KEY} {ADA} {ZOE} {repeated}");
    let mut faults = vec![
        Fault::Cut,
        Fault::CutBody,
        Fault::Hang,
        Fault::HugeBody(100_000),
        Fault::InvalidJson,
        Fault::LostAnswer,
        Fault::OldShape,
        Fault::RateLimited(Duration::from_secs(30)),
        Fault::Redirect(format!("https://evil.example/?key={KEY}&email={ADA}")),
        Fault::Status(StatusCode::UNAUTHORIZED),
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::StatusAfterWork(StatusCode::SERVICE_UNAVAILABLE),
        Fault::oauth_refusal("invalid_client"),
        Fault::oauth_refusal("invalid_grant"),
        Fault::step_up("mfa_challenge"),
    ];
    for (status, code) in [
        (StatusCode::BAD_REQUEST, "one_time_code_expired"),
        (StatusCode::BAD_REQUEST, "one_time_code_previously_used"),
        (StatusCode::BAD_REQUEST, "one_time_code_too_many_attempts"),
        (StatusCode::BAD_REQUEST, "invalid_one_time_code"),
        (StatusCode::FORBIDDEN, "user_not_member_of_organization"),
        (StatusCode::UNPROCESSABLE_ENTITY, "email"),
    ] {
        faults.push(Fault::refusal(status, code));
    }
    for status in [
        StatusCode::OK,
        StatusCode::CREATED,
        StatusCode::BAD_REQUEST,
        StatusCode::FORBIDDEN,
        StatusCode::UNPROCESSABLE_ENTITY,
        StatusCode::INTERNAL_SERVER_ERROR,
    ] {
        let json = serde_json::json!({
            "message": told,
            "code": ADA,
            "error": KEY,
            "error_description": told,
            "errors": [{ "field": "email", "code": told }, told],
            "id": format!("../{repeated}"),
            "link": told,
            "email": ZOE,
            "user": { "id": ADA, "email": ADA },
            "profile": { "id": ADA, "email": [ADA], "connection_type": told },
        });
        faults.push(answer(status, "application/json", json.to_string()));
        faults.push(answer(
            status,
            "application/json",
            format!("{{\"{told}\":{told}}}"),
        ));
        faults.push(answer(status, "text/html", format!("<p>{told}</p>")));
    }
    faults
}

/// Waits as long as a busy machine may need for a mail, and hardly for what redeems it.
fn impatient(client: WorkOs) -> WorkOs {
    let client = client.timeout(Duration::from_secs(2)).unwrap();
    client.exchange_timeout(Duration::from_millis(100)).unwrap()
}

pub(crate) async fn all(walk: &Walk) {
    tokio::join!(links(walk), codes(walk), refused_connection(walk));
}

async fn links(walk: &Walk) {
    let world = walk
        .world_by(impatient, Builder::insecure_no_throttle)
        .await;
    for fault in faults("") {
        for endpoint in [Endpoint::Create, Endpoint::Send] {
            world.emulator().order_always(endpoint, fault.clone());
            walk.browser(&world.layer).ask_for_link(ADA, "/").await;
            world.emulator().clear_orders(endpoint);
            walk.gather(&world);
            world.clock.advance(HOUR);
        }
    }
    for number in 0..faults("").len() {
        let mut browser = walk.browser(&world.layer);
        browser.ask_for_link(ADA, "/").await;
        walk.gather(&world);
        let callback = world.follow_mail(ADA).await;
        let (_, query) = callback.split_once('?').unwrap();
        let fault = faults(query).swap_remove(number);
        world.emulator().order(Endpoint::Token, fault);
        browser.get(&callback).await;
        browser.get(&callback).await;
        world.clock.advance(HOUR);
    }
}

async fn codes(walk: &Walk) {
    let post = Post::default();
    let mailed = |builder: Builder| {
        let builder = builder.insecure_no_throttle();
        builder
            .mailer(Watched::new(post.clone(), walk))
            .sign_in(SignIn::Code)
    };
    let world = walk.world_by(impatient, mailed).await;
    for fault in faults("") {
        let endpoint = Endpoint::MagicAuthCreate;
        world.emulator().order_always(endpoint, fault);
        walk.browser(&world.layer).ask_for_link(ADA, "/").await;
        world.emulator().clear_orders(endpoint);
        world.clock.advance(HOUR);
    }
    for number in 0..faults("").len() {
        let mut browser = walk.browser(&world.layer);
        let check = browser.ask_for_link(ADA, "/").await;
        let digits = post.code();
        let fault = faults(&digits).swap_remove(number);
        world.emulator().order(Endpoint::Authenticate, fault);
        type_digits(&mut browser, &check, &digits).await;
        type_digits(&mut browser, &check, &digits).await;
        world.clock.advance(HOUR);
    }
}

async fn refused_connection(walk: &Walk) {
    let (port, _held) = free_port();
    let nobody = format!("http://127.0.0.1:{port}");
    let world = walk
        .world_by(|client| client.base_url(nobody).unwrap(), |builder| builder)
        .await;
    walk.browser(&world.layer).ask_for_link(ADA, "/").await;
    let world = walk.world(|builder| builder).await;
    let mut browser = walk.browser(&world.layer);
    browser.ask_for_link(ADA, "/").await;
    walk.gather(&world);
    let callback = world.follow_mail(ADA).await;
    // The server is gone.
    drop(world.workos);
    browser.get(&callback).await;
}
