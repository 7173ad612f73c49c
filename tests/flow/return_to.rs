//! Where a person comes out after signing in: on our own origin, and not in a loop.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use url::Url;

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, World},
};

/// Signs in with a wish for afterwards, and says where the person came out.
async fn comes_out(world: &World, browser: &mut Browser, query: &str, form: &str) -> String {
    browser
        .post(
            &format!("/auth/login{query}"),
            &format!("email={ADA}{form}"),
        )
        .await;
    let callback = world.follow_mail(ADA).await;
    browser.get(&callback).await.location().to_owned()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_wish_that_leaves_the_origin_or_loops_comes_out_at_the_front_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    let wishes = [
        "https://evil.example/",
        "//evil.example/x",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "/\t/evil.example",
        "/\r\nLocation: https://evil.example",
        "/%0d%0aSet-Cookie:%20a=b",
        "javascript:alert(1)",
        "/a/../../evil",
        "/x#fragment",
        "/\0",
        "/auth/login",
        "/auth/logout?x=1",
        "/auth/callback?code=a&state=b",
        "/%61uth/login",
        "",
        "x",
    ];
    for wish in wishes {
        let wish = encoded(wish);
        let by_query = comes_out(&world, &mut browser, &format!("?return_to={wish}"), "").await;
        let by_form = comes_out(&world, &mut browser, "", &format!("&return_to={wish}")).await;
        assert_eq!([by_query.as_str(), &by_form], ["/", "/"], "{wish}");
    }
}

#[tokio::test]
async fn a_wish_on_the_origin_is_kept_through_mail_and_back() {
    let world = World::with(tower_magic_link::Builder::insecure_no_throttle).await;
    let mut browser = world.browser();
    for wish in [
        "/",
        "/reports?page=2&q=%C3%A9%20+x",
        "/a/b/",
        "/search?u=https://other.example//x",
    ] {
        let wish_encoded = encoded(wish);
        let out = comes_out(
            &world,
            &mut browser,
            &format!("?return_to={wish_encoded}"),
            "",
        )
        .await;
        assert_eq!(out, wish);
    }
}

#[tokio::test]
async fn a_wish_too_long_for_the_state_waits_in_the_same_browser() {
    let world = World::new().await;
    let long = format!("/reports?filter={}", "x".repeat(1_900));
    let other = format!("/other?filter={}", "y".repeat(1_900));
    let mut browser = world.browser();
    let out = comes_out(
        &world,
        &mut browser,
        &format!("?return_to={}", encoded(&long)),
        "",
    )
    .await;
    assert_eq!(out, long);

    // Another attempt's wish is not this one's, and a forged cookie is nobody's.
    let posted = browser
        .post(
            &format!("/auth/login?return_to={}", encoded(&other)),
            "email=ada@example.com",
        )
        .await;
    assert!(
        posted.location().len() < 1_100,
        "{}",
        posted.location().len()
    );
    // Pinned: the cookie ended with the attempt, so that the mail after a late one led to the front
    // page. A short wish stays with the attempt, and that with the browser's cookie.
    let cookies = posted.set_cookies();
    let lifetime = |name: &str| {
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(name));
        let (_, lifetime) = cookie.unwrap().split_once("Max-Age=").unwrap();
        lifetime.split(';').next().unwrap().parse::<u64>().unwrap()
    };
    let kept = lifetime("__Host-magic-link-return=");
    assert_eq!(kept, lifetime("__Host-magic-link-browser="));
    assert!(kept > 24 * 60 * 60, "{kept}");
    let first = world.follow_mail(ADA).await;
    browser
        .post(
            &format!("/auth/login?return_to={}", encoded(&long)),
            "email=ada@example.com",
        )
        .await;
    assert_eq!(browser.clone().get(&first).await.location(), "/");
    let second = world.follow_mail(ADA).await;
    let cookie = browser.jar["__Host-magic-link-return"].clone();
    for place in [0, 30, cookie.len() - 2] {
        let mut forged = cookie.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let mut browser = browser.clone();
        browser.jar.insert(
            "__Host-magic-link-return".to_owned(),
            String::from_utf8(forged).unwrap(),
        );
        assert_eq!(
            browser.get(&second).await.location(),
            "/",
            "character {place}"
        );
    }
}

#[tokio::test]
async fn no_line_break_in_a_wish_reaches_a_header() {
    let world = World::with(tower_magic_link::Builder::insecure_no_throttle).await;
    let mut browser = world.browser();
    // Where a wish is kept, it is by its own bytes, which no reader of a header takes for a break.
    let wishes = [
        ("/\r\nX-Injected:1", "/"),
        ("/\nX-Injected:1", "/"),
        ("/\rX-Injected:1", "/"),
        ("/\u{85}X-Injected:1", "/"),
        ("/\u{2028}X-Injected:1", "/"),
        ("/\u{560a}\u{560d}X-Injected:1", "/"),
        ("/x?y=\r\nX-Injected:1", "/"),
        ("/%0d%0aX-Injected:1", "/"),
        ("/%0D%0AX-Injected:1", "/"),
        ("/%0aX-Injected:1", "/"),
        ("/%0dX-Injected:1", "/"),
        ("/x%20%0d%0aX-Injected:1", "/"),
        ("/x%23%0d%0aX-Injected:1", "/"),
        ("/x%3f%0d%0aX-Injected:1", "/"),
        ("/%2e%2e/%0d%0aX-Injected:1", "/"),
        ("/%250d%250aX-Injected:1", "/"),
        ("/%%0d0d%%0a0aX-Injected:1", "/"),
        ("/%00%0aX-Injected:1", "/"),
        ("/%09X-Injected:1", "/"),
        ("/%0b%0cX-Injected:1", "/"),
        ("/%c2%85X-Injected:1", "/"),
        ("/%c0%8d%c0%8aX-Injected:1", "/"),
        ("/%u000d%u000aX-Injected:1", "/%u000d%u000aX-Injected:1"),
        ("/%e5%98%8a%e5%98%8dX", "/%e5%98%8a%e5%98%8dX"),
        ("/x?y=%0d%0aX-Injected:1", "/x?y=%0d%0aX-Injected:1"),
    ];
    for (wish, want) in wishes {
        let encoded = encoded(wish);
        let by_query = comes_out(&world, &mut browser, &format!("?return_to={encoded}"), "").await;
        let by_form = comes_out(&world, &mut browser, "", &format!("&return_to={encoded}")).await;
        assert_eq!([by_query.as_str(), &by_form], [want, want], "{wish:?}");

        // What is asked for without a session is a wish, too.
        let Ok(uri) = http::Uri::try_from(wish) else {
            continue;
        };
        let asked = Request::get(uri).header("accept", "text/html");
        let asked = asked.body(Full::<Bytes>::default()).unwrap();
        let answer = world.browser().send(asked).await;
        assert_eq!(answer.header("x-injected"), "", "{wish:?}");
        assert_eq!(answer.set_cookies(), Vec::<String>::new(), "{wish:?}");
        let login = if want == "/" {
            "/auth/login".to_owned()
        } else {
            format!("/auth/login?return_to={encoded}").replace("%2F", "/")
        };
        assert_eq!(answer.location(), login, "{wish:?}");
    }
}

#[tokio::test]
async fn a_request_line_that_reads_as_another_origin_is_not_reflected() {
    let world = World::new().await;
    for line in [
        "//evil.example/x",
        "//evil.example/..",
        "/\\evil.example",
        "/%5c%5cevil.example",
        "*",
    ] {
        let Ok(uri) = http::Uri::try_from(line) else {
            panic!("{line} is no URI");
        };
        let request = Request::builder()
            .uri(uri)
            .header("accept", "text/html")
            .body(Full::<Bytes>::default())
            .unwrap();
        let answer = world.browser().send(request).await;
        assert_eq!(answer.location(), "/auth/login", "{line}");
        let answer = world
            .browser()
            .send(
                Request::get("https://evil.example/x")
                    .header("accept", "text/html")
                    .body(Full::default())
                    .unwrap(),
            )
            .await;
        assert_eq!(answer.location(), "/auth/login?return_to=/x");
    }
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_no_payload_comes_out_anywhere_else_or_breaks_the_form() {
    let corpora = std::env::var("CORPORA").unwrap();
    let read = |name: &str| std::fs::read_to_string(format!("{corpora}/{name}")).unwrap();
    let naughty: Vec<String> = serde_json::from_str(&read("naughty-strings.json")).unwrap();
    let redirects = read("open-redirects.txt");
    let world = World::with(tower_magic_link::Builder::insecure_no_throttle).await;
    let origin = Url::parse(ORIGIN).unwrap();
    let mut reflected = 0;
    for wish in redirects.lines().map(str::to_owned).chain(naughty) {
        for wish in [encoded(&wish), encoded(&format!("/{wish}"))] {
            let answer = world
                .browser()
                .get(&format!("/auth/login?return_to={wish}"))
                .await;
            assert_eq!(answer.status(), 200, "{wish}");
            let text = answer.text();
            let action = text
                .split_once("action=\"")
                .unwrap()
                .1
                .split_once('"')
                .unwrap()
                .0;
            let action = origin.join(&action.replace("&amp;", "&")).unwrap();
            assert_eq!(action.origin(), origin.origin(), "{wish}");
            if let Some((_, kept)) = action.query_pairs().next() {
                assert_eq!(
                    origin.join(&kept).unwrap().origin(),
                    origin.origin(),
                    "{wish}"
                );
            }
        }
        for target in [wish.clone(), format!("/{wish}")] {
            let Ok(target) = http::Uri::try_from(&target) else {
                continue;
            };
            let asked = Request::get(&target).header("accept", "text/html");
            let asked = asked.body(Full::<Bytes>::default()).unwrap();
            let answer = world.browser().send(asked).await;
            let login = origin.join(answer.location()).unwrap();
            assert_eq!(
                (login.origin(), login.path()),
                (origin.origin(), "/auth/login")
            );
            for (_, kept) in login.query_pairs() {
                let kept = origin.join(&kept).unwrap();
                assert_eq!(kept.origin(), origin.origin(), "{target}");
            }
            reflected += 1;
        }
    }
    assert!(reflected > 500, "{reflected} request lines");
}
