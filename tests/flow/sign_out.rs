//! Signing out in a browser that does not say where a form comes from.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use tokio::{task::yield_now, time::timeout};
use tower_magic_link::{
    Builder, Session,
    provider::Identity,
    revocation::{Lookup, MemoryRevocations, Revocation, Revocations},
    store::StoreFuture,
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Answer, Browser, World},
};

const SESSION: &str = "__Host-magic-link";
const BROWSER: &str = "__Host-magic-link-browser";

/// Makes a browser that has a session which the application issued, and never saw the form.
fn issued(world: &World) -> Browser {
    let mut browser = world.browser();
    let ada = Identity::new("user-1", ADA.parse().unwrap());
    let issued = world.layer.issuer().issue(&ada).unwrap();
    let token = issued.token().expose().to_owned();
    browser.jar.insert(SESSION.to_owned(), token);
    browser
}

/// Posts a form with these fields about its origin.
async fn post(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::post(path)
        .header("host", "app.example.com")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body("email=ada%40example.com".into()).unwrap();
    browser.send(request).await
}

const NULL: (&str, &str) = ("origin", "null");

/// Pinned: our own page has `Referrer-Policy: no-referrer`, so a browser without fetch metadata
/// posts its form with `Origin: null`, and was refused for good without the browser cookie.
#[tokio::test]
async fn a_session_that_never_saw_the_form_signs_out_in_a_browser_that_names_no_site() {
    let world = World::new().await;
    for fields in [&[NULL][..], &[]] {
        let mut browser = issued(&world);
        let page = browser.get("/auth/logout").await;
        assert!(page.text().contains("<button"), "{}", page.text());
        assert!(!browser.jar.contains_key(BROWSER));
        let copy = browser.clone();
        let out = post(&mut browser, "/auth/logout", fields).await;
        assert_eq!(out.location(), "/auth/logout", "{fields:?}");
        assert!(!browser.jar.contains_key(SESSION));
        assert_eq!(copy.clone().get("/").await.status(), 303, "{fields:?}");
    }
    // The session has ended by itself meanwhile: there is no error to show.
    let mut late = issued(&world);
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    let out = post(&mut late, "/auth/logout", &[NULL]).await;
    assert_eq!(out.location(), "/auth/logout");
    assert!(!late.jar.contains_key(SESSION));
}

#[tokio::test]
async fn the_session_cookie_vouches_for_no_other_form_and_against_no_word_of_the_browsers() {
    let world = World::new().await;
    let cases = [
        (
            "a sibling",
            "/auth/logout",
            &[NULL, ("sec-fetch-site", "same-site")][..],
        ),
        (
            "a stranger",
            "/auth/logout",
            &[NULL, ("sec-fetch-site", "cross-site")],
        ),
        (
            "a sibling's origin",
            "/auth/logout",
            &[("origin", "https://www.example.com")],
        ),
        ("two origins", "/auth/logout", &[NULL, ("origin", ORIGIN)]),
        ("two empty origins", "/auth/logout", &[NULL, NULL]),
        ("signing in", "/auth/login", &[NULL]),
        ("signing in, unstated", "/auth/login", &[]),
    ];
    for (name, path, fields) in cases {
        let mut browser = issued(&world);
        let refused = post(&mut browser, path, fields).await;
        assert_eq!(refused.status(), 403, "{name}");
        assert!(refused.set_cookies().is_empty(), "{name}");
        assert_eq!(browser.get("/").await.status(), 200, "{name}");
    }
    // A cookie that is not ours, and a bearer token, which any site could send.
    let token = issued(&world).jar[SESSION].clone();
    let bearer = format!("Bearer {token}");
    let mut forged = world.browser();
    let signature = token.rsplit_once('.').unwrap().0;
    forged
        .jar
        .insert(SESSION.to_owned(), format!("{signature}.AAAA"));
    assert_eq!(
        post(&mut forged, "/auth/logout", &[NULL]).await.status(),
        403
    );
    let mut program = world.browser();
    let fields = [NULL, ("authorization", bearer.as_str())];
    assert_eq!(
        post(&mut program, "/auth/logout", &fields).await.status(),
        403
    );
}

/// Pins: a stolen token signed its person out of every later session, again and again, though it
/// had been signed out itself.
#[tokio::test]
async fn a_session_that_has_ended_ends_no_other() {
    let world = World::with(Builder::insecure_no_throttle).await;
    let orders = || world.heard().matches("SignedOut").count();
    for form in ["everywhere=true", ""] {
        let before = orders();
        let mut owner = world.signed_in(ADA).await;
        let stolen = owner.clone();
        owner.post("/auth/logout", form).await;
        assert_eq!(orders(), before + 1);
        let later = world.signed_in(ADA).await;
        let again = stolen.clone().post("/auth/logout", "everywhere=true").await;
        assert_eq!(again.status(), 401, "{form:?}");
        assert_eq!(orders(), before + 1, "{form:?}");
        let here = stolen.clone().post("/auth/logout", "").await;
        assert_eq!(here.location(), "/auth/logout");
        assert_eq!(orders(), before + 2, "{form:?}: of itself alone");
        assert_eq!(later.clone().get("/").await.status(), 200, "{form:?}");
    }
}

/// Records once it may.
#[derive(Clone, Debug, Default)]
struct Waiting {
    memory: MemoryRevocations,
    is_held: Arc<AtomicBool>,
    given: Arc<AtomicUsize>,
}

impl Revocations for Waiting {
    fn look_up(&self, session: &Session) -> Lookup {
        self.memory.look_up(session)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.given.fetch_add(1, Ordering::SeqCst);
            while self.is_held.load(Ordering::SeqCst) {
                yield_now().await;
            }
            self.memory.revoke(revocation).await
        })
    }
}

/// Pins: the order ended with the request, or was recorded and reported by nobody.
#[tokio::test]
async fn a_sign_out_whose_browser_leaves_is_recorded_and_reported() {
    let store = Waiting::default();
    let world = World::with(|builder| builder.revocations(store.clone())).await;
    let browser = world.signed_in(ADA).await;
    store.is_held.store(true, Ordering::SeqCst);
    let mut tab = browser.clone();
    let pressed = tokio::spawn(async move { drop(tab.post("/auth/logout", "").await) });
    while store.given.load(Ordering::SeqCst) == 0 {
        yield_now().await;
    }
    pressed.abort();
    assert!(pressed.await.unwrap_err().is_cancelled());
    store.is_held.store(false, Ordering::SeqCst);
    let reported = async {
        while !world.heard().contains("SignedOut") {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), reported).await.unwrap();
    assert_eq!(browser.clone().get("/").await.status(), 303);
}
