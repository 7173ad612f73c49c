//! A further session of a person who is signed in: it proves nothing anew.

use std::time::Duration;

use tower::Layer;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, Session, SigningKey,
    clock::Clock,
    companion::{IssueError, Issued},
    provider::Identity,
    testing::ManualClock,
};

use crate::{
    answer::Answer,
    names::ADA,
    site::{application, builder, builder_with, cookie_of, program, with_cookie},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Asks for a page that needs a sign-in in the last ten minutes, with a token as a terminal sends
/// it.
async fn recent(layer: &MagicLinkLayer, issued: &Issued) -> Answer {
    let recent = layer.require_recent(10 * MINUTE).unwrap();
    Answer::of(layer.layer(recent.layer(application())), by_token(issued)).await
}

async fn usual(layer: &MagicLinkLayer, issued: &Issued) -> Answer {
    Answer::of(layer.layer(application()), by_token(issued)).await
}

fn by_token(issued: &Issued) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = program("/x");
    let field = format!("Bearer {}", issued.token().expose());
    let field = field.parse().unwrap();
    request.headers_mut().insert("authorization", field);
    request
}

fn site(clock: &ManualClock) -> (MagicLinkLayer, Session) {
    let builder = builder(clock).bearer_tokens().idle_timeout(HOUR);
    let layer = builder.build().unwrap();
    let (_, session) = cookie_of(&layer);
    (layer, session)
}

#[tokio::test]
async fn a_token_for_a_terminal_is_no_newer_a_sign_in_than_the_session_that_asked_for_it() {
    let clock = ManualClock::new();
    let (layer, session) = site(&clock);
    let issuer = layer.issuer();
    let signed_in = clock.now();
    clock.advance(9 * MINUTE);
    let issued = issuer.issue_from(&session).unwrap();
    let made = issued.session();
    assert_eq!(made.auth_time(), signed_in);
    assert_eq!(made.issued_at(), clock.now());
    assert_eq!(made.expires_at(), clock.now() + HOUR);
    assert_eq!(made.method(), session.method());
    assert_eq!((made.subject(), made.email()), (session.subject(), ADA));
    assert_ne!(made.id(), session.id());
    assert_eq!(recent(&layer, &issued).await.status(), 200);

    clock.advance(MINUTE);
    let again = issuer.issue_from(&session).unwrap();
    for issued in [
        &issued,
        &again,
        &issuer.issue_from(again.session()).unwrap(),
    ] {
        assert_eq!(usual(&layer, issued).await.status(), 200);
        let refused = recent(&layer, issued).await;
        assert_eq!(refused.code(), "recent_sign_in_required");
    }
    // The explicit choice: the application has authenticated the person by means of its own.
    let ada = Identity::new(session.subject(), ADA.parse().unwrap());
    let proven = issuer.issue(&ada).unwrap();
    assert_eq!(recent(&layer, &proven).await.status(), 200);
}

/// Pinned: of a session of a key that had leaked, a handler could issue others by the new key.
#[tokio::test]
async fn nothing_is_issued_from_a_session_whose_key_is_dropped_nor_from_what_it_yielded() {
    let clock = ManualClock::new();
    let (old, new) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    for is_kept in [true, false] {
        let ring = KeyRing::new(old.clone());
        let layer = builder_with(&clock, &ring).build().unwrap();
        let (cookie, _) = cookie_of(&layer);
        let (head, _) = with_cookie(program("/x"), &cookie).into_parts();
        let read = layer.explain(&head).session().unwrap().clone();
        let issuer = layer.issuer();
        let issued = issuer.issue_from(&read).unwrap();
        let keys = KeyRing::new(new.clone());
        let keys = match is_kept {
            true => keys.retire(old.clone()).unwrap(),
            false => keys,
        };
        ring.handle().replace(&keys);
        for parent in [&read, issued.session()] {
            let another = issuer.issue_from(parent).err();
            let want = (!is_kept).then_some(IssueError::Ended);
            assert_eq!(another, want, "kept: {is_kept}");
        }
        // A layer with keys of its own judges no other ring's.
        let own = builder_with(&clock, &KeyRing::new(new.clone()));
        let another = own.build().unwrap().issuer().issue_from(&read);
        assert!(another.is_ok());
    }
}

#[tokio::test]
async fn a_session_issued_from_another_ends_with_the_sign_in_of_both() {
    let clock = ManualClock::new();
    let (layer, session) = site(&clock);
    let issuer = layer.issuer();
    clock.advance(11 * HOUR + 30 * MINUTE);
    let issued = issuer.issue_from(&session).unwrap();
    let end = session.auth_time() + 12 * HOUR;
    assert_eq!(issued.session().expires_at(), end);
    assert_eq!(usual(&layer, &issued).await.status(), 200);
    clock.advance(30 * MINUTE);
    assert_eq!(usual(&layer, &issued).await.code(), "expired_session");
    // A handler of a connection that lives on still has the session.
    assert_eq!(issuer.issue_from(&session).unwrap_err(), IssueError::Ended);
}

#[tokio::test]
async fn a_session_issued_from_another_ends_by_signing_out_everywhere_alone() {
    let clock = ManualClock::new();
    let (layer, session) = site(&clock);
    let issuer = layer.issuer();
    let issued = issuer.issue_from(&session).unwrap();
    issuer.sign_out(issued.session()).await.unwrap();
    assert_eq!(usual(&layer, &issued).await.code(), "revoked_session");
    let issued = issuer.issue_from(&session).unwrap();
    issuer.sign_out_everywhere(&session).await.unwrap();
    assert_eq!(usual(&layer, &issued).await.code(), "revoked_session");

    assert_eq!(issuer.issue_from(&session).unwrap_err(), IssueError::Ended);
    // Another request that came before the sign-out: what it makes is of a sign-in that has ended.
    clock.advance(MINUTE);
    let (layer, session) = site(&clock);
    let (cookie, same_person) = cookie_of(&layer);
    layer.issuer().sign_out_everywhere(&session).await.unwrap();
    clock.advance(MINUTE);
    let late = layer.issuer().issue_from(&same_person).unwrap();
    assert_eq!(usual(&layer, &late).await.code(), "revoked_session");
    let refused = Answer::of(
        layer.layer(application()),
        with_cookie(program("/x"), &cookie),
    );
    assert_eq!(refused.await.code(), "revoked_session");
}
