//! A code is exchanged only if the callback brings the state of its own sign-in.

use tower_magic_link::RejectionKind;

use super::{begun, is_trouble, parts};
use crate::{names::ADA, support::World};

#[tokio::test]
async fn a_callback_without_our_state_exchanges_nothing() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (code, state) = parts(&callback);
    let check = browser.clone().ask_for_link(ADA, "/").await;
    assert_eq!(check.status(), 200);
    let posted = browser
        .clone()
        .post("/auth/login", "email=ada@example.com")
        .await;
    let sealed_for_another_page = posted.location().split_once("t=").unwrap().1.to_owned();
    let foreign = World::new().await;
    let (_, foreign_callback) = begun(&foreign).await;
    let (_, foreign_state) = parts(&foreign_callback);
    let long = "x".repeat(5_000);
    let cases = [
        ("made up", "x"),
        ("base64 of nothing", "AAAA"),
        ("truncated", &state[..state.len() - 1]),
        ("padded", &format!("{state}=")),
        ("longer", &format!("{state}A")),
        ("of another page", &sealed_for_another_page),
        ("of another layer's keys", &foreign_state),
        ("long", &long),
    ];
    for (name, state) in cases {
        let answer = browser
            .clone()
            .get(&format!("/auth/callback?code={code}&state={state}"))
            .await;
        assert_eq!(answer.status(), 400, "{name}");
        is_trouble(&answer, 400, RejectionKind::Malformed);
    }
    assert_eq!(world.exchanges(), 0);
}

#[tokio::test]
async fn a_state_with_any_changed_character_exchanges_nothing() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (code, state) = parts(&callback);
    for place in 0..state.len() {
        let mut changed = state.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let answer = browser
            .clone()
            .get(&format!("/auth/callback?code={code}&state={changed}"))
            .await;
        assert_eq!(answer.status(), 400, "character {place}");
    }
    assert_eq!(world.exchanges(), 0);
}

#[tokio::test]
async fn a_callback_without_any_state_starts_over_and_throws_the_code_away() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let (code, _) = parts(&callback);
    for query in [format!("?code={code}"), String::new(), "?x=1".to_owned()] {
        let answer = browser.get(&format!("/auth/callback{query}")).await;
        assert_eq!(answer.location(), "/auth/login", "{query}");
    }
    assert_eq!(world.exchanges(), 0);
}

#[tokio::test]
async fn a_callback_that_contradicts_itself_is_refused_before_any_exchange() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (code, state) = parts(&callback);
    let long = "c".repeat(64 * 1_024);
    let cases = [
        (
            "code twice",
            format!("code={code}&state={state}&code={code}"),
        ),
        (
            "encoded twin",
            format!("code={code}&state={state}&%63ode=x"),
        ),
        (
            "state twice",
            format!("code={code}&state={state}&state={state}"),
        ),
        ("error twice", format!("error=a&error=b&state={state}")),
        (
            "code and error",
            format!("code={code}&error=access_denied&state={state}"),
        ),
        ("empty code", format!("code=&state={state}")),
        ("empty state", format!("code={code}&state=")),
        ("empty error", format!("error=&state={state}")),
        ("no code", format!("state={state}")),
        ("array", format!("code[]={code}&state={state}")),
        ("code with a space", format!("code={code}%20&state={state}")),
        (
            "code with a line break",
            format!("code={code}%0a&state={state}"),
        ),
        (
            "code in another script",
            format!("code=%D1%81ode&state={state}"),
        ),
        (
            "64 KiB of code",
            format!("code={}&state={state}", &long[..60_000]),
        ),
        (
            "513 bytes of code",
            format!("code={}&state={state}", &long[..513]),
        ),
    ];
    for (name, query) in cases {
        let answer = browser
            .clone()
            .get(&format!("/auth/callback?{query}"))
            .await;
        assert_eq!(answer.status(), 400, "{name}");
        is_trouble(&answer, 400, RejectionKind::Malformed);
    }
    assert_eq!(world.exchanges(), 0);
}

#[tokio::test]
#[ignore = "needs CORPORA; run by tests/run"]
async fn corpora_no_naughty_string_in_a_callback_is_shown_or_breaks_it() {
    let path = format!("{}/naughty-strings.json", std::env::var("CORPORA").unwrap());
    let strings: Vec<String> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (code, state) = parts(&callback);
    for text in strings {
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for query in [
            format!("error={text}&error_description={text}&state={state}"),
            format!("error=access_denied&error_description={text}"),
            format!("code={code}&state={text}"),
            format!("code={text}{text}&state={state}x"),
        ] {
            let answer = browser
                .clone()
                .get(&format!("/auth/callback?{query}"))
                .await;
            assert!(
                matches!(answer.status().as_u16(), 303 | 400),
                "{query}: {}",
                answer.status()
            );
            // Ours, which the policy allows by its hash, and no other.
            let scripts = answer.text().matches("<script").count();
            let is_ours = answer.text().contains("<script>\n// Two clicks post once");
            assert_eq!(scripts, usize::from(is_ours), "{query}");
        }
    }
    assert_eq!(world.exchanges(), 0);
}
