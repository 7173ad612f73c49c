//! What the layer says that it would do, and why.

use std::time::Duration;

use http::{HeaderValue, Request};
use tower_magic_link::{
    MagicLinkLayer, RejectionKind,
    companion::{Ground, Outcome},
};

use crate::{
    names::{ADA, ORIGIN},
    paths::{request, rules},
    support::{World, client},
};

#[tokio::test]
async fn an_explanation_names_the_ground_and_the_reason_and_no_secret() {
    use Outcome::{Admit, Pass, Refuse, Step};
    use RejectionKind::{ConflictingCookies, InvalidSession, MethodNotAllowed, NoSession};
    let world = World::with(rules).await;
    let with_cookie = |cookie: &'static str| {
        let mut asked = request("GET", "/private");
        let cookie = HeaderValue::from_static(cookie);
        asked.headers_mut().insert("cookie", cookie);
        asked
    };
    let protected = "no rule matches, so it is protected";
    let cases = [
        (
            "public",
            request("PUT", "/open"),
            Pass,
            "would pass without a session: public_prefix /open (any method) matches; no session: no_session",
        ),
        (
            "optional",
            request("GET", "/"),
            Pass,
            "would pass without a session: optional_path / (GET, HEAD) matches; no session: no_session",
        ),
        (
            "protected",
            request("GET", "/private?secret=1"),
            Refuse(NoSession),
            &format!("would be refused as no_session: {protected}; no session: no_session"),
        ),
        (
            "excepted",
            request("GET", "/public/internal/x"),
            Refuse(NoSession),
            "would be refused as no_session: protected_prefix /public/internal (any method) matches; no session: no_session",
        ),
        (
            "another method",
            request("PUT", "/public"),
            Refuse(NoSession),
            &format!("would be refused as no_session: {protected}; no session: no_session"),
        ),
        (
            "not plain",
            request("GET", "/public/%2e%2e"),
            Refuse(NoSession),
            "would be refused as no_session: its path is not plain, so it is protected; no session: no_session",
        ),
        (
            "forged",
            with_cookie("__Host-magic-link=s3cret"),
            Refuse(InvalidSession),
            &format!(
                "would be refused as invalid_session: {protected}; no session: invalid_session"
            ),
        ),
        (
            "conflicting",
            with_cookie("__Host-magic-link=s3cret; __Host-magic-link=other"),
            Refuse(ConflictingCookies),
            &format!(
                "would be refused as conflicting_cookies: {protected}; no session: conflicting_cookies"
            ),
        ),
        (
            "endpoint",
            request("GET", "/auth/callback?code=s3cret&state=s3cret"),
            Step,
            "would be answered by the layer: /auth/callback is its endpoint; no session: no_session",
        ),
        (
            "endpoint, misused",
            request("PUT", "/auth/login"),
            Refuse(MethodNotAllowed),
            "would be refused as method_not_allowed: /auth/login is its endpoint; no session: no_session",
        ),
    ];
    for (name, asked, outcome, want) in cases {
        let explained = world.layer.explain(&asked.into_parts().0);
        assert_eq!(explained.outcome(), outcome, "{name}");
        assert_eq!(explained.to_string(), want, "{name}");
        assert!(explained.session().is_err(), "{name}");
        let printed = format!("{explained} {explained:?}");
        assert!(!printed.contains("s3cret"), "{name}: {printed}");
        assert!(!printed.contains("secret=1"), "{name}: {printed}");
    }

    for (path, ground) in [
        ("/private", protected),
        ("/news/1", "optional_prefix /news (GET, HEAD) matches"),
        ("/open", "public_prefix /open (any method) matches"),
    ] {
        let mut asked = request("GET", path);
        let session = world.layer.sign_in(&mut asked, ADA);
        let explained = world.layer.explain(&asked.into_parts().0);
        assert_eq!(explained.outcome(), Admit, "{path}");
        assert_eq!(explained.session(), Ok(&session), "{path}");
        let times = "good from 1767225600 to 1767268800, and now is 1767225600";
        let id = session.id();
        let want = format!(
            "would be admitted with its session: {ground}; session {id} is {times}; the revocation store was not asked"
        );
        assert_eq!(explained.to_string(), want, "{path}");
        let printed = format!("{explained} {explained:?}");
        assert!(
            !printed.contains(ADA) && !printed.contains("eyJ"),
            "{printed}"
        );
    }
    assert_eq!(world.hits(), 0, "nothing was handed on");
    assert_eq!(world.heard(), "", "nobody was told");
}

#[tokio::test]
async fn an_explanation_is_of_the_moment_by_the_layers_clock() {
    let world = World::with(rules).await;
    let mut asked = Request::new(());
    world.layer.sign_in(&mut asked, ADA);
    *asked.uri_mut() = "/private".parse().unwrap();
    let (parts, ()) = asked.into_parts();
    assert_eq!(world.layer.explain(&parts).outcome(), Outcome::Admit);
    world.clock.advance(Duration::from_secs(12 * 60 * 60));
    let later = world.layer.explain(&parts);
    assert_eq!(later.session(), Err(RejectionKind::ExpiredSession));
    let want = Outcome::Refuse(RejectionKind::ExpiredSession);
    assert_eq!(later.outcome(), want);
    assert_eq!(later.now().as_secs(), 1_767_268_800);
}

#[tokio::test]
async fn the_rules_are_listed_in_the_order_in_which_they_are_tried() {
    let world = World::with(rules).await;
    let (parts, _) = request("GET", "/x").into_parts();
    let explained = world.layer.explain(&parts);
    let listed: Vec<_> = explained.rules().iter().map(ToString::to_string).collect();
    let want = [
        "public_path /healthz (GET, HEAD)",
        "optional_path / (GET, HEAD)",
        "protected_prefix /public/internal (any method)",
        "public_prefix /public (GET, HEAD)",
        "public_prefix /open (any method)",
        "optional_prefix /news (GET, HEAD)",
    ];
    assert_eq!(listed, want);
    let printed = format!("{:?}", world.layer);
    assert!(printed.contains(&want.join(", ")), "{printed}");
}

#[tokio::test]
async fn a_preflight_that_is_let_through_is_explained_as_one() {
    let world = World::with(|builder| rules(builder).allow_preflight()).await;
    let (mut parts, _) = request("OPTIONS", "/private").into_parts();
    assert_eq!(world.layer.explain(&parts).ground(), &Ground::NoRule);
    for (name, value) in [
        ("origin", "https://other.example"),
        ("access-control-request-method", "POST"),
    ] {
        parts.headers.insert(name, value.parse().unwrap());
    }
    let explained = world.layer.explain(&parts);
    assert_eq!(
        (explained.ground(), explained.outcome()),
        (&Ground::Preflight, Outcome::Pass)
    );
}

#[tokio::test]
async fn an_explanation_states_the_end_by_the_lifetimes_of_today() {
    let world = World::new().await;
    let mut asked = request("GET", "/");
    world.layer.sign_in(&mut asked, ADA);
    let today = MagicLinkLayer::builder(client(&world.workos), world.keys.clone())
        .public_url(ORIGIN)
        .clock(world.clock.clone())
        .session_lifetime(Duration::from_secs(60 * 60))
        .build()
        .unwrap();
    let explained = today.explain(&asked.into_parts().0).to_string();
    let times = "good from 1767225600 to 1767229200";
    assert!(explained.contains(times), "{explained}");
}
