//! How a sign-in by code handles an unusual answer of the provider, or none.

use std::time::Duration;

use http::StatusCode;
use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey,
    clock::Clock,
    emulator::{Endpoint, Fault},
    provider::{
        Abilities, AuthorizationCode, Finish, FinishCode, Identity, IdentityProvider, OneTimeCode,
        ProviderError, ProviderErrorKind, SignInMethod, Start, StartCode, Started, StartedCode,
    },
    testing::ManualClock,
};

use super::{Begun, action, is_trouble};
use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, app_of},
};

/// A provider whose codes are not like WorkOS's.
struct Odd {
    code: &'static str,
    lifetime: Duration,
    /// What it says beforehand.
    abilities: Abilities,
}

impl Odd {
    fn new(code: &'static str, lifetime: Duration) -> Self {
        Self {
            code,
            lifetime,
            abilities: Abilities::new(),
        }
    }

    fn layer(self, sign_in: SignIn, post: &Post, clock: &ManualClock) -> MagicLinkLayer {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        MagicLinkLayer::builder(self, keys)
            .public_url(ORIGIN)
            .mailer(post.clone())
            .sign_in(sign_in)
            .clock(clock.clone())
            .build()
            .unwrap()
    }
}

impl IdentityProvider for Odd {
    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::with_code(AuthorizationCode::new("1".repeat(32))))
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Refused.into())
    }

    async fn start_code(&self, _: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let code = OneTimeCode::new(self.code);
        Ok(StartedCode::with_code(code, self.lifetime))
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let attempt = &finish.attempt;
        if attempt.begun_at().until(attempt.now()) >= self.lifetime {
            return Err(ProviderErrorKind::CodeExpired.into());
        }
        let is_right = finish.code.expose() == self.code;
        is_right.then_some(()).ok_or(ProviderErrorKind::CodeWrong)?;
        let identity = Identity::new("user_1", finish.email.clone());
        Ok(identity.with_method(SignInMethod::MagicAuth))
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn page_mail_and_attempt_know_how_long_this_providers_codes_live() {
    let cases = [
        (SignIn::Code, 5, "within 5&#160;minutes"),
        (SignIn::Code, 30, "within 30&#160;minutes"),
        // The link lives 15 minutes, and its attempt 10 more.
        (SignIn::LinkAndCode, 5, "the code for 5&#160;minutes"),
        (SignIn::LinkAndCode, 60, "the code for 1&#160;hour"),
    ];
    for (sign_in, minutes, said) in cases {
        let (post, clock) = (Post::default(), ManualClock::new());
        let lifetime = MINUTE * minutes;
        let mut provider = Odd::new("012345", lifetime);
        provider.abilities = Abilities::new().with_code_lifetime(lifetime);
        let layer = provider.layer(sign_in, &post, &clock);
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.get("/auth/login").await;
        let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
        let check = answer.location().to_owned();
        let letter = post.letters().remove(0);
        if sign_in == SignIn::Code {
            assert_eq!(letter.expires_at, clock.now() + lifetime, "{minutes}");
        }
        let page = browser.get(&check).await;
        assert!(page.text().contains(said), "{said:?} in {}", page.text());

        clock.advance(lifetime - Duration::from_secs(1));
        let typed = check.replace("/auth/check", "/auth/code");
        let in_time = browser.post(&typed, "code=012345").await;
        assert_eq!(in_time.status(), 303, "{sign_in:?}, {minutes} minutes");
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
        let layer = Odd::new(code, lifetime).layer(SignIn::Code, &post, &clock);
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
        is_trouble(&answer, 502, RejectionKind::ProviderAnswerLost);
        // Nobody knows whether it is used up: the page leads to another mail, not to the field.
        let check = begun.action.replace("/auth/code", "/auth/check");
        let text = answer.text();
        assert!(
            text.contains("<form") && !text.contains(&format!("href=\"{check}\"")),
            "{text}"
        );
        let field = begun.first.get(&check).await;
        assert_eq!(action(&field), Some(begun.action.clone()));
    }
    assert_eq!(begun.type_code(&code).await.status(), 303);
}
