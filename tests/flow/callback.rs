//! The callback: what must be true before a code is exchanged, and what becomes of it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use http::Request;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind,
    emulator::{Endpoint, Fault, Hold},
    provider::{AuthorizationCode, Identity, IdentityProvider, ProviderError, Start, Started},
    testing::{ManualClock, StubProvider},
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Answer, Browser, World, app_of, client},
};

const SESSION: &str = "__Host-magic-link";

/// A browser that has asked for a link, and where the link leads.
async fn begun(world: &World) -> (Browser, String) {
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let callback = world.follow_mail(ADA).await;
    (browser, callback)
}

fn parts(callback: &str) -> (String, String) {
    let query = callback.split_once('?').unwrap().1;
    let field = |name: &str| {
        let mut fields = url::form_urlencoded::parse(query.as_bytes());
        fields.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    (field("code"), field("state"))
}

fn is_trouble(answer: &Answer, status: u16, trouble: RejectionKind) {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert!(
        answer.text().contains(trouble.heading()),
        "{}",
        answer.text()
    );
    assert!(
        answer
            .set_cookies()
            .iter()
            .all(|cookie| !cookie.starts_with("__Host-magic-link="))
    );
}

/// Returns a check page without what differs from one sign-in to the next.
fn without_codes(page: &str) -> String {
    let cut = |page: &str, start: &str, end: &str| {
        let (before, rest) = page.split_once(start).expect(start);
        let (_, after) = rest.split_once(end).expect(end);
        format!("{before}{after}")
    };
    let page = cut(page, "id=\"match-code\">", "<");
    cut(&page, "name=\"t\" value=\"", "\"")
}

fn is_asked_for_the_match_code(answer: &Answer) {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(answer.text().contains("name=\"code\""), "{}", answer.text());
    let mut set = answer.set_cookies().into_iter();
    assert!(set.all(|cookie| !cookie.starts_with("__Host-magic-link=")));
}

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
async fn another_browsers_link_signs_nobody_in_and_offers_to_start_here() {
    let world = World::new().await;
    let (mut attacker, callback) = begun(&world).await;
    // A victim with a browser cookie of their own, and one without any.
    let mut victim = world.browser();
    victim.get("/auth/login").await;
    for mut victim in [victim, world.browser()] {
        let answer = victim.get(&callback).await;
        is_asked_for_the_match_code(&answer);
        assert!(answer.text().contains("/auth/login"), "{}", answer.text());
        assert!(
            !answer.text().contains(ADA),
            "a stranger is shown no address"
        );
        assert!(!victim.jar.contains_key(SESSION));
    }
    assert_eq!(world.exchanges(), 0);
    // Nothing was used up.
    let answer = attacker.get(&callback).await;
    assert_eq!(answer.location(), "/reports");
}

#[tokio::test]
async fn a_code_that_proves_another_address_is_refused_and_told() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_email(EVE));
    let callback = world.follow_mail(ADA).await;
    let answer = browser.get(&callback).await;
    is_trouble(&answer, 403, RejectionKind::OtherAddress);
    assert!(world.heard().contains("OtherAddress"), "{}", world.heard());
    assert_eq!(browser.get("/").await.status(), 303);
}

#[tokio::test]
async fn an_address_in_other_letter_case_is_the_same_address() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link("Ada@Example.com", "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_email("ada@example.COM"));
    let callback = world.follow_mail("Ada@example.com").await;
    assert_eq!(browser.get(&callback).await.location(), "/");
}

#[tokio::test]
async fn a_code_of_another_connection_is_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    world
        .emulator()
        .next_profile(|profile| profile.with_connection_type("GoogleOAuth"));
    let callback = world.follow_mail(ADA).await;
    is_trouble(
        &browser.get(&callback).await,
        403,
        RejectionKind::WrongConnection,
    );
}

#[tokio::test]
async fn only_members_of_the_configured_organizations_get_in() {
    let world = World::with(|builder| builder.organization("org_1").organization("org_2")).await;
    for (organization, is_in) in [(None, false), (Some("org_3"), false), (Some("org_2"), true)] {
        let mut browser = world.browser();
        browser.ask_for_link(ADA, "/").await;
        if let Some(organization) = organization {
            world
                .emulator()
                .next_profile(move |profile| profile.with_organization(organization));
        }
        let callback = world.follow_mail(ADA).await;
        let answer = browser.get(&callback).await;
        if is_in {
            assert_eq!(answer.location(), "/");
        } else {
            is_trouble(&answer, 403, RejectionKind::NotAllowed);
        }
    }
}

#[tokio::test]
async fn an_address_outside_the_configured_domains_gets_no_mail_and_is_not_told() {
    let world = World::with(|builder| builder.email_domains(["example.com"])).await;
    let inside = world.browser().ask_for_link(ADA, "/").await;
    for outside in [
        "ada@example.com.evil.example",
        "ada@sub.example.com",
        "ada@evil.example",
    ] {
        let answer = world.browser().ask_for_link(outside, "/").await;
        let text = answer.text().replace(outside, ADA);
        assert_eq!(
            without_codes(&text),
            without_codes(&inside.text()),
            "{outside}"
        );
    }
    assert_eq!(world.emulator().outbox().len(), 1);
    assert!(world.heard().contains("LinkWithheld"));
}

#[tokio::test]
async fn the_application_has_its_own_say_and_a_say_that_fails_lets_nobody_in() {
    let world = World::with(|builder| {
        builder.authorize(|identity: Identity| async move {
            match identity.email().as_str() {
                ADA => Ok(true),
                EVE => Ok(false),
                _ => Err("the database is down"),
            }
        })
    })
    .await;
    let callback_of = |email: &'static str| {
        let world = &world;
        async move {
            let mut browser = world.browser();
            browser.ask_for_link(email, "/").await;
            let callback = world.follow_mail(email).await;
            browser.get(&callback).await
        }
    };
    assert_eq!(callback_of(ADA).await.location(), "/");
    is_trouble(&callback_of(EVE).await, 403, RejectionKind::NotAllowed);
    is_trouble(
        &callback_of("bob@example.com").await,
        503,
        RejectionKind::ProviderUnavailable,
    );
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

/// Returns the path at which a browser is to ask once more: the other of two clicks may be on its
/// way.
fn asked_again(answer: &Answer) -> &str {
    let again = answer.location();
    assert!(again.starts_with("/auth/callback?error=access_denied&state="));
    assert!(again.ends_with("&waited=1"), "{again}");
    assert!(answer.set_cookies().is_empty());
    again
}

async fn is_told_of_a_used_link(mut browser: Browser, burnt: &str) -> Answer {
    let answer = browser.get(burnt).await;
    let answer = browser.get(asked_again(&answer)).await;
    is_trouble(&answer, 400, RejectionKind::LinkUsed);
    answer
}

#[tokio::test]
async fn an_error_from_the_provider_is_a_page_in_our_words() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (_, state) = parts(&callback);
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let cases = [
        ("access_denied", 400, RejectionKind::LinkUsed),
        ("organization_invalid", 403, RejectionKind::NotAllowed),
        (
            "profile_not_allowed_outside_organization",
            403,
            RejectionKind::NotAllowed,
        ),
        ("server_error", 400, RejectionKind::ProviderFailed),
        ("connection_invalid", 400, RejectionKind::ProviderFailed),
        (script, 400, RejectionKind::ProviderFailed),
    ];
    for (error, status, trouble) in cases {
        for state in [format!("&state={state}"), String::new()] {
            let path = format!("/auth/callback?error={error}&error_description={script}{state}");
            let mut browser = browser.clone();
            let mut answer = browser.get(&path).await;
            if error == "access_denied" && !state.is_empty() {
                answer = browser.get(asked_again(&answer)).await;
            }
            is_trouble(&answer, status, trouble);
            assert!(
                !answer.text().contains("alert(1)"),
                "{error}: {}",
                answer.text()
            );
        }
    }
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

#[tokio::test]
async fn a_repeated_callback_gives_the_same_session_for_a_minute_in_the_same_browser_alone() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let stranger = world.browser();
    let before = browser.clone();
    let first = browser.get(&callback).await;
    assert_eq!(first.location(), "/reports");

    for (name, after) in [
        ("at once", 0),
        ("a second later", 1),
        ("59 seconds later", 58),
    ] {
        world.clock.advance(Duration::from_secs(after));
        let again = before.clone().get(&callback).await;
        assert_eq!(again.location(), "/reports", "{name}");
        let token = |answer: &Answer| {
            answer.set_cookies()[0]
                .split(';')
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(token(&again), token(&first), "{name}");
        is_asked_for_the_match_code(&stranger.clone().get(&callback).await);
    }
    assert_eq!(world.exchanges(), 1);

    world.clock.advance(Duration::from_secs(2));
    // Signed in: the used link is no trouble. Not signed in: it is.
    assert_eq!(browser.get(&callback).await.location(), "/reports");
    let answer = is_told_of_a_used_link(before, &callback).await;
    assert!(
        answer.text().contains(ADA),
        "a new link needs no typing: {}",
        answer.text()
    );
}

/// A second click calls the first one off: the link is used, and the answer that signed in was not
/// waited for.
#[tokio::test]
async fn a_second_click_on_the_link_shares_the_session_of_the_first_in_the_same_browser_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/reports").await;
    let mut stranger = world.browser();
    stranger.get("/auth/login").await;
    let unsigned = browser.clone();
    let used = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    assert!(burnt.contains("error=access_denied"));
    is_told_of_a_used_link(unsigned.clone(), &burnt).await;
    let first = browser.get(&used).await;
    let second = unsigned.clone().get(&burnt).await;
    assert_eq!(second.location(), "/reports");
    let token = |answer: &Answer| answer.set_cookies()[0].split(';').next().map(str::to_owned);
    assert_eq!(token(&second), token(&first));
    is_trouble(&stranger.get(&burnt).await, 400, RejectionKind::LinkUsed);

    // What was signed out since is not handed out again.
    browser.post("/auth/logout", "").await;
    is_told_of_a_used_link(unsigned.clone(), &burnt).await;
    assert_eq!(world.exchanges(), 1);

    let mut late = world.browser();
    late.ask_for_link(ADA, "/reports").await;
    let unsigned = late.clone();
    let used = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    assert_eq!(late.get(&used).await.location(), "/reports");
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(unsigned.clone().get(&burnt).await.location(), "/reports");
    world.clock.advance(Duration::from_secs(1));
    is_told_of_a_used_link(unsigned.clone(), &burnt).await;
}

#[tokio::test]
async fn a_used_link_is_no_way_in_for_a_session_of_another_address() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let mut first = browser.clone();
    first.get(&callback).await;
    let mut eve = browser;
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(eve.sign_in(&world, EVE, "/").await.status(), 200);
    is_told_of_a_used_link(eve, &callback).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_callbacks_at_once_make_one_exchange_and_one_session() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let hold = Hold::new();
    world
        .emulator()
        .order_always(Endpoint::Token, Fault::Hold(hold.clone()));
    let clicks: Vec<_> = (0..64)
        .map(|_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            tokio::spawn(async move { browser.get(&callback).await })
        })
        .collect();
    hold.wait_for(1).await;
    hold.release();
    let mut cookies = Vec::new();
    for click in clicks {
        let answer = click.await.unwrap();
        assert_eq!(answer.location(), "/reports");
        cookies.push(answer.set_cookies());
    }
    cookies.dedup();
    assert_eq!((cookies.len(), world.exchanges()), (1, 1));
    assert_eq!(world.heard().matches("SignedIn").count(), 1);
}

#[tokio::test]
async fn two_tabs_of_one_browser_both_finish() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/one").await;
    let one = world.follow_mail(ADA).await;
    browser.ask_for_link(ADA, "/two").await;
    let two = world.follow_mail(ADA).await;
    assert_eq!(browser.get(&one).await.location(), "/one");
    assert_eq!(browser.get(&two).await.location(), "/two");
    assert_eq!(browser.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_bearer_token_beside_a_callback_neither_ends_nor_saves_a_session() {
    let world = World::with(|builder| builder.bearer_tokens()).await;
    let mut browser = world.signed_in(ADA).await;
    let before = browser.clone();
    let program = world.signed_in("bob@example.com").await;
    let field = format!("Bearer {}", program.jar[SESSION]);

    browser.ask_for_link(ADA, "/").await;
    let callback = world.follow_mail(ADA).await;
    let request = Request::get(callback).header("authorization", field);
    let landed = browser.send(request.body("".into()).unwrap()).await;
    assert_eq!(landed.location(), "/");
    // Of the two only the cookie is the browser's own (fixation).
    assert_eq!(before.clone().get("/").await.status(), 303);
    assert_eq!(program.clone().get("/").await.status(), 200);
    assert_eq!(browser.get("/").await.status(), 200);
}

#[tokio::test]
async fn a_session_that_was_there_before_ends_when_a_new_one_begins() {
    let world = World::new().await;
    let eve = world.signed_in(EVE).await;
    // Eve's cookie, planted in Ada's browser.
    let mut ada = world.browser();
    ada.jar.insert(SESSION.to_owned(), eve.jar[SESSION].clone());
    assert_eq!(
        ada.sign_in(&world, ADA, "/").await.text(),
        "/ for ada@example.com"
    );
    assert_ne!(ada.jar[SESSION], eve.jar[SESSION]);
    assert_eq!(eve.clone().get("/").await.status(), 303);
}

#[tokio::test]
async fn an_attempt_ends_with_its_link_and_the_code_of_the_link() {
    let world = World::new().await;
    for (name, after, is_over) in [
        ("a second early", 1_499, false),
        ("on the second", 1_500, true),
    ] {
        let (mut browser, callback) = begun(&world).await;
        world.clock.advance(Duration::from_secs(after));
        // The code is good for ten minutes after the click; WorkOS's half of it is not what is
        // asked here.
        let answer = if is_over {
            let answer = browser.get(&callback).await;
            is_trouble(&answer, 400, RejectionKind::AttemptExpired);
            answer
        } else {
            // The emulator has forgotten the code by then, so that the attempt is what passed.
            is_told_of_a_used_link(browser, &callback).await
        };
        assert!(
            answer.text().contains(ADA),
            "{name}: a new link needs no typing"
        );
    }
}

#[tokio::test]
async fn a_link_that_was_opened_before_or_too_late_offers_a_new_one() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let used = world.follow_mail(ADA).await;
    let burnt = world.follow_mail(ADA).await;
    assert!(burnt.contains("error=access_denied"));
    let answer = is_told_of_a_used_link(browser.clone(), &burnt).await;
    assert!(
        answer.text().contains(r#"name="email""#),
        "{}",
        answer.text()
    );
    assert_eq!(browser.get(&used).await.status(), 303);
    // And now that the person is signed in, the burnt link leads where it was meant to.
    assert_eq!(browser.get(&burnt).await.location(), "/");
}

#[tokio::test]
async fn a_link_that_no_longer_works_says_so_in_any_browser_and_shows_a_stranger_no_address() {
    let world = World::new().await;
    let (_, callback) = begun(&world).await;
    let burnt = world.follow_mail(ADA).await;
    world.clock.advance(Duration::from_secs(1_500));
    for (path, trouble) in [
        (&callback, RejectionKind::AttemptExpired),
        (&burnt, RejectionKind::LinkUsed),
    ] {
        let answer = world.browser().get(path).await;
        is_trouble(&answer, 400, trouble);
        assert!(!answer.text().contains(ADA), "{}", answer.text());
    }
}

#[tokio::test]
async fn when_the_provider_does_not_answer_the_attempt_stays_good() {
    let world = World::new().await;
    let cases = [
        (
            Fault::Status(http::StatusCode::BAD_GATEWAY),
            503,
            RejectionKind::ProviderUnavailable,
        ),
        (Fault::InvalidJson, 502, RejectionKind::ProviderFailed),
        (Fault::Cut, 503, RejectionKind::ProviderUnavailable),
    ];
    for (fault, status, trouble) in cases {
        let (mut browser, callback) = begun(&world).await;
        let is_used_up = matches!(fault, Fault::InvalidJson);
        world.emulator().order(Endpoint::Token, fault);
        let answer = browser.get(&callback).await;
        is_trouble(&answer, status, trouble);
        if is_used_up {
            is_told_of_a_used_link(browser, &callback).await;
        } else {
            // The page leads back to the link, and not to another mail.
            let text = answer.text();
            let link = format!("href=\"{}\"", callback.replace('&', "&#38;"));
            assert!(!text.contains("<form") && text.contains(&link), "{text}");
            assert_eq!(browser.get(&callback).await.location(), "/reports");
        }
    }
}

#[tokio::test]
async fn a_limit_of_the_providers_is_told_with_how_long_to_wait() {
    let world = World::new().await;
    let wait = Duration::from_secs(30);
    world
        .emulator()
        .order_always(Endpoint::Create, Fault::RateLimited(wait));
    let answer = world.browser().ask_for_link(ADA, "/").await;
    is_trouble(&answer, 429, RejectionKind::RateLimited);
    assert_eq!(answer.header("retry-after"), "30");
    assert!(answer.text().contains("30 seconds"), "{}", answer.text());
}

#[tokio::test]
async fn a_callback_that_meets_a_limit_of_the_providers_leads_back_to_itself() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let wait = Duration::from_secs(30);
    world
        .emulator()
        .order(Endpoint::Token, Fault::RateLimited(wait));
    let answer = browser.get(&callback).await;
    is_trouble(&answer, 429, RejectionKind::RateLimited);
    assert_eq!(answer.header("retry-after"), "30");
    let link = format!("href=\"{}\"", callback.replace('&', "&#38;"));
    assert!(answer.text().contains(&link), "{}", answer.text());
    assert_eq!(browser.get(&callback).await.location(), "/reports");
}

#[tokio::test]
async fn asking_by_head_or_ahead_of_the_person_finishes_nothing() {
    let world = World::new().await;
    let (mut browser, callback) = begun(&world).await;
    let head = browser
        .send(Request::head(&callback).body("".into()).unwrap())
        .await;
    assert_eq!((head.status().as_u16(), head.body.len()), (200, 0));
    for (name, value) in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
    ] {
        let request = Request::get(&callback)
            .header(name, value)
            .body("".into())
            .unwrap();
        let answer = browser.send(request).await;
        assert_eq!(answer.status(), 503, "{name}");
        assert!(answer.set_cookies().is_empty(), "{name}");
    }
    assert_eq!(world.exchanges(), 0);
    assert_eq!(browser.get(&callback).await.location(), "/reports");
}

/// Redeems like the stub, after waiting a while.
#[derive(Clone)]
struct Slow(StubProvider);

impl IdentityProvider for Slow {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        tokio::task::yield_now().await;
        self.0.start(start).await
    }

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let identity = self.0.finish(code).await;
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        identity
    }
}

/// Polls a future so many times, and drops it if it is not ready by then.
async fn hang_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() && left == 0 {
            return Poll::Ready(None);
        }
        polled.map(Some)
    })
    .await
}

#[tokio::test]
async fn a_browser_that_hangs_up_anywhere_in_the_exchange_gets_in_on_the_next_try() {
    let stub = StubProvider::new();
    let keys = KeyRing::new(tower_magic_link::SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(Slow(stub.clone()), keys)
        .public_url(ORIGIN)
        .insecure_no_throttle()
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let mut hung_up = 0;
    for polls in 0.. {
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.ask_for_link(ADA, "/reports").await;
        let link = stub.last_link().unwrap();
        let callback = link.expose().strip_prefix(ORIGIN).unwrap().to_owned();
        let exchanged = stub.finished();
        let first = hang_up_after(polls, browser.clone().get(&callback)).await;
        hung_up += usize::from(first.is_none());
        let answer = browser.get(&callback).await;
        assert_eq!(answer.location(), "/reports", "hung up after {polls} polls");
        assert_eq!(
            stub.finished(),
            exchanged + 1,
            "hung up after {polls} polls"
        );
        if first.is_some() {
            break;
        }
    }
    assert!(hung_up > 5, "{hung_up} places to hang up at");
}

#[tokio::test]
async fn whoever_hangs_up_ten_thousand_times_makes_nobody_elses_exchange_be_forgotten() {
    let stub = StubProvider::new();
    let keys = KeyRing::new(tower_magic_link::SigningKey::generate().unwrap());
    let clock = ManualClock::new();
    let layer = MagicLinkLayer::builder(Slow(stub.clone()), keys)
        .public_url(ORIGIN)
        .insecure_no_throttle()
        .clock(clock.clone())
        .build()
        .unwrap();
    let begun = async |address: &str| {
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.ask_for_link(address, "/reports").await;
        let link = stub.last_link().unwrap();
        let callback = link.expose().strip_prefix(ORIGIN).unwrap().to_owned();
        (browser, callback)
    };
    let (ada, callback) = begun(ADA).await;
    let (mallory, theirs) = begun("mallory@example.com").await;
    assert_eq!(ada.clone().get(&callback).await.location(), "/reports");
    clock.advance(Duration::from_secs(1));
    let (_, state) = parts(&theirs);
    for number in 0..10_001 {
        let made_up = format!("/auth/callback?code=made-up-{number}&state={state}");
        let answer = hang_up_after(1, mallory.clone().get(&made_up)).await;
        assert!(answer.is_none(), "it was waiting");
    }
    assert_eq!(ada.clone().get(&callback).await.location(), "/reports");
    assert_eq!(stub.finished(), 1);
}

#[tokio::test]
async fn the_refused_half_of_a_double_click_shares_the_other_halfs_session() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let (_, state) = parts(&callback);
    let refused = format!("/auth/callback?error=access_denied&state={state}");
    let first = browser.clone().get(&callback).await;
    assert_eq!(first.location(), "/reports");
    let second = browser.clone().get(&refused).await;
    assert_eq!(second.location(), "/reports");
    assert_eq!(second.set_cookies(), first.set_cookies());
    assert_eq!(world.exchanges(), 1);

    // Whoever signs out in between is not signed in again by it.
    let (mut leaving, callback) = begun(&world).await;
    let (_, state_of_leaving) = parts(&callback);
    leaving.get(&callback).await;
    leaving.post("/auth/logout", "").await;
    let again = format!("/auth/callback?error=access_denied&state={state_of_leaving}");
    is_told_of_a_used_link(leaving, &again).await;

    // Another browser gets nothing by it, and neither does the same one later.
    let mut stranger = world.browser();
    stranger.get("/auth/login").await;
    is_trouble(&stranger.get(&refused).await, 400, RejectionKind::LinkUsed);
    world.clock.advance(Duration::from_secs(60));
    is_told_of_a_used_link(browser, &refused).await;
}

/// Of two clicks the one that is too late may be heard of first.
#[tokio::test]
async fn the_refused_half_of_a_double_click_waits_for_the_other_half() {
    let world = World::new().await;
    let (browser, callback) = begun(&world).await;
    let burnt = world.follow_mail(ADA).await;
    let (mut one, mut other) = (browser.clone(), browser.clone());
    let (again, granted) = {
        let mut waits = pin!(one.get(&burnt));
        let a_while = Duration::from_millis(50);
        let early = tokio::time::timeout(a_while, waits.as_mut()).await;
        assert!(early.is_err(), "it waits");
        let granted = other.get(&callback).await;
        (asked_again(&waits.await).to_owned(), granted)
    };
    let refused = one.get(&again).await;
    assert_eq!(granted.location(), "/reports");
    assert_eq!(refused.location(), "/reports");
    assert_eq!(refused.set_cookies(), granted.set_cookies());
    assert_eq!(world.exchanges(), 1);
    // Where another replica gave the session, the jar that the two tabs have in common is all that
    // tells of it.
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(other.get(&again).await.location(), "/reports");
}

#[tokio::test]
async fn who_finds_a_link_used_is_kept_waiting_once() {
    let world = World::new().await;
    let (browser, _) = begun(&world).await;
    let burnt = world.follow_mail(ADA).await;
    let mut stranger = world.browser();
    stranger.get("/auth/login").await;
    is_trouble(&stranger.get(&burnt).await, 400, RejectionKind::LinkUsed);
    is_trouble(
        &world.browser().get(&burnt).await,
        400,
        RejectionKind::LinkUsed,
    );
    is_told_of_a_used_link(browser.clone(), &burnt).await;
    for twice in ["&waited=1&waited=1", "&waited="] {
        let answer = browser.clone().get(&format!("{burnt}{twice}")).await;
        is_trouble(&answer, 400, RejectionKind::Malformed);
    }
}

/// A reload of a slow callback, or the second of two tabs, may come to another replica, to which
/// the provider says that the code is used.
#[tokio::test]
async fn a_callback_that_another_replica_answers_too_is_let_in_by_the_session_of_the_first() {
    let world = World::new().await;
    let other = MagicLinkLayer::builder(client(&world.workos), world.keys.clone())
        .public_url(ORIGIN)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let (mut here, callback) = begun(&world).await;
    let mut there = Browser::new(app_of(&other), ORIGIN);
    there.jar = here.jar.clone();
    let none = there.clone();

    assert_eq!(here.get(&callback).await.location(), "/reports");
    let answer = there.get(&callback).await;
    let again = asked_again(&answer).to_owned();
    assert!(!again.contains("code="), "{again}");
    assert_eq!(world.exchanges(), 2);
    // The two tabs have one jar.
    there.jar = here.jar.clone();
    let answer = there.get(&again).await;
    assert_eq!(answer.location(), "/reports");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(world.exchanges(), 2);
    // Who has no session by then is told.
    let answer = is_told_of_a_used_link(none, &callback).await;
    assert!(answer.text().contains("return_to=/reports"));

    // A browser that has to answer first gets its answer at once.
    let mut stranger = Browser::new(app_of(&other), ORIGIN);
    is_asked_for_the_match_code(&stranger.get(&callback).await);
}
