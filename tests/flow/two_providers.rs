//! Two providers in one layer: by address, and while the primary is away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tower_magic_link::{
    Builder, Email, Grant, KeyRing, MagicLinkLayer, SignIn, SigningKey,
    provider::{
        AuthorizationCode, Finish, FinishChoice, FinishCode, Identity, IdentityProvider,
        Organization, ProviderError, ProviderErrorKind, Start, StartCode, Started, StartedCode,
        TwoProviders,
    },
    testing::{Browser, ManualClock, StubProvider, TestAttempt},
};

use crate::{
    names::{ADA, EVE, ORIGIN},
    redeemed,
};

mod busy;
mod choices;
mod guesses;
mod log;
mod outages;

const BOB: &str = "bob@example.com";
const CAROL: &str = "carol@example.com";

/// A provider that is there or is away, or refuses to begin.
#[derive(Clone, Default)]
struct Sometimes {
    stub: StubProvider,
    is_away: Arc<AtomicBool>,
    refuses: Option<ProviderErrorKind>,
    /// Its answer to whatever it is to redeem.
    redeems_nothing: Option<fn() -> ProviderError>,
}

impl Sometimes {
    fn is_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn here(&self) -> Result<(), ProviderError> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(ProviderError::new(ProviderErrorKind::Unavailable).before_acting()),
            false => Ok(()),
        }
    }
}

impl IdentityProvider for Sometimes {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.here()?;
        if let Some(kind) = self.refuses {
            return Err(kind.into());
        }
        self.stub.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.here()?;
        if let Some(answer) = self.redeems_nothing {
            return Err(answer());
        }
        self.stub.finish(finish).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.here()?;
        self.stub.start_code(start).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.here()?;
        if let Some(answer) = self.redeems_nothing {
            return Err(answer());
        }
        self.stub.finish_code(finish).await
    }
}

/// A site that knows people by their address, whichever provider proved it.
struct Site {
    layer: MagicLinkLayer,
    primary: Sometimes,
    fallback: StubProvider,
}

impl Site {
    fn new(primary: Sometimes, set: impl FnOnce(Builder) -> Builder) -> Self {
        let fallback = StubProvider::new();
        let both = TwoProviders::new(primary.clone(), fallback.clone())
            .named("workos", "own")
            .fallback_for(|email| email.as_str() == EVE);
        let account = |identity: Identity| async move {
            let by = identity.proven_by().map(str::to_owned);
            let account = format!("account of {}", identity.email().as_str());
            Grant::new().subject(account).claims(&json!({ "by": by }))
        };
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = MagicLinkLayer::builder(both, keys)
            .public_url(ORIGIN)
            .insecure_answer_when_sent()
            .authorize(account);
        Self {
            layer: set(builder).build().unwrap(),
            primary,
            fallback,
        }
    }

    async fn begun(&self, email: &str) -> Browser {
        let mut browser = redeemed::browser(&self.layer);
        browser.get("/reports").await;
        browser.submit_login(email).await;
        browser
    }
}

/// Returns who is signed in, and by which provider.
async fn who(browser: &mut Browser) -> (String, String) {
    let visit = browser.get("/auth/session").await;
    let who: Value = serde_json::from_str(&visit.text()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
    (text(&who["subject"]), text(&who["claims"]["by"]))
}

fn ada(by: &str) -> (String, String) {
    of(ADA, by)
}

fn of(address: &str, by: &str) -> (String, String) {
    (format!("account of {address}"), by.to_owned())
}

#[tokio::test]
async fn while_the_primary_is_away_people_get_in_by_the_fallback() {
    let site = Site::new(Sometimes::default(), |builder| builder);
    let mut before = site.begun(ADA).await;
    let primarys = site.primary.stub.last_link();
    assert_eq!(site.fallback.started(), 0);

    site.primary.is_away(true);
    let mut during = site.begun(ADA).await;
    let fallbacks = site.fallback.last_link();
    assert_eq!(during.open(fallbacks).await.text(), "inside");
    assert_eq!(who(&mut during).await, ada("own"));
    // Of other addresses, because each gets a few mails at a time.
    let mut late = site.begun(BOB).await;
    let lates = site.fallback.last_link();
    // The link from before is not lost: it waits for the provider that made it.
    assert_eq!(before.open(primarys.clone()).await.status(), 503);

    site.primary.is_away(false);
    assert_eq!(before.open(primarys).await.text(), "inside");
    assert_eq!(who(&mut before).await, ada("workos"));
    assert_eq!(late.open(lates).await.text(), "inside");
    assert_eq!(who(&mut late).await, of(BOB, "own"));
    let started = site.fallback.started();
    let mut after = site.begun(CAROL).await;
    assert_eq!(
        after.open(site.primary.stub.last_link()).await.text(),
        "inside"
    );
    assert_eq!(who(&mut after).await, of(CAROL, "workos"));
    assert_eq!(site.fallback.started(), started);
}

/// One account, so that signing out everywhere reaches whom either provider has signed in.
#[tokio::test]
async fn signing_out_everywhere_ends_sessions_by_both_providers() {
    let site = Site::new(Sometimes::default(), |builder| builder);
    let mut first = site.begun(ADA).await;
    first.open(site.primary.stub.last_link()).await;
    site.primary.is_away(true);
    let mut second = site.begun(ADA).await;
    second.open(site.fallback.last_link()).await;
    assert_eq!(who(&mut first).await, ada("workos"));
    assert_eq!(who(&mut second).await, ada("own"));
    first.get("/auth/logout").await;
    first.submit(&[("everywhere", "true")]).await;
    for browser in [&mut first, &mut second] {
        assert_eq!(who(browser).await.1, "nobody");
    }
}

#[tokio::test]
async fn six_digits_come_back_to_the_one_that_mailed_them() {
    let site = Site::new(Sometimes::default(), |builder| {
        builder.sign_in(SignIn::Code)
    });
    let codes = |site: &Site| [site.primary.stub.last_code(), site.fallback.last_code()];
    let mut by_primary = site.begun(ADA).await;
    let [primarys, _] = codes(&site);
    site.primary.is_away(true);
    let mut by_fallback = site.begun(ADA).await;
    let [_, fallbacks] = codes(&site);
    let fallbacks = fallbacks.unwrap();
    let landed = by_fallback.submit(&[("code", fallbacks.expose())]).await;
    assert_eq!(landed.text(), "inside");
    assert_eq!(who(&mut by_fallback).await, ada("own"));
    site.primary.is_away(false);
    let primarys = primarys.unwrap();
    let landed = by_primary.submit(&[("code", primarys.expose())]).await;
    assert_eq!(landed.text(), "inside");
    assert_eq!(who(&mut by_primary).await, ada("workos"));
}

#[tokio::test]
async fn an_address_of_the_fallbacks_never_reaches_the_primary() {
    let site = Site::new(Sometimes::default(), |builder| builder);
    let mut eve = site.begun(EVE).await;
    assert_eq!(site.primary.stub.started(), 0);
    assert_eq!(eve.open(site.fallback.last_link()).await.text(), "inside");
    assert_eq!(who(&mut eve).await.1, "own");
    assert_eq!(site.primary.stub.finished(), 0);
}

/// The answer of a primary that rejects our key says nothing of whose link it is.
#[tokio::test]
async fn a_misconfigured_primary_stops_no_link_and_no_code_of_the_fallbacks_addresses() {
    for sign_in in [SignIn::Link, SignIn::Code] {
        let primary = Sometimes {
            redeems_nothing: Some(|| ProviderErrorKind::Misconfigured.into()),
            ..Sometimes::default()
        };
        let site = Site::new(primary, |builder| builder.sign_in(sign_in));
        let mut eve = site.begun(EVE).await;
        let landed = match sign_in {
            SignIn::Code => {
                let code = site.fallback.last_code().unwrap();
                eve.submit(&[("code", code.expose())]).await
            }
            _ => eve.open(site.fallback.last_link()).await,
        };
        assert_eq!(landed.text(), "inside", "{sign_in:?}");
        assert_eq!(who(&mut eve).await, of(EVE, "own"), "{sign_in:?}");
    }
}

/// Nobody gets in by the fallback whom the primary has refused.
#[tokio::test]
async fn what_the_primary_refuses_the_fallback_does_not_begin() {
    use ProviderErrorKind::{Address, Misconfigured, NotAllowed, RateLimited, StepUpRequired};

    for kind in [
        Address,
        Misconfigured,
        NotAllowed,
        RateLimited,
        StepUpRequired,
    ] {
        let refuses = Some(kind);
        let primary = Sometimes {
            refuses,
            ..Sometimes::default()
        };
        let site = Site::new(primary, |builder| builder);
        site.begun(ADA).await;
        assert_eq!(site.fallback.started(), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_choice_goes_to_the_one_that_asks() {
    let (primary, fallback) = (StubProvider::new(), StubProvider::new());
    let email = Email::parse(ADA).unwrap();
    for provider in [&primary, &fallback] {
        for id in ["org_1", "org_2"] {
            provider.add_membership(&email, Organization::new(id, id));
        }
    }
    let both = TwoProviders::new(primary.clone(), fallback.clone());
    let attempt = TestAttempt::new(&ManualClock::new());
    for (name, provider) in [("primary", &primary), ("fallback", &fallback)] {
        let code = provider.code_for(Identity::new("user_1", email.clone()));
        let code = AuthorizationCode::new(code);
        let finish = Finish::new(attempt.show(), &code, &email, Duration::from_secs(900));
        let asks = both.finish(&finish).await.unwrap_err();
        let pending = asks.choice().unwrap().pending();
        let finish = FinishChoice::new(attempt.show(), pending, "org_2");
        let chosen = both.finish_choice(&finish).await.unwrap();
        assert_eq!(chosen.proven_by(), Some(name));
        assert_eq!(chosen.organization(), Some("org_2"));
        let again = both.finish_choice(&finish).await.unwrap_err();
        assert_eq!(again.kind(), ProviderErrorKind::Refused, "{name}");
    }
}
