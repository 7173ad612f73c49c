//! What fails after the code is used up: nothing is spent that need not be.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::StatusCode;
use tower_magic_link::{
    Authorization,
    provider::Identity,
    throttle::{Limits, Rate},
};

use super::*;

/// WorkOS says that it has not acted, so that the same choice works in a moment.
fn out(begun: &Begun) {
    let fault = Fault::refusal(StatusCode::CONFLICT, "lock_timeout");
    begun.world.emulator().order(Endpoint::Authenticate, fault);
}

#[tokio::test]
async fn while_workos_is_out_the_page_asks_again_and_the_choice_stays_good() {
    let (mut begun, asked) = asked(|builder| builder).await;
    for _ in 0..3 {
        out(&begun);
        let again = asked.choose(&mut begun.first, ACME.0).await;
        assert_eq!(again.status(), 503, "{}", again.text());
        assert_eq!(again.header("cache-control"), "no-store");
        assert_eq!(again.header("vary"), "cookie");
        assert_ne!(again.header("retry-after"), "");
        assert!(again.text().contains("id=\"problem\""), "{}", again.text());
        let page = Asked::of(&again);
        assert_eq!(
            (&page.action, &page.offered),
            (&asked.action, &asked.offered)
        );
    }
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
}

/// The code is used up when the choice fails. The same code again goes on from there.
#[tokio::test]
async fn the_configured_organization_is_taken_at_the_next_press_if_workos_was_out() {
    let mut begun = begun(|builder| builder.organization(ACME.0)).await;
    let emulator = begun.world.emulator();
    emulator.order(Endpoint::Authenticate, Fault::Delay(Duration::ZERO));
    out(&begun);
    let code = begun.post.code();
    let failed = begun.type_code(&code).await;
    is_trouble(&failed, 503, RejectionKind::ProviderUnavailable);
    assert_eq!(begun.type_code(&code).await.location(), "/reports");
    assert_eq!(begun.redeemed(), 3, "one code, and two choices");
}

/// Pins: the code is kept for a minute, and each press called WorkOS again, counted by no limit.
#[tokio::test]
async fn the_second_call_for_the_configured_organization_is_counted_by_itself() {
    let limits = Limits::default()
        .codes_per_network(Rate::new(1_000, Duration::from_secs(1)))
        .codes_per_address_and_network(Rate::new(1_000, Duration::from_secs(1)));
    let mut begun = begun(|builder| builder.organization(ACME.0).limits(limits)).await;
    let emulator = begun.world.emulator();
    emulator.order(Endpoint::Authenticate, Fault::Delay(Duration::ZERO));
    let code = begun.post.code();
    let mut refused = 0;
    for _ in 0..30 {
        out(&begun);
        let answer = begun.type_code(&code).await;
        refused += u32::from(answer.status() == 429);
    }
    assert_eq!((begun.redeemed(), refused), (11, 20), "one code, ten calls");
    begun.world.emulator().clear_orders(Endpoint::Authenticate);
    begun.world.clock.advance(Duration::from_secs(10));
    assert_eq!(begun.type_code(&code).await.location(), "/reports");
}

/// WorkOS has taken the choice when the rule fails. The next press asks the rule alone.
#[tokio::test]
async fn the_configured_organization_that_was_taken_is_kept_if_the_rule_fails_once() {
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = asked_for.clone();
    let hook = move |_: Identity| {
        std::future::ready(match count.fetch_add(1, Ordering::SeqCst) {
            0 => Err(std::io::Error::other("the directory is out")),
            _ => Ok(Authorization::Allowed),
        })
    };
    let mut begun = begun(|builder| builder.organization(ACME.0).authorize(hook)).await;
    let code = begun.post.code();
    let failed = begun.type_code(&code).await;
    is_trouble(&failed, 503, RejectionKind::ProviderUnavailable);
    assert_eq!(begun.type_code(&code).await.location(), "/reports");
    let got = organization(&mut begun.first).await;
    assert_eq!(got.as_deref(), Some(ACME.0));
    assert_eq!(begun.redeemed(), 2, "the code, and the choice");
    assert_eq!(asked_for.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_organization_that_asks_for_more_leaves_the_others_to_choose() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let emulator = begun.world.emulator();
    emulator.order(Endpoint::Authenticate, Fault::oauth_refusal("sso_required"));
    let again = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(again.status(), 403, "{}", again.text());
    assert!(again.read().contains("a sign-in page of its own"));
    let answer = Asked::of(&again).choose(&mut begun.first, GLOBEX.0).await;
    assert_eq!(answer.location(), "/reports");
    let got = organization(&mut begun.first).await;
    assert_eq!(got.as_deref(), Some(GLOBEX.0));
}

#[tokio::test]
async fn what_workos_refuses_of_a_choice_is_told_as_such() {
    let cases = [
        (
            Fault::refusal(
                StatusCode::BAD_REQUEST,
                "invalid_pending_authentication_token",
            ),
            400,
            RejectionKind::ChoiceExpired,
        ),
        (
            Fault::refusal(StatusCode::UNAUTHORIZED, "invalid_client"),
            502,
            RejectionKind::ProviderMisconfigured,
        ),
    ];
    for (fault, status, kind) in cases {
        let (mut begun, asked) = asked(|builder| builder).await;
        begun.world.emulator().order(Endpoint::Authenticate, fault);
        let refused = asked.choose(&mut begun.first, ACME.0).await;
        is_trouble(&refused, status, kind);
        assert!(!begun.first.jar.contains_key(SESSION));
    }
}

#[tokio::test]
async fn an_answer_that_names_another_organization_or_none_signs_nobody_in() {
    for organization in ["\"org_globex\"", "null"] {
        let (mut begun, asked) = asked(|builder| builder).await;
        let body = format!(
            r#"{{"user":{{"id":"user_1","email":"{ADA}"}},"access_token":"x","organization_id":{organization}}}"#
        );
        let emulator = begun.world.emulator();
        emulator.order(
            Endpoint::Authenticate,
            Fault::Answer {
                status: StatusCode::OK,
                content_type: "application/json".to_owned(),
                body,
            },
        );
        let refused = asked.choose(&mut begun.first, ACME.0).await;
        is_trouble(&refused, 502, RejectionKind::ProviderFailed);
        assert!(!begun.first.jar.contains_key(SESSION));
    }
}

#[tokio::test]
async fn the_hook_is_asked_once_with_the_organization_and_may_fail_once() {
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = asked_for.clone();
    let hook = move |identity: Identity| {
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert_eq!(identity.organization(), Some(ACME.0));
            match is_first {
                true => Err(std::io::Error::other("the directory is out")),
                false => Ok(Authorization::Allowed),
            }
        }
    };
    let (mut begun, asked) = asked(|builder| builder.authorize(hook)).await;
    assert_eq!(asked_for.load(Ordering::SeqCst), 0, "not before the choice");
    let failed = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(failed.status(), 503);
    let answer = asked.choose(&mut begun.first, ACME.0).await;
    assert_eq!(answer.location(), "/reports");
    assert_eq!(begun.redeemed(), 2, "what was chosen is kept");
    assert_eq!(asked_for.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn choices_are_counted_like_exchanges() {
    let (mut begun, asked) = asked(|builder| builder).await;
    let mut refused = 0;
    for _ in 0..40 {
        out(&begun);
        let answer = asked.choose(&mut begun.first, ACME.0).await;
        refused += u32::from(answer.status() == 429);
    }
    assert!(refused > 0 && begun.redeemed() < 41, "{}", begun.redeemed());
}
