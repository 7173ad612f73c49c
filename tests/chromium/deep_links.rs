//! Where the browser ends up after a deep link, by its own reading of the address.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};

use crate::{
    names::ADA,
    site::APP,
    stage::{Post, Stage},
};

/// What attacks on ways back are made of.
const PIECES: [&str; 32] = [
    "/",
    "//",
    "///",
    "\\",
    "\\\\",
    "%5c",
    "%2f",
    "%252f",
    "%255c",
    ".",
    "..",
    "%2e",
    "%2e%2e",
    "@",
    ":",
    "?",
    "?",
    "#",
    "https:",
    "https://",
    "evil.example",
    "%09",
    "%0a",
    "%00",
    "%E9",
    "%c0%af",
    "%ff",
    "%E2%80%AE",
    ";",
    "&",
    "=",
    "a",
];

/// Returns made-up addresses: the same ones each time.
fn made_up(count: usize) -> Vec<String> {
    let mut state = 7_u64;
    let mut draw = move |below: usize| {
        // Knuth's MMIX generator; its high bits are random enough.
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let text = |_| {
        let length = 1 + draw(9);
        let pieces: Vec<_> = (0..length).map(|_| PIECES[draw(PIECES.len())]).collect();
        format!("/{}", pieces.concat())
    };
    (0..count).map(text).collect()
}

/// Returns those that the form leads back to.
async fn kept(texts: Vec<String>) -> Vec<String> {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys).public_url(APP);
    let answer = |_: Request<Full<Bytes>>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    };
    let app = layer.build().unwrap().layer(service_fn(answer));
    let mut kept = Vec::new();
    for text in texts {
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let request = Request::get(format!("/auth/login?return_to={encoded}"))
            .header("accept", "text/html")
            .body(Full::<Bytes>::default());
        let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
        let page = answer.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8(page.to_vec()).unwrap();
        let (_, action) = page.split_once("action=\"/auth/login").expect("the form");
        let action = action.split('"').next().unwrap();
        if let Some(query) = action.strip_prefix('?') {
            let (_, value) = url::form_urlencoded::parse(query.as_bytes())
                .next()
                .unwrap();
            assert_eq!(value, text, "kept as it was");
            kept.push(text);
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn whatever_is_kept_is_on_our_origin_by_the_browsers_reading() {
    let kept = kept(made_up(30_000)).await;
    assert!(kept.len() > 1_000, "{} addresses", kept.len());
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    browser.goto("/auth/login").await;
    browser.shows("Sign in").await;
    let script = format!(
        "const decoded = text => {{ try {{ return decodeURIComponent(text) }} catch {{ return '/' }} }};
         const link = document.createElement('a');
         const origins = text => {{
             link.href = text;
             return [link.origin, new URL(text, '{APP}').origin, new URL(text, '{APP}/auth/open').origin];
         }};
         const readings = text => [text, decoded(text), decoded(decoded(text))];
         const leaves = text => readings(text).some(text => origins(text).some(origin => origin !== '{APP}'));
         return {}.filter(leaves);",
        json!(kept)
    );
    let left = browser.run(&script).await.unwrap();
    assert_eq!(left, json!([]));
    // The script finds what leaves.
    let refused = [
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "/\t/evil.example",
    ];
    let script = script.replace(&json!(kept).to_string(), &json!(refused).to_string());
    assert_eq!(browser.run(&script).await.unwrap(), json!(refused));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_deep_link_with_odd_characters_is_where_the_person_comes_out() {
    for target in [
        "/search?re=\\d+\\\\w",
        "/search?re=%5Cd",
        "/?\\\\evil.example",
        "/proxy/https://other.example/x?y=1",
        "/a//b",
        "/caf%E9?q=%E9",
    ] {
        let stage = Stage::new(Post::Own).await;
        let browser = stage.browser().await;
        let link = stage.ask_for_link(&browser, target).await;
        browser.goto(&link).await;
        browser.shows(&format!("Hello {ADA}")).await;
        browser.arrives(target).await;
        browser.is_content().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by tests/run"]
async fn a_deep_link_that_is_too_long_is_told_before_the_sign_in() {
    let stage = Stage::new(Post::Own).await;
    let browser = stage.browser().await;
    let long = format!("/reports?filter={}", "x".repeat(3_000));
    browser.goto(&long).await;
    browser.shows("Sign in").await;
    let told = browser.text("#way-back").await.expect("a word");
    assert!(told.ends_with("please open it again."), "{told}");
    browser.fill("email", ADA).await;
    browser.submit().await;
    browser.shows("Check your email").await;
    browser.goto(&stage.link_to(ADA)).await;
    browser.shows(&format!("Hello {ADA}")).await;
    browser.arrives("/").await;
    browser.goto(&long).await;
    browser.arrives(&long).await;
    browser.is_content().await;
}
