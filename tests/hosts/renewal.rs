//! How long a session lives: the idle timeout, the renewed cookie, and the absolute end that
//! nothing moves.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use http::Request;
use tower::{Layer, ServiceExt};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SigningKey, clock::Clock, testing::ManualClock,
};

use crate::{
    answer::Answer,
    greeter::greeting,
    names::ADA,
    script::{Act, Script},
    site::{
        SESSION, application, builder, builder_with, cookie_of, document, keys, program,
        with_cookie,
    },
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Sessions of 12 hours that end after an idle hour.
fn idle(builder: Builder) -> MagicLinkLayer {
    builder
        .session_lifetime(secs(12 * HOUR))
        .idle_timeout(secs(HOUR))
        .public_path("/about")
        .build()
        .unwrap()
}

async fn ask(layer: &MagicLinkLayer, path: &str, cookie: &str) -> Answer {
    Answer::of(
        layer.layer(application()),
        with_cookie(program(path), cookie),
    )
    .await
}

/// Returns the renewed cookie pair, and its seconds.
fn renewed(answer: &Answer) -> Option<(String, i64)> {
    let (value, max_age) = answer.cookies().remove(SESSION)?;
    Some((format!("{SESSION}={value}"), max_age))
}

/// Returns what the layer reads of a cookie.
async fn session_of(layer: &MagicLinkLayer, cookie: &str) -> Session {
    let inner = tower::service_fn(async |request: Request<_>| {
        let session = request.extensions().get::<Session>().unwrap().clone();
        let mut response = http::Response::new(http_body_util::Full::<bytes::Bytes>::default());
        response.extensions_mut().insert(session);
        Ok::<_, std::convert::Infallible>(response)
    });
    let answer = Answer::of(layer.layer(inner), with_cookie(program("/x"), cookie)).await;
    answer.head.extensions.get::<Session>().unwrap().clone()
}

#[tokio::test]
async fn the_cookie_is_renewed_once_a_quarter_of_the_idle_time_has_passed() {
    for path in ["/x", "/about"] {
        let clock = ManualClock::new();
        let layer = idle(builder(&clock));
        let (cookie, session) = cookie_of(&layer);
        let cases = [
            ("at once", 0, false),
            ("a second early", 899, false),
            ("on the second", 900, true),
            ("late", 3_599, true),
        ];
        for (name, later, want) in cases {
            clock.set(session.issued_at() + secs(later));
            let answer = ask(&layer, path, &cookie).await;
            assert_eq!(answer.text(), greeting(&session), "{path} {name}");
            assert_eq!(renewed(&answer).is_some(), want, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn the_share_after_which_the_cookie_is_renewed_is_the_applications() {
    for (share, due) in [(0.05, 180), (0.25, 900), (0.5, 1_800), (0.9, 3_240)] {
        let clock = ManualClock::new();
        let layer = idle(builder(&clock).renew_after(share));
        let (cookie, _) = cookie_of(&layer);
        clock.advance(secs(due - 1));
        let early = ask(&layer, "/x", &cookie).await;
        assert_eq!(renewed(&early), None, "{share}");
        clock.advance(secs(1));
        let (_, max_age) = renewed(&ask(&layer, "/x", &cookie).await).unwrap();
        assert_eq!(max_age, 3_600, "{share}");
    }
}

/// A token that was minted with a longer idle time does not outlive the shorter one.
#[tokio::test]
async fn a_shorter_idle_time_holds_for_the_sessions_that_there_are() {
    let clock = ManualClock::new();
    let keys = keys();
    let long = builder_with(&clock, &keys).build().unwrap();
    let short = idle(builder_with(&clock, &keys));
    let (cookie, _) = cookie_of(&long);
    clock.advance(secs(HOUR - 1));
    assert_eq!(ask(&short, "/x", &cookie).await.status(), 200);
    clock.advance(secs(1));
    assert_eq!(ask(&short, "/x", &cookie).await.code(), "expired_session");
    assert_eq!(ask(&long, "/x", &cookie).await.status(), 200);
}

#[tokio::test]
async fn a_renewed_session_is_the_same_one_with_a_later_end() {
    let clock = ManualClock::new();
    let layer = idle(builder(&clock));
    let (cookie, old) = cookie_of(&layer);
    clock.advance(secs(20 * MINUTE));
    let (cookie, max_age) = renewed(&ask(&layer, "/x", &cookie).await).unwrap();
    assert_eq!(max_age, 3_600);
    let new = session_of(&layer, &cookie).await;
    assert_eq!(
        (new.id(), new.subject(), new.email()),
        (old.id(), old.subject(), ADA)
    );
    assert_eq!(new.auth_time(), old.auth_time());
    assert_eq!(new.issued_at(), clock.now());
    assert_eq!(new.expires_at(), clock.now() + secs(HOUR));
    assert!(
        renewed(&ask(&layer, "/x", &cookie).await).is_none(),
        "renewed once"
    );
}

#[tokio::test]
async fn a_response_that_renews_is_kept_by_no_cache_whatever_the_application_says() {
    const AIMED: [&str; 5] = [
        "cdn-cache-control",
        "cloudflare-cdn-cache-control",
        "edge-control",
        "surrogate-control",
        "x-accel-expires",
    ];
    let clock = ManualClock::new();
    let layer = idle(builder(&clock));
    let (cookie, _) = cookie_of(&layer);
    let ask = async || {
        let public = application().map_response(|mut response| {
            for name in AIMED {
                let public = "public, max-age=3600".parse().unwrap();
                response.headers_mut().insert(name, public);
            }
            response
        });
        Answer::of(layer.layer(public), with_cookie(program("/x"), &cookie)).await
    };
    let plain = ask().await;
    assert_eq!(plain.header("cache-control"), "public, max-age=3600");
    assert_eq!(plain.header("vary"), "cookie");
    for name in AIMED {
        assert_eq!(plain.header(name), "public, max-age=3600");
    }
    clock.advance(secs(15 * MINUTE));
    let answer = ask().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("vary"), "cookie");
    for name in AIMED {
        assert_eq!(answer.header(name), "", "{name}");
    }
    let set = answer.header("set-cookie");
    assert!(
        set.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600"),
        "{set}"
    );
    assert!(answer.head.headers["set-cookie"].is_sensitive());
}

#[tokio::test]
async fn a_session_that_is_used_lives_until_its_absolute_end_and_not_a_second_longer() {
    let clock = ManualClock::new();
    let layer = idle(builder(&clock));
    let (mut cookie, session) = cookie_of(&layer);
    let end = session.auth_time() + secs(12 * HOUR);
    let mut ages = Vec::new();
    while clock.now() + secs(45 * MINUTE) < end {
        clock.advance(secs(45 * MINUTE));
        if let Some((next, max_age)) = renewed(&ask(&layer, "/x", &cookie).await) {
            cookie = next;
            ages.push(max_age);
        }
    }
    assert_eq!(ages.len(), 15);
    assert_eq!(&ages[12..], [3_600, 3_600, 2_700], "never past the end");
    clock.set(end - secs(1));
    let last = ask(&layer, "/x", &cookie).await;
    assert_eq!(last.text(), greeting(&session));
    assert!(renewed(&last).is_none(), "nothing is left to renew");
    clock.set(end);
    let refused = ask(&layer, "/x", &cookie).await;
    assert_eq!(refused.code(), "expired_session");
    assert_eq!(refused.cookies()[SESSION], (String::new(), 0));
}

#[tokio::test]
async fn a_session_that_was_idle_too_long_is_refused_and_its_cookie_removed() {
    let clock = ManualClock::new();
    let layer = idle(builder(&clock));
    let (cookie, _) = cookie_of(&layer);
    clock.advance(secs(HOUR));
    let refused = ask(&layer, "/x", &cookie).await;
    assert_eq!(
        (refused.status().as_u16(), refused.code().as_str()),
        (401, "expired_session")
    );
    assert_eq!(refused.cookies()[SESSION], (String::new(), 0));
    let request = with_cookie(document("/x"), &cookie);
    let refused = Answer::of(layer.layer(application()), request).await;
    assert_eq!(refused.location(), "/auth/login?return_to=/x");
    assert_eq!(refused.cookies()[SESSION], (String::new(), 0));
    let open = ask(&layer, "/about", &cookie).await;
    assert_eq!(open.text(), "hello nobody");
    assert!(renewed(&open).is_none());
}

#[tokio::test]
async fn a_session_that_the_store_does_not_vouch_for_is_not_renewed() {
    for act in [Act::Revoked, Act::Fail] {
        for store in [Script::settled(act), Script::pending(act)] {
            let clock = ManualClock::new();
            let layer = idle(builder(&clock).revocations(store));
            let (cookie, _) = cookie_of(&layer);
            clock.advance(secs(30 * MINUTE));
            for path in ["/x", "/about"] {
                let set = renewed(&ask(&layer, path, &cookie).await);
                let max_age = set.map(|(_, max_age)| max_age);
                assert!(max_age.is_none_or(|max_age| max_age == 0), "{act:?} {path}");
            }
        }
    }
}

/// Pinned: the cookie of a slow response, renewed when its request came, took the place of the
/// newer one of a sign-in.
#[tokio::test]
async fn a_response_that_outlasts_its_session_renews_nothing() {
    for (name, ends) in [("signed out", true), ("goes on", false)] {
        let clock = ManualClock::new();
        let layer = idle(builder(&clock));
        let (cookie, session) = cookie_of(&layer);
        clock.advance(secs(20 * MINUTE));
        let issuer = layer.issuer();
        let slow = tower::service_fn(async |_: Request<_>| {
            // What the browser does in another tab meanwhile.
            if ends {
                issuer.sign_out(&session).await.unwrap();
            }
            let body = http_body_util::Full::<bytes::Bytes>::default();
            Ok::<_, std::convert::Infallible>(http::Response::new(body))
        });
        let request = with_cookie(program("/x"), &cookie);
        let answer = Answer::of(layer.layer(slow), request).await;
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(renewed(&answer).is_none(), ends, "{name}");
    }
}

#[tokio::test]
async fn a_session_is_renewed_too_when_the_store_had_to_wait() {
    let clock = ManualClock::new();
    let layer = idle(builder(&clock).revocations(Script::pending(Act::Active)));
    let (cookie, _) = cookie_of(&layer);
    clock.advance(secs(30 * MINUTE));
    let answer = ask(&layer, "/x", &cookie).await;
    assert_eq!(renewed(&answer).unwrap().1, 3_600);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn without_an_idle_timeout_no_cookie_is_renewed() {
    let clock = ManualClock::new();
    let layer = builder(&clock).build().unwrap();
    let (cookie, session) = cookie_of(&layer);
    for _ in 0..11 {
        clock.advance(secs(HOUR));
        let answer = ask(&layer, "/x", &cookie).await;
        assert_eq!(answer.text(), greeting(&session));
        assert!(renewed(&answer).is_none());
    }
}

#[tokio::test]
async fn a_shorter_lifetime_ends_the_sessions_that_are_older_and_no_younger_ones() {
    let clock = ManualClock::new();
    let keys = keys();
    let long = idle(builder_with(&clock, &keys));
    let short = builder_with(&clock, &keys).session_lifetime(secs(HOUR));
    let short = short.build().unwrap();
    let (old, _) = cookie_of(&long);
    clock.advance(secs(30 * MINUTE));
    let (old, _) = renewed(&ask(&long, "/x", &old).await).unwrap();
    let (young, session) = cookie_of(&long);
    clock.advance(secs(30 * MINUTE));
    assert_eq!(ask(&short, "/x", &old).await.code(), "expired_session");
    assert_eq!(ask(&short, "/x", &young).await.text(), greeting(&session));
    assert_eq!(ask(&long, "/x", &old).await.status(), 200);
}

#[tokio::test]
async fn a_session_of_a_retired_key_is_renewed_with_the_current_one() {
    let clock = ManualClock::new();
    let old_key = SigningKey::generate().unwrap();
    let new_key = SigningKey::generate().unwrap();
    let before = idle(builder_with(&clock, &KeyRing::new(old_key.clone())));
    let both = KeyRing::new(new_key.clone()).retire(old_key).unwrap();
    let during = idle(builder_with(&clock, &both));
    let after = idle(builder_with(&clock, &KeyRing::new(new_key)));
    let (cookie, session) = cookie_of(&before);
    clock.advance(secs(20 * MINUTE));
    assert_eq!(ask(&after, "/x", &cookie).await.code(), "invalid_session");
    let (cookie, _) = renewed(&ask(&during, "/x", &cookie).await).unwrap();
    assert_eq!(ask(&after, "/x", &cookie).await.text(), greeting(&session));
}

/// Pinned: a key was replaced because it had leaked, and a forged session whose renewal waited for
/// the store was handed a token of the new key.
#[tokio::test]
async fn a_renewal_that_waits_while_its_key_is_replaced_hands_out_no_token_of_the_new_key() {
    for (name, is_replaced) in [("replaced", true), ("rotated", false)] {
        for waits_for_store in [true, false] {
            let name = format!("{name}, for the store: {waits_for_store}");
            let clock = ManualClock::new();
            let keys = keys();
            let builder = builder_with(&clock, &keys);
            let layer = idle(match waits_for_store {
                true => builder.revocations(Script::pending(Act::Active)),
                false => builder
                    .revocations(Script::settled(Act::Active))
                    .reauthorize(secs(MINUTE), |_: Session| async {
                        tokio::task::yield_now().await;
                        true
                    }),
            });
            let (cookie, session) = cookie_of(&layer);
            clock.advance(secs(20 * MINUTE));
            let mut answer = pin!(ask(&layer, "/x", &cookie));
            let polled = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "{name}");
            let new = SigningKey::generate().unwrap();
            match is_replaced {
                true => keys.handle().replace(&KeyRing::new(new)),
                false => {
                    let until = clock.now() + secs(12 * HOUR);
                    keys.handle().rotate(&new, until, clock.now()).unwrap();
                }
            }
            let answer = answer.await;
            assert_eq!(
                answer.text(),
                greeting(&session),
                "{name}: it was in flight"
            );
            assert_eq!(renewed(&answer).is_some(), !is_replaced, "{name}");
        }
    }
}

#[tokio::test]
async fn a_session_from_the_future_is_refused_beyond_a_minute_of_skew() {
    let clock = ManualClock::new();
    let keys = keys();
    let (cookie, session) = cookie_of(&idle(builder_with(&clock, &keys)));
    for (behind, want) in [(0, 200), (60, 200), (61, 401), (13 * HOUR, 401)] {
        clock.set(session.issued_at() - secs(behind));
        // Another replica: the one that signed in stays at its highest reading.
        let layer = idle(builder_with(&clock, &keys));
        let answer = ask(&layer, "/x", &cookie).await;
        assert_eq!(answer.status(), want, "{behind} seconds behind");
    }
}
