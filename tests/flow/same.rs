//! Whatever an address is, who asks for its mail is answered by the same bytes, and so is each page
//! that follows.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, Request};
use tokio::time::Instant;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SignIn, SigningKey,
    mailer::{Mail, MailError, Mailer},
    provider::{
        Finish, FinishChoice, FinishCode, Identity, IdentityProvider, ProviderError,
        ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    testing::{ManualClock, StubProvider},
};

use crate::{
    names::ORIGIN,
    support::{Answer, Browser, app_of},
};

/// Addresses of one length, so that what is sealed has one length too.
const GOOD: &str = "ada@goodgood.example";
const KINDS: [&str; 6] = [
    "ada@nottaken.example",
    "ada@notknown.example",
    "ada@nodomain.example",
    "ada@nomember.example",
    "ada@answr550.example",
    "ada@manymany.example",
];

/// Whether WorkOS, or the mail server, is down.
#[derive(Clone, Default)]
struct Down {
    mailer: Arc<AtomicBool>,
    provider: Arc<AtomicBool>,
}

/// Refuses some addresses, after longer or shorter than it takes the others.
#[derive(Clone)]
struct Choosy(StubProvider, Down);

impl Choosy {
    async fn judge(&self, email: &str) -> Result<(), ProviderError> {
        if self.1.provider.load(Ordering::SeqCst) {
            return Err(ProviderErrorKind::Unavailable.into());
        }
        let (millis, judged) = match email {
            _ if email.starts_with("answr") => (10, Ok(())),
            _ if email.contains("notknown") => (7, Err(ProviderErrorKind::NotAllowed)),
            _ if email.contains("nodomain") => (400, Err(ProviderErrorKind::Address)),
            _ if email.contains("nomember") => (30, Err(ProviderErrorKind::StepUpRequired)),
            _ => (120, Ok(())),
        };
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if email.contains("unlisted") {
            return Err(ProviderError::new(ProviderErrorKind::Misconfigured).with_status(422));
        }
        let said = email.strip_prefix("said");
        if let Some(status) = said.and_then(|said| said.get(..3)?.parse::<u16>().ok()) {
            let kind = match status {
                408 | 409 => ProviderErrorKind::Unavailable,
                _ => ProviderErrorKind::Misconfigured,
            };
            return Err(ProviderError::new(kind).with_status(status));
        }
        if email.contains("manymany") {
            let limited = ProviderError::new(ProviderErrorKind::RateLimited);
            return Err(limited.with_retry_after(Some(Duration::from_secs(30))));
        }
        judged.map_err(ProviderError::from)
    }
}

impl IdentityProvider for Choosy {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.judge(start.email.as_str()).await?;
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.0.finish(finish).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.judge(start.email.as_str()).await?;
        self.0.start_code(start).await
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.0.finish_code(finish).await
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        self.0.finish_choice(finish).await
    }
}

impl Mailer for Down {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        if self.mailer.load(Ordering::SeqCst) {
            return Err(MailError::because("no connection to the mail server"));
        }
        if mail.to().as_str().contains("answr550") {
            return Err(MailError::because("refused").with_status(550));
        }
        let answer = mail.to().as_str().strip_prefix("answr");
        if let Some(status) = answer.and_then(|answer| answer.get(..3)?.parse::<u16>().ok()) {
            return Err(MailError::because("refused").with_status(status));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(())
    }
}

/// A layer that takes all domains of this test but one.
fn layer(
    sign_in: SignIn,
    down: &Down,
    configure: impl FnOnce(Builder) -> Builder,
) -> MagicLinkLayer {
    let domains = KINDS[1..].iter().chain([&GOOD]);
    let domains = domains.map(|email| email.split_once('@').unwrap().1);
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(Choosy(StubProvider::new(), down.clone()), keys)
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .mailer(down.clone())
        .sign_in(sign_in)
        .email_domains(domains);
    configure(builder).build().unwrap()
}

/// Returns what an answer says, without what is drawn at random or names the address. Of what is
/// sealed, the length stays.
fn shown(answer: &Answer, email: &str) -> String {
    let fields: BTreeMap<String, Vec<String>> = fields(&answer.head.headers);
    let text = answer.text().replace(email, "someone");
    let text = format!("{} {fields:?}\n{text}", answer.status());
    let text = length_alone(&text, "?t=", |c| {
        c.is_ascii_alphanumeric() || "-_".contains(c)
    });
    let text = length_alone(&text, "name=\"t\" value=\"", |c| c != '"');
    let text = length_alone(&text, "id=\"match-code\">", |c| c != '<');
    length_alone(&text, "__Host-magic-link-browser=", |c| c != ';')
}

fn fields(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut fields = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers {
        let value = value.to_str().unwrap().to_owned();
        fields.entry(name.to_string()).or_default().push(value);
    }
    fields
}

/// Replaces what stands behind a text by its length.
fn length_alone(text: &str, start: &str, is_part: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(start);
    let mut replaced = parts.next().unwrap().to_owned();
    for part in parts {
        let length = part.find(|c| !is_part(c)).unwrap_or(part.len());
        replaced += &format!("{start}[{length}]{}", &part[length..]);
    }
    replaced
}

/// Posts the form as a browser does, or as a program.
async fn ask(browser: &mut Browser, email: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::post("/auth/login?return_to=/reports")
        .header("host", "app.example.com")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let form = format!("email={}", email.replace('@', "%40"));
    browser.send(request.body(form.into()).unwrap()).await
}

const PAGE: [(&str, &str); 2] = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];

/// Walks as far as an address without a mail can: to the end of the tries, and to the limit.
async fn walk(layer: &MagicLinkLayer, email: &str) -> Vec<String> {
    let mut browser = Browser::new(app_of(layer), ORIGIN);
    let mut seen = Vec::new();
    let asked = ask(&mut browser, email, &PAGE).await;
    seen.push(shown(&asked, email));
    let check = asked.location().to_owned();
    seen.push(shown(&browser.get(&check).await, email));
    let code = check.replace("/auth/check", "/auth/code");
    for typed in [
        "12345", "000000", "000001", "000002", "000003", "000004", "000005", "x",
    ] {
        let answer = browser.post(&code, &format!("code={typed}")).await;
        seen.push(shown(&answer, email));
    }
    seen.push(shown(&browser.get(&check).await, email));
    let again = browser
        .post("/auth/login", &format!("email={email}&t="))
        .await;
    seen.push(shown(&again, email));
    for fields in [
        &[("accept", "application/json")][..],
        &[("hx-request", "true")],
        &[("content-type", "application/grpc")],
        &PAGE,
        &PAGE,
    ] {
        let answer = ask(&mut browser, email, fields).await;
        seen.push(shown(&answer, email));
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_address_is_answered_by_the_same_bytes() {
    for sign_in in [SignIn::Link, SignIn::Code, SignIn::LinkAndCode] {
        let layer = layer(sign_in, &Down::default(), |builder| builder);
        let good = walk(&layer, GOOD).await;
        assert!(good.last().unwrap().starts_with("429"), "{good:?}");
        for email in KINDS {
            let seen = walk(&layer, email).await;
            for (step, (seen, good)) in seen.iter().zip(&good).enumerate() {
                assert_eq!(seen, good, "{sign_in:?}: {email}, step {step}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_address_is_answered_after_the_same_time() {
    let times = [
        (None, 1_000),
        (Some(0), 0),
        (Some(50), 50),
        (Some(3_000), 3_000),
    ];
    for (set, want) in times {
        let layer = layer(SignIn::LinkAndCode, &Down::default(), |builder| match set {
            Some(millis) => builder.answer_after(Duration::from_millis(millis)),
            None => builder,
        });
        for email in [GOOD].iter().chain(&KINDS) {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            let begun = Instant::now();
            let answer = ask(&mut browser, email, &PAGE).await;
            assert_eq!(begun.elapsed().as_millis(), want, "{email}");
            assert!(answer.location().starts_with("/auth/check?t="), "{email}");
        }
    }
}

/// What an outage is, shows by the addresses that are asked about.
#[tokio::test(start_paused = true)]
async fn an_outage_is_told_alike_to_every_kind_of_address() {
    let (mailer, provider) = (Down::default(), Down::default());
    mailer.mailer.store(true, Ordering::SeqCst);
    provider.provider.store(true, Ordering::SeqCst);
    for (down, status) in [(mailer, 502), (provider, 503)] {
        let layer = layer(SignIn::Code, &down, |builder| {
            builder.insecure_no_throttle()
        });
        let told = async |email| {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            let answer = ask(&mut browser, email, &PAGE).await;
            (answer.status().as_u16(), shown(&answer, email))
        };
        let good = told(GOOD).await;
        assert_eq!(good.0, status);
        for email in KINDS {
            assert_eq!(told(email).await, good, "{email}");
        }
        // It is over: the next good address shows that.
        down.mailer.store(false, Ordering::SeqCst);
        down.provider.store(false, Ordering::SeqCst);
        let good = told(GOOD).await;
        assert_eq!(good.0, 303);
        for email in KINDS {
            assert_eq!(told(email).await, good, "{email}");
        }
    }
}

/// Pinned: whoever asked next, and whose mail took longer than the answer, was told of an outage.
#[tokio::test(start_paused = true)]
async fn what_may_be_one_addresss_fault_is_told_to_nobody_else() {
    for bad in ["unlisted@goodgood.example", "answr555@goodgood.example"] {
        is_told_to_nobody_else(bad, 502).await;
    }
}

/// Pins: a firewall's page for one browser, or an answer because of two requests at once, was told
/// to everybody for five minutes.
#[tokio::test(start_paused = true)]
async fn a_4xx_that_may_be_about_one_request_is_told_to_nobody_else() {
    for (said, status) in [(403, 502), (404, 502), (409, 503), (413, 502)] {
        let bad = format!("said{said}@goodgood.example");
        is_told_to_nobody_else(&bad, status).await;
    }
}

/// Our key is the same for everybody, and so is an outage.
#[tokio::test(start_paused = true)]
async fn a_401_and_a_408_of_the_provider_are_told_to_the_next_person() {
    for (said, status) in [(401, 502), (408, 503)] {
        let layer = layer(SignIn::Code, &Down::default(), |builder| {
            builder.answer_after(Duration::from_millis(200))
        });
        let failing = format!("said{said}@goodgood.example");
        for email in [&*failing, GOOD] {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            let answer = ask(&mut browser, email, &PAGE).await;
            assert_eq!(answer.status(), status, "{said}: {email}");
        }
    }
}

/// Asks for a mail that fails with a status, before and between others.
async fn is_told_to_nobody_else(bad: &str, status: u16) {
    let layer = layer(SignIn::Code, &Down::default(), |builder| {
        let builder = builder.answer_after(Duration::from_millis(200));
        builder.insecure_no_throttle()
    });
    let mut browser = Browser::new(app_of(&layer), ORIGIN);
    let answer = ask(&mut browser, bad, &PAGE).await;
    assert_eq!(answer.status(), status, "{bad}");
    let mut browser = Browser::new(app_of(&layer), ORIGIN);
    let answer = ask(&mut browser, GOOD, &PAGE).await;
    assert!(answer.location().starts_with("/auth/check?t="), "{bad}");
    // It is everybody's, if mail to a second domain meets it and none goes out in between.
    let other = bad.replace("goodgood", "notknown");
    for (met, want) in [([bad, bad], 303), ([bad, &other], status)] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for email in met {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            let answer = ask(&mut browser, email, &PAGE).await;
            assert_eq!(answer.status(), status, "{email}");
        }
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        let answer = ask(&mut browser, GOOD, &PAGE).await;
        assert_eq!(answer.status(), want, "{met:?}");
    }
}

/// Where one domain alone is taken, no second one can meet it.
#[tokio::test(start_paused = true)]
async fn with_one_domain_a_second_address_makes_it_an_outage() {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let down = Down::default();
    let layer = MagicLinkLayer::builder(Choosy(StubProvider::new(), down.clone()), keys)
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .mailer(down)
        .sign_in(SignIn::Code)
        .email_domains(["goodgood.example"])
        .answer_after(Duration::from_millis(200))
        .insecure_no_throttle()
        .build()
        .unwrap();
    let [one, other] = ["unlisted@goodgood.example", "unlisted2@goodgood.example"];
    for (met, want) in [([one, one], 303), ([one, other], 502)] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for email in met {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            assert_eq!(ask(&mut browser, email, &PAGE).await.status(), 502);
        }
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        let answer = ask(&mut browser, GOOD, &PAGE).await;
        assert_eq!(answer.status(), want, "{met:?}");
    }
}

/// What a mail server says to every mail is an outage at once.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_the_mail_server_refuses_is_told_to_the_next_person() {
    for status in [500, 502, 504, 530, 535, 538] {
        let layer = layer(SignIn::Code, &Down::default(), |builder| {
            builder.answer_after(Duration::from_millis(200))
        });
        let failing = format!("answr{status}@goodgood.example");
        let mut statuses = Vec::new();
        for email in [&*failing, GOOD] {
            let mut browser = Browser::new(app_of(&layer), ORIGIN);
            statuses.push(ask(&mut browser, email, &PAGE).await.status().as_u16());
        }
        assert_eq!(statuses, [502, 502], "{status}");
    }
}

/// The mail goes out, and the event says so, though nobody waits.
#[tokio::test(start_paused = true)]
async fn a_mail_that_takes_longer_than_the_answer_goes_out_even_if_the_person_leaves() {
    let sent = Arc::new(AtomicBool::new(false));
    let heard = sent.clone();
    let layer = layer(SignIn::Link, &Down::default(), |builder| {
        let builder = builder.answer_after(Duration::from_millis(100));
        builder.on_event(move |event, _| {
            if format!("{event:?}").starts_with("LinkSent") {
                heard.store(true, Ordering::SeqCst);
            }
        })
    });
    let mut browser = Browser::new(app_of(&layer), ORIGIN);
    let asked = ask(&mut browser, GOOD, &PAGE);
    let left = tokio::time::timeout(Duration::from_millis(10), asked).await;
    assert!(left.is_err(), "the person leaves");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(sent.load(Ordering::SeqCst));
}

#[test]
fn an_answer_comes_within_ten_seconds() {
    let build = |millis| {
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .answer_after(Duration::from_millis(millis))
            .build()
    };
    for (millis, is_good) in [(0, true), (10_000, true), (10_001, false)] {
        assert_eq!(build(millis).is_ok(), is_good, "{millis}");
    }
    assert_eq!(build(10_001).unwrap_err().setting(), "answer_after");
}
