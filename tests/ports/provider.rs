//! Providers.

use std::{sync::Mutex, time::Duration};

use tower_magic_link::{
    Email,
    clock::{Clock, Timestamp},
    emulator::{Emulator, EmulatorServer},
    provider::{
        AuthorizationCode, Delivery, FinishCode, Identity, IdentityProvider, Link, OneTimeCode,
        ProviderError, ProviderErrorKind, SignInMethod, Start, StartCode, Started, StartedCode,
    },
    testing::{
        ManualClock, StubProvider,
        suite::{
            self, World,
            provider::{Mailed, Trial},
        },
    },
    workos::WorkOs,
};

use crate::{assert_fails, assert_holds};

const PAGE: &str = include_str!("../../src/testing/suite/provider/mod.rs");

/// Mails nobody, and knows no time.
#[tokio::test]
async fn the_stub_passes_but_for_time_and_mail() {
    let report = suite::provider::run(async |_| StubProvider::new()).await;
    report.assert();
    let skipped: Vec<_> = report.skipped().collect();
    assert_eq!(
        skipped,
        [
            "a link is good until its lifetime ends",
            "a link is refused after its lifetime",
            "a link that the provider mails reaches its address and proves it",
            "a typed code is good until its lifetime ends",
            "a typed code is refused after its lifetime",
            "a code that the provider mails reaches its address and proves it",
            "what the layer is to mail is not mailed by the provider",
        ],
        "{report}"
    );
}

/// The client, and the WorkOS that it talks to.
struct Emulated {
    workos: WorkOs,
    server: EmulatorServer,
}

impl Emulated {
    async fn new(world: &World, are_codes_mailed: bool) -> Self {
        let mut emulator = Emulator::builder().clock(world.clock());
        if are_codes_mailed {
            emulator = emulator.mail_codes();
        }
        let emulator = emulator.build();
        let server = emulator.serve(0).await.unwrap();
        let workos = WorkOs::new("sk_test_key", "client_test").unwrap();
        let workos = workos.base_url(server.base_url()).unwrap();
        Self { workos, server }
    }
}

impl Trial for Emulated {
    type Provider = WorkOs;

    fn provider(&self) -> &WorkOs {
        &self.workos
    }

    async fn follow(&self, link: &Link) -> String {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let answer = http.get(link.expose()).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn outbox(&self) -> Option<Vec<Mailed>> {
        let mails = self.server.emulator().outbox().into_iter();
        let mails = mails.map(|mail| match mail.code() {
            Some(code) => Mailed::code(mail.address(), OneTimeCode::new(code)),
            None => Mailed::link(mail.address(), Link::new(mail.link().unwrap())),
        });
        Some(mails.collect())
    }
}

/// Whether WorkOS mails codes is a setting of its environment, which has to be as the layer's is.
#[tokio::test]
async fn workos_passes_against_the_emulator_by_each_setting_of_mailed_codes() {
    let cases = [
        (
            false,
            "a code that the provider mails reaches its address and proves it",
        ),
        (
            true,
            "what the layer is to mail is not mailed by the provider",
        ),
    ];
    for (are_mailed, other) in cases {
        let report = suite::provider::run(async |world| Emulated::new(&world, are_mailed).await);
        let report = report.await;
        assert_fails(
            &format!("codes are mailed: {are_mailed}"),
            &report,
            &[other],
        );
        assert_eq!(report.skipped().count(), 0, "{report}");
    }
}

/// What is wrong with a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    CodesAreGoodTwice,
    CodesNeverExpire,
    DropsMail,
    GivesTheFirstIdentity,
    HandsOverWhatItMailed,
    HasNoLimitOfTries,
    LinksAreGoodTwice,
    LinksNeverExpire,
    LosesTheState,
    MailsWhatTheLayerMails,
    MakesASubjectEachTime,
    None,
    PrintsCodes,
    ReadsTheCodeAlone,
}

/// A provider in memory. Its links lead to the callback at once.
struct Faulty {
    fault: Fault,
    clock: ManualClock,
    made: Mutex<Vec<Made>>,
    mails: Mutex<Vec<Mailed>>,
}

struct Made {
    code: String,
    identity: Identity,
    until: Timestamp,
    is_used: bool,
    wrong_tries: u32,
}

impl Faulty {
    fn new(fault: Fault, world: &World) -> Self {
        Self {
            fault,
            clock: world.clock(),
            made: Mutex::default(),
            mails: Mutex::default(),
        }
    }

    fn make(&self, code: String, email: &Email, method: SignInMethod, lifetime: Duration) {
        let mut made = self.made.lock().unwrap();
        let mut subject = email.as_str().to_ascii_lowercase();
        if self.fault == Fault::MakesASubjectEachTime {
            subject.push_str(&made.len().to_string());
        }
        let identity = match (self.fault, made.first()) {
            (Fault::GivesTheFirstIdentity, Some(first)) => first.identity.clone(),
            _ => Identity::new(subject, email.clone()),
        };
        made.push(Made {
            code,
            identity: identity.with_method(method),
            until: self.clock.now() + lifetime,
            is_used: false,
            wrong_tries: 0,
        });
    }

    /// Mails, and returns whether what was mailed is handed over as well.
    fn deliver(&self, delivery: Delivery, mail: Mailed) -> bool {
        let is_mailed = delivery == Delivery::Provider;
        let is_sent = match self.fault {
            Fault::DropsMail => false,
            Fault::MailsWhatTheLayerMails => true,
            _ => is_mailed,
        };
        if is_sent {
            self.mails.lock().unwrap().push(mail);
        }
        !is_mailed || self.fault == Fault::HandsOverWhatItMailed
    }
}

impl IdentityProvider for Faulty {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        let code = format!("code_{}", self.made.lock().unwrap().len());
        let method = SignInMethod::MagicLink;
        self.make(code.clone(), start.email, method, start.link_lifetime);
        let state = match self.fault {
            Fault::LosesTheState => "",
            _ => start.state,
        };
        let link = Link::new(format!("{}?code={code}&state={state}", start.redirect_uri));
        let mail = Mailed::link(start.email.as_str(), link.clone());
        Ok(match self.deliver(start.delivery, mail) {
            true => Started::with_link(link),
            false => Started::mailed(),
        })
    }

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        let mut made = self.made.lock().unwrap();
        let refused = || {
            let error = ProviderError::new(ProviderErrorKind::Refused);
            match self.fault {
                Fault::PrintsCodes => error.with_source(format!("no code {}", code.expose())),
                _ => error,
            }
        };
        let known = made.iter_mut().find(|made| made.code == code.expose());
        let known = known.ok_or_else(refused)?;
        let is_over = known.until <= self.clock.now() && self.fault != Fault::LinksNeverExpire;
        if is_over || known.is_used && self.fault != Fault::LinksAreGoodTwice {
            return Err(refused());
        }
        known.is_used = true;
        Ok(known.identity.clone())
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let code = format!("{:06}", 100_000 + 1_000 * self.made.lock().unwrap().len());
        let lifetime = Duration::from_secs(600);
        self.make(code.clone(), start.email, SignInMethod::MagicAuth, lifetime);
        let code = OneTimeCode::new(code);
        let mail = Mailed::code(start.email.as_str(), code.clone());
        Ok(match self.deliver(start.delivery, mail) {
            true => StartedCode::with_code(code, lifetime),
            false => StartedCode::mailed(lifetime),
        })
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        let mut made = self.made.lock().unwrap();
        let known = made.iter_mut().rev().find(|made| {
            let is_address = made.identity.email() == finish.email;
            match self.fault {
                Fault::ReadsTheCodeAlone => made.code == finish.code.expose(),
                _ => is_address,
            }
        });
        let known = known.ok_or(ProviderErrorKind::CodeWrong)?;
        if known.wrong_tries >= 5 && self.fault != Fault::HasNoLimitOfTries {
            return Err(ProviderErrorKind::TooManyTries.into());
        }
        if known.code != finish.code.expose() {
            known.wrong_tries += 1;
            return Err(ProviderErrorKind::CodeWrong.into());
        }
        if known.is_used && self.fault != Fault::CodesAreGoodTwice {
            return Err(ProviderErrorKind::CodeUsed.into());
        }
        if known.until <= self.clock.now() && self.fault != Fault::CodesNeverExpire {
            return Err(ProviderErrorKind::CodeExpired.into());
        }
        known.is_used = true;
        Ok(known.identity.clone())
    }
}

/// A [`Faulty`] whose mails can be read.
struct Read(Faulty);

impl Trial for Read {
    type Provider = Faulty;

    fn provider(&self) -> &Faulty {
        &self.0
    }

    async fn outbox(&self) -> Option<Vec<Mailed>> {
        Some(self.0.mails.lock().unwrap().clone())
    }
}

#[tokio::test]
async fn a_provider_that_is_broken_fails_the_cases_of_what_is_broken_and_no_others() {
    let cases: [(&str, (Fault, &[&str])); 13] = [
        ("right", (Fault::None, &[])),
        (
            "codes twice",
            (
                Fault::CodesAreGoodTwice,
                &[
                    "a typed code is good once",
                    "of several redemptions of one typed code at once one succeeds",
                ],
            ),
        ),
        (
            "codes for ever",
            (
                Fault::CodesNeverExpire,
                &["a typed code is refused after its lifetime"],
            ),
        ),
        (
            "no mail",
            (
                Fault::DropsMail,
                &[
                    "a link that the provider mails reaches its address and proves it",
                    "a code that the provider mails reaches its address and proves it",
                ],
            ),
        ),
        (
            "one identity",
            (
                Fault::GivesTheFirstIdentity,
                &[
                    "links of two people prove each their own address",
                    "a person has the same subject each time and nobody else has it",
                ],
            ),
        ),
        (
            "two mails",
            (
                Fault::HandsOverWhatItMailed,
                &[
                    "a link that the provider mails is not handed over",
                    "a code that the provider mails is not handed over",
                ],
            ),
        ),
        (
            "guesses for ever",
            (
                Fault::HasNoLimitOfTries,
                &["after twenty wrong tries the right code is refused"],
            ),
        ),
        (
            "links twice",
            (
                Fault::LinksAreGoodTwice,
                &[
                    "a code from a link is good once",
                    "a link signs in once",
                    "of several redemptions of one link at once one succeeds",
                ],
            ),
        ),
        (
            "links for ever",
            (
                Fault::LinksNeverExpire,
                &["a link is refused after its lifetime"],
            ),
        ),
        (
            "mails too much",
            (
                Fault::MailsWhatTheLayerMails,
                &["what the layer is to mail is not mailed by the provider"],
            ),
        ),
        (
            "a new subject each time",
            (
                Fault::MakesASubjectEachTime,
                &["a person has the same subject each time and nobody else has it"],
            ),
        ),
        (
            "an error that tells",
            (
                Fault::PrintsCodes,
                &["what an error prints holds no code and no address"],
            ),
        ),
        (
            "anybody's code",
            (
                Fault::ReadsTheCodeAlone,
                &[
                    "a typed code is refused for another address",
                    "after twenty wrong tries the right code is refused",
                ],
            ),
        ),
    ];
    for (name, (fault, failed)) in cases {
        let report = suite::provider::run(async |world| Read(Faulty::new(fault, &world))).await;
        assert_fails(name, &report, failed);
        if failed.is_empty() {
            assert_holds(&report, PAGE);
        }
    }
}

#[tokio::test]
async fn a_provider_that_loses_the_state_fails_wherever_a_link_is_followed() {
    let fault = Fault::LosesTheState;
    let report = suite::provider::run(async |world| Read(Faulty::new(fault, &world))).await;
    let told = report.to_string();
    let state = told.matches(": the state: expected").count();
    assert_eq!(state, report.failed().count(), "{report}");
    let first = "a link leads to the redirect URI with a code and the state";
    assert_eq!(report.failed().next(), Some(first));
}

/// A provider of links alone, as the port's defaults make it.
struct LinksAlone(StubProvider);

impl IdentityProvider for LinksAlone {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.0.start(start).await
    }

    async fn finish(&self, code: &AuthorizationCode) -> Result<Identity, ProviderError> {
        self.0.finish(code).await
    }
}

#[tokio::test]
async fn a_provider_without_codes_skips_their_cases() {
    let report = suite::provider::run(async |_| LinksAlone(StubProvider::new())).await;
    report.assert();
    let held: Vec<_> = report.held().collect();
    assert!(held.contains(&"a provider without codes makes none and redeems none"));
    assert!(
        !held.iter().any(|case| case.contains("typed code")),
        "{report}"
    );
}
