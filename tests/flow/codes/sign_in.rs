//! A mailed code signs in the browser that began the sign-in, and no other.

use std::time::Duration;

use http::Request;
use tower_magic_link::{RejectionKind, SignIn, emulator::Endpoint};

use super::{Begun, action, is_asked_again, is_trouble};
use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Post, World},
};

const SESSION: &str = "__Host-magic-link";

#[tokio::test]
async fn the_code_of_the_mail_signs_in_where_the_sign_in_began() {
    for sign_in in [SignIn::Code, SignIn::LinkAndCode] {
        let mut begun = Begun::new(sign_in).await;
        let letter = begun.post.last();
        assert_eq!(letter.link.is_some(), sign_in == SignIn::LinkAndCode);
        let code = letter.code.unwrap();
        let typed = format!("+{}+{}", &code[..3], &code[3..]);
        let answer = begun.type_code(&typed).await;
        assert_eq!(answer.location(), "/reports");
        let landed = begun.first.follow(answer).await;
        assert!(landed.text().contains("/reports for ada@"));
        assert!(begun.world.emulator().outbox().is_empty(), "one mail");
    }
}

#[tokio::test]
async fn a_code_signs_in_however_it_was_typed_or_copied() {
    let full_width = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
    let typed: [fn(&str, &str) -> String; 6] = [
        |start, end| format!("{start}—{end}"),
        |start, end| format!("{start}\u{2011}{end}."),
        |start, end| format!("“{start}{end}”"),
        |start, end| format!("\u{feff}{start}\u{200b}{end}\u{200e}"),
        |start, end| format!("\u{202d}{start}\u{2212}{end}\u{202c}。"),
        |start, end| format!("{start}\u{a0}{end}"),
    ];
    for form in typed {
        for is_wide in [false, true] {
            let mut begun = Begun::new(SignIn::Code).await;
            let mut code = begun.post.code();
            if is_wide {
                code = code.chars().map(full_width).collect();
            }
            let (start, end) = code.split_at(code.len() / 2);
            let typed = form(start, end);
            let encoded: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
            let answer = begun.type_code(&encoded).await;
            assert_eq!(answer.location(), "/reports", "{typed:?}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_costs_two_requests_with_a_link_and_three_with_a_link_and_a_code() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    let code = begun.post.code();
    begun.type_code(&code).await;
    assert_eq!(begun.world.emulator().requests().len(), 3);

    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let link = browser.get(&post.link()).await.location().to_owned();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let callback = http.get(link).send().await.unwrap();
    let callback = callback.headers()["location"].to_str().unwrap();
    let callback = callback.strip_prefix(ORIGIN).unwrap();
    assert_eq!(browser.get(callback).await.status(), 303);
    let requests = world.emulator().requests();
    let by_us = requests
        .iter()
        .filter(|request| request.endpoint() != Some(Endpoint::Confirm));
    assert_eq!(by_us.count(), 2);
}

#[tokio::test]
async fn a_code_is_worth_nothing_where_the_sign_in_did_not_begin() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    let form = format!("code={}", begun.post.code());
    let mut stranger = begun.world.browser();
    is_trouble(
        &stranger.post(&begun.action, &form).await,
        403,
        RejectionKind::AnotherBrowser,
    );
    stranger.get("/auth/login").await;
    is_trouble(
        &stranger.post(&begun.action, &form).await,
        403,
        RejectionKind::AnotherBrowser,
    );
    // In the right browser, but for another sign-in's address.
    let of_eve = begun.first.ask_for_link(EVE, "/").await;
    let of_eve = action(&of_eve).unwrap();
    is_asked_again(&begun.first.post(&of_eve, &form).await);
    // A link's state is no check page's.
    let open = begun.post.last().link.unwrap();
    let sealed = open.split_once("t=").unwrap().1;
    let forged = format!("/auth/code?t={sealed}");
    assert_eq!(
        begun.first.post(&forged, &form).await.location(),
        "/auth/login"
    );
    let request = Request::post(&begun.action)
        .header("sec-fetch-site", "cross-site")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.clone().into())
        .unwrap();
    is_trouble(
        &begun.first.send(request).await,
        403,
        RejectionKind::CrossSite,
    );
    assert_eq!(begun.redeemed(), 1, "Eve's");
    assert!(!stranger.jar.contains_key(SESSION));
}

#[tokio::test]
async fn another_browser_is_told_to_go_on_with_what_was_mailed() {
    for (sign_in, words) in [
        (SignIn::Code, "type the code from your email"),
        (
            SignIn::LinkAndCode,
            "use the link or the code from your email",
        ),
    ] {
        let begun = Begun::new(sign_in).await;
        begun.world.clock.advance(Duration::from_secs(60));
        let check = begun.action.replace("/auth/code", "/auth/check");
        let text = begun.world.browser().get(&check).await.text();
        assert!(text.contains(words) && !text.contains(ADA), "{text}");
    }
}

#[tokio::test]
async fn a_code_that_proves_another_address_signs_nobody_in() {
    let mut begun = Begun::new(SignIn::Code).await;
    begun
        .world
        .emulator()
        .next_user(|user| user.with_email(EVE));
    let code = begun.post.code();
    is_trouble(
        &begun.type_code(&code).await,
        403,
        RejectionKind::OtherAddress,
    );
    assert!(!begun.first.jar.contains_key(SESSION));
}
