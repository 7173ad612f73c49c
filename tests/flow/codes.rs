//! A six-digit code from the mail, typed where the sign-in began.

use std::{net::SocketAddr, time::Duration};

use http::{Request, StatusCode};
use tower_magic_link::{
    Builder, ConfigError, KeyRing, MagicLinkLayer, PeerAddr, RejectionKind, SignIn, SigningKey,
    clock::Clock,
    emulator::{Endpoint, Fault},
    provider::{
        AuthorizationCode, Identity, IdentityProvider, OneTimeCode, ProviderError,
        ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    testing::ManualClock,
    throttle::{Limits, Rate},
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    support::{Answer, Browser, Post, World, app_of},
};

const SESSION: &str = "__Host-magic-link";

/// A sign-in whose code has been mailed, and the address that it is typed to.
struct Begun {
    world: World,
    post: Post,
    first: Browser,
    action: String,
}

impl Begun {
    async fn new(sign_in: SignIn) -> Self {
        Self::with(sign_in, |builder| builder).await
    }

    async fn with(sign_in: SignIn, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let post = Post::default();
        let mailed = |builder: Builder| builder.mailer(post.clone()).sign_in(sign_in);
        let world = World::with(|builder| configure(mailed(builder))).await;
        let mut first = world.browser();
        let check = first.ask_for_link(ADA, "/reports").await;
        let action = action(&check).expect("a field for the code");
        Self {
            world,
            post,
            first,
            action,
        }
    }

    async fn type_code(&mut self, code: &str) -> Answer {
        let form = format!("code={code}");
        self.first.post(&self.action, &form).await
    }

    fn redeemed(&self) -> usize {
        self.world.emulator().count(Endpoint::Authenticate)
    }

    fn wrong(&self) -> &'static str {
        if self.post.code() == "000000" {
            "111111"
        } else {
            "000000"
        }
    }
}

/// Returns where a check page posts the code to.
fn action(page: &Answer) -> Option<String> {
    let text = page.text();
    let (_, rest) = text.split_once("action=\"/auth/code?t=")?;
    let sealed = rest.split_once('"').unwrap().0;
    Some(format!("/auth/code?t={sealed}"))
}

fn is_asked_again(answer: &Answer) {
    assert_eq!(answer.status(), 422, "{}", answer.text());
    assert!(action(answer).is_some(), "{}", answer.text());
    assert!(
        answer.text().contains("id=\"problem\""),
        "{}",
        answer.text()
    );
    assert!(answer.set_cookies().is_empty());
}

fn is_trouble(answer: &Answer, status: u16, trouble: RejectionKind) {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert!(
        answer.text().contains(trouble.heading()),
        "{trouble:?}: {}",
        answer.text()
    );
}

#[tokio::test]
async fn the_code_of_the_mail_signs_in_where_the_sign_in_began() {
    for sign_in in [SignIn::Code, SignIn::LinkAndCode] {
        let mut begun = Begun::new(sign_in).await;
        let letter = begun.post.last();
        assert_eq!(letter.link.is_some(), sign_in == SignIn::LinkAndCode);
        let code = letter.code.unwrap();
        let typed = format!("+{}+{}", &code[..3], &code[3..]);
        let answer = begun.type_code(&typed).await;
        assert_eq!(answer.location(), "/reports");
        let landed = begun.first.follow(answer).await;
        assert!(landed.text().contains("/reports for ada@"));
        assert!(begun.world.emulator().outbox().is_empty(), "one mail");
    }
}

#[tokio::test]
async fn a_sign_in_costs_two_requests_with_a_link_and_three_with_a_link_and_a_code() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    let code = begun.post.code();
    begun.type_code(&code).await;
    assert_eq!(begun.world.emulator().requests().len(), 3);

    let post = Post::default();
    let world = World::with(|builder| builder.mailer(post.clone())).await;
    let mut browser = world.browser();
    browser.ask_for_link(ADA, "/").await;
    let link = browser.get(&post.link()).await.location().to_owned();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let callback = http.get(link).send().await.unwrap();
    let callback = callback.headers()["location"].to_str().unwrap();
    let callback = callback.strip_prefix(ORIGIN).unwrap();
    assert_eq!(browser.get(callback).await.status(), 303);
    let requests = world.emulator().requests();
    let by_us = requests
        .iter()
        .filter(|request| request.endpoint() != Some(Endpoint::Confirm));
    assert_eq!(by_us.count(), 2);
}

#[tokio::test]
async fn a_code_is_worth_nothing_where_the_sign_in_did_not_begin() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    let form = format!("code={}", begun.post.code());
    let mut stranger = begun.world.browser();
    is_trouble(
        &stranger.post(&begun.action, &form).await,
        403,
        RejectionKind::AnotherBrowser,
    );
    stranger.get("/auth/login").await;
    is_trouble(
        &stranger.post(&begun.action, &form).await,
        403,
        RejectionKind::AnotherBrowser,
    );
    // In the right browser, but for another sign-in's address.
    let of_eve = begun.first.ask_for_link(EVE, "/").await;
    let of_eve = action(&of_eve).unwrap();
    is_asked_again(&begun.first.post(&of_eve, &form).await);
    // A link's state is no check page's.
    let open = begun.post.last().link.unwrap();
    let sealed = open.split_once("t=").unwrap().1;
    let forged = format!("/auth/code?t={sealed}");
    assert_eq!(
        begun.first.post(&forged, &form).await.location(),
        "/auth/login"
    );
    let request = Request::post(&begun.action)
        .header("sec-fetch-site", "cross-site")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.clone().into())
        .unwrap();
    is_trouble(
        &begun.first.send(request).await,
        403,
        RejectionKind::CrossSite,
    );
    assert_eq!(begun.redeemed(), 1, "Eve's");
    assert!(!stranger.jar.contains_key(SESSION));
}

#[tokio::test]
async fn an_empty_field_and_what_is_no_code_are_no_try() {
    let mut begun = Begun::new(SignIn::Code).await;
    for typed in ["", "+", "-", "12345", "1234567", "abcdef", "BKQ-TMR"].repeat(2) {
        is_asked_again(&begun.type_code(typed).await);
    }
    assert_eq!(begun.redeemed(), 0);
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.status(), 303);
}

#[tokio::test]
async fn five_wrong_codes_end_the_tries_and_the_link_still_works() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    let wrong = begun.wrong();
    for _ in 0..5 {
        is_asked_again(&begun.type_code(wrong).await);
    }
    let code = begun.post.code();
    let answer = begun.type_code(&code).await;
    is_trouble(&answer, 403, RejectionKind::TooManyTries);
    assert!(answer.text().contains(ADA), "a new mail needs no typing");
    assert_eq!(begun.redeemed(), 5);
    let link = begun.post.link();
    assert_eq!(begun.first.get(&link).await.status(), 303);
}

#[tokio::test]
async fn a_double_click_redeems_the_code_once() {
    let begun = Begun::new(SignIn::Code).await;
    let form = format!("code={}", begun.post.code());
    let click = || {
        let (mut browser, form) = (begun.first.clone(), form.clone());
        let action = begun.action.clone();
        async move { browser.post(&action, &form).await }
    };
    let (one, other) = tokio::join!(click(), click());
    assert_eq!((one.location(), other.location()), ("/reports", "/reports"));
    assert_eq!(one.set_cookies(), other.set_cookies());
    assert_eq!(
        click().await.set_cookies(),
        one.set_cookies(),
        "and a reload"
    );
    assert_eq!(begun.redeemed(), 1);
}

#[tokio::test]
async fn both_halves_of_a_double_click_sign_in_by_the_last_try() {
    let mut begun = Begun::new(SignIn::Code).await;
    for _ in 0..4 {
        is_asked_again(&begun.type_code(begun.wrong()).await);
    }
    let form = format!("code={}", begun.post.code());
    let (mut one, mut other) = (begun.first.clone(), begun.first.clone());
    let (one, other) = tokio::join!(
        one.post(&begun.action, &form),
        other.post(&begun.action, &form)
    );
    assert_eq!((one.location(), other.location()), ("/reports", "/reports"));
}

#[tokio::test]
async fn a_used_code_is_no_trouble_for_who_is_signed_in_by_it() {
    let mut begun = Begun::new(SignIn::Code).await;
    let code = begun.post.code();
    let mut signed_in = begun.first.clone();
    let form = format!("code={code}");
    assert_eq!(signed_in.post(&begun.action, &form).await.status(), 303);
    begun.world.clock.advance(Duration::from_secs(61));
    let again = signed_in.post(&begun.action, &form).await;
    assert_eq!(again.location(), "/reports");
    is_asked_again(&begun.type_code(&code).await);
}

/// A provider whose codes are not like WorkOS's.
struct Odd {
    code: &'static str,
    lifetime: Duration,
}

impl IdentityProvider for Odd {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::mailed())
    }

    async fn finish(&self, _: &AuthorizationCode) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Refused.into())
    }

    async fn start_code(&self, _: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let code = OneTimeCode::new(self.code);
        Ok(StartedCode::with_code(code, self.lifetime))
    }
}

#[tokio::test]
async fn a_code_that_cannot_be_typed_here_is_not_mailed_and_no_longer_time_is_told() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let cases = [
        ("012345", minutes(5), Some(5)),
        ("012345", minutes(20), Some(10)),
        ("AB12CD", minutes(5), None),
        ("12345678", minutes(5), None),
        ("12345\n", minutes(5), None),
        ("", minutes(5), None),
    ];
    for (code, lifetime, told) in cases {
        let (post, clock) = (Post::default(), ManualClock::new());
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(Odd { code, lifetime }, keys)
            .public_url(ORIGIN)
            .mailer(post.clone())
            .sign_in(SignIn::Code)
            .clock(clock.clone())
            .build()
            .unwrap();
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.get("/auth/login").await;
        let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
        let letters = post.letters();
        match told {
            Some(minutes) => {
                assert!(answer.location().starts_with("/auth/check"), "{code:?}");
                let want = clock.now() + Duration::from_secs(60 * minutes);
                assert_eq!(letters[0].expires_at, want, "{code:?}");
            }
            None => {
                is_trouble(&answer, 502, RejectionKind::ProviderFailed);
                assert!(letters.is_empty(), "{code:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes() {
    let mut begun = Begun::new(SignIn::LinkAndCode).await;
    begun.world.clock.advance(Duration::from_secs(601));
    let code = begun.post.code();
    is_asked_again(&begun.type_code(&code).await);

    let mut begun = Begun::new(SignIn::Code).await;
    begun.world.clock.advance(Duration::from_secs(601));
    let code = begun.post.code();
    is_trouble(
        &begun.type_code(&code).await,
        400,
        RejectionKind::AttemptExpired,
    );
}

#[tokio::test]
async fn what_more_the_provider_asks_for_is_told_with_its_word_in_the_event() {
    for code in ["mfa_challenge", "organization_selection_required"] {
        let mut begun = Begun::new(SignIn::Code).await;
        let emulator = begun.world.emulator();
        emulator.order(Endpoint::Authenticate, Fault::step_up(code));
        let typed = begun.post.code();
        let answer = begun.type_code(&typed).await;
        is_trouble(&answer, 403, RejectionKind::StepUpRequired);
        assert!(begun.world.heard().contains(code));
        assert!(!answer.text().contains(code), "no codes for people");
        // Another mail to the same address would not help.
        let text = answer.text();
        assert!(!text.contains("<form"), "{text}");
        assert!(
            text.contains(r#"href="/auth/login?return_to=/reports""#),
            "{text}"
        );
    }
}

#[tokio::test]
async fn when_the_provider_does_not_answer_the_code_and_its_tries_stay_good() {
    let mut begun = Begun::new(SignIn::Code).await;
    let code = begun.post.code();
    let fault = Fault::Status(StatusCode::BAD_GATEWAY);
    for _ in 0..7 {
        let emulator = begun.world.emulator();
        emulator.order(Endpoint::Authenticate, fault.clone());
        let answer = begun.type_code(&code).await;
        assert_eq!(answer.status(), 503, "{}", answer.text());
        // The page leads back to the field, and not to another mail.
        let check = begun.action.replace("/auth/code", "/auth/check");
        let text = answer.text();
        assert!(
            !text.contains("<form") && text.contains(&format!("href=\"{check}\"")),
            "{text}"
        );
        let field = begun.first.get(&check).await;
        assert_eq!(action(&field), Some(begun.action.clone()));
    }
    assert_eq!(begun.type_code(&code).await.status(), 303);
}

#[tokio::test]
async fn the_page_of_a_wrong_code_can_be_opened_again() {
    let mut begun = Begun::new(SignIn::Code).await;
    is_asked_again(&begun.type_code(begun.wrong()).await);
    let again = begun.first.get(&begun.action.clone()).await;
    let field = begun.first.follow(again).await;
    assert_eq!(action(&field), Some(begun.action.clone()));
    assert_eq!(begun.redeemed(), 1);
    // Nothing else of the query goes on: a header cannot hold what another parser takes.
    let more = format!("{}&x=\u{e9}", begun.action);
    let again = begun.first.get(&more).await;
    let check = begun.action.replace("/auth/code", "/auth/check");
    assert_eq!(again.location(), check);
    let nothing = begun.first.get("/auth/code").await;
    assert_eq!(nothing.location(), "/auth/login");
    let code = begun.post.code();
    assert_eq!(begun.type_code(&code).await.status(), 303);
}

#[tokio::test]
async fn another_browser_is_told_to_go_on_with_what_was_mailed() {
    for (sign_in, words) in [
        (SignIn::Code, "type the code from your email"),
        (
            SignIn::LinkAndCode,
            "use the link or the code from your email",
        ),
    ] {
        let begun = Begun::new(sign_in).await;
        begun.world.clock.advance(Duration::from_secs(60));
        let check = begun.action.replace("/auth/code", "/auth/check");
        let text = begun.world.browser().get(&check).await.text();
        assert!(text.contains(words) && !text.contains(ADA), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_left_out_and_the_rest_is_mailed() {
    let fault = Fault::Status(StatusCode::INTERNAL_SERVER_ERROR);
    let post = Post::default();
    let world = World::with(|builder| {
        builder
            .mailer(post.clone())
            .sign_in(SignIn::LinkAndCode)
            .insecure_no_throttle()
    })
    .await;
    let ask = async || world.browser().ask_for_link(ADA, "/").await;

    world
        .emulator()
        .order_always(Endpoint::MagicAuthCreate, fault.clone());
    let page = ask().await;
    let letter = post.last();
    assert!(letter.link.is_some() && letter.code.is_none());
    assert!(
        action(&page).is_none(),
        "no field for a code that was not sent"
    );

    world
        .emulator()
        .order_always(Endpoint::Create, fault.clone());
    assert_eq!(ask().await.status(), 503);
    assert_eq!(post.letters().len(), 1);

    world.emulator().clear_orders(Endpoint::MagicAuthCreate);
    let page = ask().await;
    let letter = post.last();
    assert!(letter.link.is_none() && letter.code.is_some());
    assert!(action(&page).is_some());
}

#[tokio::test]
async fn who_may_sign_up_is_not_told() {
    let not_allowed = Fault::oauth_refusal("sign_up_not_allowed");
    for sign_in in [SignIn::Code, SignIn::LinkAndCode] {
        let post = Post::default();
        let world = World::with(|builder| builder.mailer(post.clone()).sign_in(sign_in)).await;
        let known = world.browser().ask_for_link(ADA, "/").await;
        world
            .emulator()
            .order(Endpoint::MagicAuthCreate, not_allowed.clone());
        let unknown = world.browser().ask_for_link(EVE, "/").await;
        assert_eq!(unknown.status(), known.status());
        let shown = |page: &Answer, email: &str| {
            let text = page.text().replace(email, "someone");
            // What is sealed and the match code differ from one sign-in to the next.
            let cut = |text: String, start: &str, end: &str| {
                let mut parts = text.split(start);
                let mut cut = parts.next().unwrap().to_owned();
                for part in parts {
                    cut.push_str(part.split_once(end).unwrap().1);
                }
                cut
            };
            let text = cut(text, "/auth/code?t=", "\"");
            let text = cut(text, "name=\"t\" value=\"", "\"");
            cut(text, "id=\"match-code\">", "<")
        };
        assert_eq!(shown(&unknown, EVE), shown(&known, ADA), "{sign_in:?}");
    }
}

#[tokio::test]
async fn a_code_that_proves_another_address_signs_nobody_in() {
    let mut begun = Begun::new(SignIn::Code).await;
    begun
        .world
        .emulator()
        .next_user(|user| user.with_email(EVE));
    let code = begun.post.code();
    is_trouble(
        &begun.type_code(&code).await,
        403,
        RejectionKind::OtherAddress,
    );
    assert!(!begun.first.jar.contains_key(SESSION));
}

/// Types a code from a peer.
async fn type_from(browser: &mut Browser, action: &str, code: &str, peer: &str) -> Answer {
    let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
    let request = Request::post(action)
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .extension(PeerAddr::from(peer))
        .body(format!("code={code}").into())
        .unwrap();
    browser.send(request).await
}

/// Five tries are those of one mail, and there is always another mail.
#[tokio::test]
async fn who_guesses_at_one_network_has_116_codes_a_day_for_an_address_and_its_owner_has_their_own()
{
    let (guesser, owner) = ("192.0.2.1", "198.51.100.1");
    let mails = Limits::default()
        .mails_per_address(Rate::new(1_000, Duration::from_secs(1)))
        .mails_per_address_and_network(Rate::new(1_000, Duration::from_secs(1)));
    let mut begun = Begun::with(SignIn::Code, |builder| builder.limits(mails)).await;
    let (mut compared, mut refused) = (0, 0);
    for _ in 0..=144 {
        let mut other = begun.world.browser();
        let check = other.ask_for_link(ADA, "/").await;
        let action = action(&check).unwrap();
        let wrong = begun.wrong();
        // What can be no code is no guess.
        for typed in ["", "12345", wrong, wrong, wrong] {
            let answer = type_from(&mut other, &action, typed, guesser).await;
            match answer.status().as_u16() {
                422 => compared += usize::from(typed == wrong),
                status => {
                    assert_eq!((status, typed), (429, wrong));
                    refused += 1;
                }
            }
        }
        begun.world.clock.advance(Duration::from_secs(600));
    }
    assert_eq!(compared, 20 + 96);
    assert_eq!(compared + refused, 3 * 145);
    let heard = begun.world.heard();
    let told = "Throttled { scope: Address, email: Some(a***@example.com) }";
    assert_eq!(heard.matches(told).count(), refused);

    let check = begun.first.ask_for_link(ADA, "/reports").await;
    begun.action = action(&check).unwrap();
    let code = begun.post.code();
    let answer = type_from(&mut begun.first, &begun.action, &code, owner).await;
    assert_eq!(answer.location(), "/reports");
}

#[tokio::test]
async fn clients_that_are_not_known_share_the_codes_of_an_address_and_another_address_has_its_own()
{
    let two = Rate::new(2, Duration::from_secs(600));
    let limits = Limits::default().codes_per_address_and_network(two);
    let mut begun = Begun::with(SignIn::Code, |builder| builder.limits(limits)).await;
    let wrong = begun.wrong();
    for want in [422, 422, 429] {
        assert_eq!(begun.type_code(wrong).await.status(), want);
    }
    let limited = begun.type_code(wrong).await;
    assert_eq!(limited.header("retry-after"), "600");
    let mut eve = begun.world.browser();
    let action = action(&eve.ask_for_link(EVE, "/").await).unwrap();
    let answer = eve
        .post(&action, &format!("code={}", begun.post.code()))
        .await;
    assert_eq!(answer.location(), "/");
}

#[tokio::test]
async fn a_link_alone_has_no_field_for_a_code_and_takes_none() {
    let world = World::new().await;
    let mut browser = world.browser();
    let posted = browser.post("/auth/login", "email=ada@example.com").await;
    let check = posted.location().to_owned();
    assert!(action(&browser.get(&check).await).is_none());
    let answer = browser
        .post(&check.replace("/auth/check", "/auth/code"), "code=123456")
        .await;
    assert_eq!(answer.status(), 400);
    assert_eq!(world.emulator().count(Endpoint::Authenticate), 0);
}

#[tokio::test]
async fn without_a_mailer_workos_mails_the_code_and_a_link_beside_it_is_refused() {
    let world = World::with(|builder| builder.sign_in(SignIn::Code)).await;
    let mut browser = world.browser();
    let check = browser.ask_for_link(ADA, "/").await;
    let code = world.emulator().last_code_to(ADA).unwrap();
    let answer = browser
        .post(&action(&check).unwrap(), &format!("code={code}"))
        .await;
    assert_eq!(answer.location(), "/");

    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let error = MagicLinkLayer::builder(crate::support::client(&world.workos), keys)
        .public_url(ORIGIN)
        .sign_in(SignIn::LinkAndCode)
        .build()
        .unwrap_err();
    assert!(
        matches!(
            &error,
            ConfigError::Invalid {
                setting: "sign_in",
                ..
            }
        ),
        "{error}"
    );
}
