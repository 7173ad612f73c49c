//! The session cookie for several subdomains.

use tower_magic_link::{Builder, MagicLinkLayer, RejectionKind};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Browser, World, app_of, client},
};

const WIDE: &str = "__Secure-magic-link";
const HOST: &str = "__Host-magic-link";

fn wide(builder: Builder) -> Builder {
    builder.cookie_domain("example.com")
}

async fn signed_in(world: &World, email: &str) -> Browser {
    let mut browser = world.browser();
    browser.cookie_domain = Some("example.com");
    let answer = browser.sign_in(world, email, "/").await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    browser
}

#[tokio::test]
async fn the_session_cookie_alone_goes_to_the_domain_and_comes_and_goes_with_it() {
    let world = World::with(wide).await;
    let mut browser = signed_in(&world, ADA).await;
    let mut names: Vec<_> = browser.jar.keys().cloned().collect();
    names.sort();
    let want = [
        "__Host-magic-link-arrived",
        "__Host-magic-link-browser",
        "__Host-magic-link-known",
        WIDE,
    ];
    assert_eq!(names, want);
    // Every one of these is looked at by the browser, its removal too.
    let out = browser.post("/auth/logout", "").await;
    let removal = out
        .set_cookies()
        .into_iter()
        .find(|cookie| cookie.starts_with(WIDE));
    assert!(
        removal
            .unwrap()
            .contains("; Domain=example.com; Max-Age=0;")
    );
    assert!(!browser.jar.contains_key(WIDE));
    assert_eq!(browser.get("/").await.status(), 303);

    let issuer = world.layer.issuer();
    assert!(
        issuer
            .removal()
            .to_str()
            .unwrap()
            .contains("; Domain=example.com;")
    );
    let ada = tower_magic_link::provider::Identity::new("user-1", ADA.parse().unwrap());
    let set = issuer.issue(&ada).unwrap().set_cookie();
    assert!(set.to_str().unwrap().contains("; Domain=example.com;"));
}

#[tokio::test]
async fn a_spoiled_cookie_is_removed_with_its_domain() {
    let world = World::with(wide).await;
    let mut browser = world.browser();
    browser.cookie_domain = Some("example.com");
    browser.jar.insert(WIDE.to_owned(), "forged".to_owned());
    let answer = browser.get("/").await;
    assert_eq!(answer.status(), 303);
    assert!(answer.set_cookies()[0].contains("Domain=example.com"));
}

#[tokio::test]
async fn a_second_cookie_of_its_name_is_a_conflict_whichever_comes_first() {
    let world = World::with(wide).await;
    let (ada, eve) = (signed_in(&world, ADA).await, signed_in(&world, EVE).await);
    let (ada, eve) = (&ada.jar[WIDE], &eve.jar[WIDE]);
    for (first, second) in [(ada, eve), (eve, ada)] {
        let request = http::Request::get("/")
            .header("cookie", format!("{WIDE}={first}; {WIDE}={second}"))
            .body("".into())
            .unwrap();
        let answer = world.browser().send(request).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.code(), "conflicting_cookies");
    }
}

/// Pinned: it was told as done, and ended nothing.
#[tokio::test]
async fn signing_out_with_cookies_that_conflict_ends_the_session_of_each_that_is_good() {
    for everywhere in ["", "everywhere=true"] {
        let world = World::with(wide).await;
        let mut elsewhere = signed_in(&world, ADA).await;
        let mut bob = signed_in(&world, "bob@example.com").await;
        let (ada, eve) = (signed_in(&world, ADA).await, signed_in(&world, EVE).await);
        let mut torn = world.browser();
        torn.cookie_domain = Some("example.com");
        let values = ["forged", &ada.jar[WIDE], &eve.jar[WIDE]];
        let values = values.join(&format!("; {WIDE}="));
        torn.jar.insert(WIDE.to_owned(), values);
        let page = torn.get("/auth/logout").await;
        assert!(page.text().contains("<button"), "{}", page.text());

        let out = torn.post("/auth/logout", everywhere).await;
        assert_eq!(out.location(), "/auth/logout");
        assert!(!torn.jar.contains_key(WIDE));
        for mut ended in [ada, eve] {
            assert_eq!(ended.get("/").await.status(), 303, "{everywhere}");
        }
        let other = if everywhere.is_empty() { 200 } else { 303 };
        assert_eq!(elsewhere.get("/").await.status(), other, "{everywhere}");
        assert_eq!(bob.get("/").await.status(), 200);
    }
}

/// Pins: over the limit, the page said that the session had ended, and a GET that the person was
/// signed out. The session is good.
#[tokio::test]
async fn signing_out_with_more_cookies_than_are_looked_at_is_refused_and_removes_ours() {
    for (most, is_ended) in [(16, true), (17, false)] {
        let world = World::with(wide).await;
        let ada = signed_in(&world, ADA).await;
        let mut values: Vec<_> = (1..most).map(|n| format!("forged{n}")).collect();
        // The same one again is no other one.
        values.extend([ada.jar[WIDE].clone(), ada.jar[WIDE].clone()]);
        let mut torn = world.browser();
        torn.cookie_domain = Some("example.com");
        let values = values.join(&format!("; {WIDE}="));
        torn.jar.insert(WIDE.to_owned(), values);
        let asked = torn.get("/auth/logout").await;
        let forms: &[&str] = match is_ended {
            true => {
                assert!(asked.text().contains("<button"), "{}", asked.text());
                &[""]
            }
            false => {
                assert_eq!(asked.location(), "/auth/login");
                &["everywhere=true", ""]
            }
        };
        for form in forms {
            let mut torn = torn.clone();
            let out = torn.post("/auth/logout", form).await;
            assert_eq!(out.status(), if is_ended { 303 } else { 503 }, "{most}");
            assert!(!torn.jar.contains_key(WIDE), "{most}");
            if !is_ended {
                let (page, told) = (out.read(), RejectionKind::SignOutNotRecorded);
                assert!(page.contains(told.heading()), "{form:?}: {page}");
                assert!(page.contains(told.happened()), "{form:?}: {page}");
            }
        }
        let left = ada.clone().get("/").await.status();
        assert_eq!(left, if is_ended { 303 } else { 200 }, "{most}");
    }
}

/// When the domain is switched on or off, the cookie of before is not read. It goes where that can
/// be done.
#[tokio::test]
async fn the_cookie_of_before_the_change_is_ignored_and_goes_with_the_next_sign_in_or_out() {
    let world = World::with(wide).await;
    let before = MagicLinkLayer::builder(client(&world.workos), world.keys.clone())
        .public_url(ORIGIN)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let mut old = Browser::new(app_of(&before), ORIGIN);
    old.sign_in(&world, ADA, "/").await;
    let former = old.jar[HOST].clone();

    let mut browser = world.browser();
    browser.cookie_domain = Some("example.com");
    browser.jar.insert(HOST.to_owned(), former.clone());
    let refused = browser.get("/").await;
    assert_eq!(refused.status(), 303, "it is not read");
    assert!(refused.set_cookies().is_empty(), "nor touched");
    browser.sign_in(&world, ADA, "/").await;
    assert!(browser.jar.contains_key(WIDE) && !browser.jar.contains_key(HOST));

    browser.jar.insert(HOST.to_owned(), former);
    browser.post("/auth/logout", "").await;
    assert!(!browser.jar.contains_key(WIDE) && !browser.jar.contains_key(HOST));

    // The other way round, the layer no longer knows which domain it was.
    let wide = signed_in(&world, ADA).await;
    let mut back = Browser::new(app_of(&before), ORIGIN);
    back.jar.insert(WIDE.to_owned(), wide.jar[WIDE].clone());
    assert_eq!(back.get("/").await.status(), 303, "it is not read");
    back.sign_in(&world, ADA, "/").await;
    assert!(back.jar.contains_key(WIDE) && back.jar.contains_key(HOST));
}

#[tokio::test]
async fn a_service_behind_sees_no_session_cookie_under_either_name() {
    use std::convert::Infallible;
    use tower::{Layer, ServiceExt, service_fn};

    for domain in [None, Some("example.com")] {
        let world = World::with(|builder| match domain {
            Some(domain) => builder.cookie_domain(domain).forward_identity(),
            None => builder.forward_identity(),
        })
        .await;
        let service = world
            .layer
            .layer(service_fn(|request: http::Request<String>| async move {
                let cookies = request.headers().get_all("cookie").iter();
                let cookies: Vec<_> = cookies
                    .map(|field| field.to_str().unwrap().to_owned())
                    .collect();
                Ok::<_, Infallible>(
                    http::Response::builder()
                        .header("set-cookie", format!("{WIDE}=theirs"))
                        .header("set-cookie", format!("{HOST}=theirs"))
                        .header("set-cookie", "theme=light")
                        .body(cookies.join("; "))
                        .unwrap(),
                )
            }));
        let mut request = http::Request::new(String::new());
        world.layer.sign_in(&mut request, ADA);
        let others = format!(
            "theme=dark; {}=x",
            if domain.is_some() { HOST } else { WIDE }
        );
        request
            .headers_mut()
            .append("cookie", others.parse().unwrap());
        let response = service.oneshot(request).await.unwrap();
        let set: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(set, ["theme=light"], "{domain:?}");
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap();
        assert_eq!(body.to_bytes(), "theme=dark", "{domain:?}");
    }
}
