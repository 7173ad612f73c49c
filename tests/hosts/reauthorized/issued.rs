//! A further session is no way around the application's word.

use std::time::Duration;

use tower::Layer;
use tower_magic_link::{
    Authorization, Builder, Session, clock::Clock, companion::Issued, testing::ManualClock,
};

use super::{ADMIN, Asked, READER, asked, renewed, role};
use crate::{
    answer::Answer,
    site::{SESSION, application, builder, cookie_of, program, with_cookie},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn site(set: impl FnOnce(Builder) -> Builder) -> Asked {
    asked(|| Ok(Authorization::Granted(role("reader"))), set)
}

async fn says(site: &Asked, issued: &Issued) -> String {
    site.get("/x", issued.token().expose()).await.text()
}

/// It was asked about an interval after it was made, and so never, if another was made before.
#[tokio::test]
async fn a_session_issued_from_another_is_asked_about_when_that_one_would_be() {
    let site = site(|builder| builder);
    let signed_in = site.sign_in();
    let issuer = site.layer.issuer();
    site.clock.advance(3 * MINUTE);
    let one = issuer.issue_from(signed_in.session()).unwrap();
    site.clock.advance(MINUTE);
    let another = issuer.issue_from(one.session()).unwrap();
    assert_eq!(says(&site, &another).await, ADMIN);
    assert_eq!(site.times(), 0, "the word is four minutes old");
    site.clock.advance(MINUTE);
    let late = issuer.issue_from(another.session()).unwrap();
    for (times, issued) in [&signed_in, &one, &another, &late].into_iter().enumerate() {
        assert_eq!(says(&site, issued).await, READER, "{times}");
        assert_eq!(site.times(), times + 1);
    }
    // It is dated anew with the answer, as every session is.
    let answer = site.get("/x", late.token().expose()).await;
    let token = renewed(&answer).unwrap();
    let times = site.times();
    assert_eq!(site.get("/x", &token).await.text(), READER);
    assert_eq!(site.times(), times);
}

/// A handler may have the session of a connection that lives on, or of a bearer token.
#[tokio::test]
async fn a_session_issued_from_an_old_token_is_asked_about_at_once_and_keeps_its_idle_time() {
    for (name, every, wait) in [
        ("an interval under the renewal's", 5 * MINUTE, 5 * MINUTE),
        ("an interval over it", 2 * HOUR, 15 * MINUTE),
    ] {
        let clock = ManualClock::new();
        let layer = builder(&clock).idle_timeout(HOUR);
        let layer = layer.reauthorize(every, |_: Session| async { false });
        let layer = layer.build().unwrap();
        let (_, old) = cookie_of(&layer);
        clock.advance(3 * HOUR);
        let issued = layer.issuer().issue_from(&old).unwrap();
        let made = issued.session();
        assert_eq!(made.issued_at() + wait, clock.now(), "{name}");
        assert_eq!(made.expires_at() + wait, clock.now() + HOUR, "{name}");
        let cookie = format!("{SESSION}={}", issued.token().expose());
        let request = with_cookie(program("/x"), &cookie);
        let refused = Answer::of(layer.layer(application()), request).await;
        assert_eq!(refused.code(), "revoked_session", "{name}");
    }
}

#[tokio::test]
async fn a_session_issued_from_another_has_no_earlier_date_than_the_sign_in() {
    let clock = ManualClock::new();
    let layer = builder(&clock).reauthorize(HOUR, |_: Session| async { true });
    let layer = layer.build().unwrap();
    let (_, parent) = cookie_of(&layer);
    clock.advance(MINUTE);
    let made = layer.issuer().issue_from(&parent).unwrap();
    assert_eq!(made.session().issued_at(), parent.issued_at());
    assert_eq!(made.session().auth_time(), parent.auth_time());
    assert_eq!(made.session().expires_at(), parent.expires_at());
    // The machine's clock is set back to a minute after the sign-in.
    let now = clock.now();
    clock.advance(HOUR);
    layer.issuer().issue_from(&parent).unwrap();
    clock.set(now);
    let later = layer.issuer().issue_from(&parent).unwrap();
    assert_eq!(later.session().issued_at(), parent.auth_time());
    let cookie = format!("{SESSION}={}", later.token().expose());
    let request = with_cookie(program("/x"), &cookie);
    let answer = Answer::of(layer.layer(application()), request).await;
    assert_eq!(answer.status(), 200);
}
