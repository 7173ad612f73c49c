//! The layer's own mail, in a real conversation with a mail server that takes it, refuses it,
//! repeats it, or breaks off.

use std::time::Duration;

use tower_magic_link::{
    Builder, MagicLinkLayer, SignIn,
    mailer::{Mailer, SmtpMailer},
    provider::MailedLinks,
    testing::ManualClock,
};

use super::{other_than, type_digits};
use crate::{
    names::{ADA, EVE, ORIGIN},
    page::Page,
    scripted::{Mood, Scripted},
    secrets::Kind,
    support::Post,
    walk::{Walk, ZOE},
    watched::Watched,
};

const SENDER: &str = "Acme <sign-in@acme.example>";
const PASSWORD: &str = "smtp hunter2 marker";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Makes a mailer with or without a login.
pub(super) fn mailer(walk: &Walk, server: &Scripted, login: bool) -> SmtpMailer {
    let login = match login {
        true => format!("mailer:{}@", PASSWORD.replace(' ', "%20")),
        false => String::new(),
    };
    walk.secrets.add(Kind::SmtpPassword, PASSWORD);
    let mailer = SmtpMailer::new(format!("smtp://{login}{}", server.address), SENDER).unwrap();
    let mailer = mailer.timeout(Duration::from_secs(5)).unwrap();
    walk.show(&mailer);
    mailer
}

/// Makes a layer that mails its own links and digits.
fn layer(
    walk: &Walk,
    clock: &ManualClock,
    mailer: impl Mailer,
    set: impl FnOnce(Builder) -> Builder,
) -> MagicLinkLayer {
    let mut subjects = [0; 32];
    getrandom::fill(&mut subjects).unwrap();
    walk.secrets.add(Kind::SigningKey, subjects);
    let provider = MailedLinks::new().with_subject_key(subjects).unwrap();
    walk.show(&provider);
    let builder = MagicLinkLayer::builder(Watched::new(provider, walk), walk.keys.clone())
        .public_url(ORIGIN)
        .clock(clock.clone())
        .mailer(Watched::new(mailer, walk))
        .insecure_answer_when_sent()
        .application_name("Acme");
    let builder = set(walk.hear(builder));
    walk.show(&builder);
    builder.build().unwrap()
}

pub(crate) async fn all(walk: &Walk) {
    taken(walk).await;
    failed(walk).await;
    bad_urls(walk);
}

async fn taken(walk: &Walk) {
    let server = Scripted::start(Mood::Good).await;
    for sign_in in [SignIn::Link, SignIn::Code, SignIn::LinkAndCode] {
        let clock = ManualClock::new();
        let layer = layer(walk, &clock, mailer(walk, &server, false), |builder| {
            builder.sign_in(sign_in)
        });
        let mut browser = walk.browser(&layer);
        for (email, way) in [(ADA, "link"), (ZOE, "digits"), (EVE, "elsewhere")] {
            clock.advance(HOUR);
            let check = browser.ask_for_link(email, "/reports").await;
            let mail = server.taken.lock().unwrap().last().cloned().unwrap();
            let text = mail.text();
            let mut digits = text.split(|c: char| !c.is_ascii_digit());
            let digits = digits.find(|digits| digits.len() == 6).unwrap_or_default();
            let has_link = sign_in != SignIn::Code;
            let landed = match way {
                "digits" | "link" if sign_in == SignIn::Code || way == "digits" && !has_link => {
                    type_digits(&mut browser, &check, other_than(digits)).await;
                    type_digits(&mut browser, &check, digits).await
                }
                "digits" if sign_in == SignIn::LinkAndCode => {
                    type_digits(&mut browser, &check, digits).await
                }
                "elsewhere" if has_link => {
                    let link = mail.link().strip_prefix(ORIGIN).unwrap().to_owned();
                    let mut other = walk.browser(&layer);
                    other.get(&link).await;
                    other.post(&link, "code=zzzzzz").await;
                    let letters = Page::of(&check.text());
                    let form = format!("code={}", letters.text_of("match-code").unwrap());
                    let answered = other.post(&link, &form).await;
                    other.follow(answered).await
                }
                _ if has_link => {
                    let link = mail.link().strip_prefix(ORIGIN).unwrap().to_owned();
                    let opened = browser.get(&link).await;
                    let landed = browser.follow(opened).await;
                    // Used up.
                    let opened = walk.browser(&layer).get(&link).await;
                    walk.browser(&layer).follow(opened).await;
                    landed
                }
                _ => type_digits(&mut browser, &check, digits).await,
            };
            assert!(
                landed.text().contains(&email.to_lowercase()),
                "{sign_in:?}, {way}: {}",
                landed.text()
            );
            browser.post("/auth/logout", "").await;
            if has_link {
                let link = mail.link().strip_prefix(ORIGIN).unwrap().to_owned();
                clock.advance(HOUR);
                walk.browser(&layer).get(&link).await;
                browser.get(&link).await;
            }
        }
    }
}

async fn failed(walk: &Walk) {
    let moods = [
        (Mood::Busy, false),
        (Mood::Cuts, false),
        (Mood::Good, true),
        (Mood::Hangs, false),
        (Mood::Nonsense, true),
        (Mood::RefusesMail, false),
        (Mood::RefusesRecipient, false),
    ];
    for (mood, login) in moods {
        let server = Scripted::start(mood).await;
        let clock = ManualClock::new();
        let layer = layer(walk, &clock, mailer(walk, &server, login), |builder| {
            let builder = builder.sign_in(SignIn::LinkAndCode);
            builder.mailer_timeout(Duration::from_millis(100))
        });
        let mut browser = walk.browser(&layer);
        browser.ask_for_link(ADA, "/").await;
        browser.post("/auth/login", "email=ada%40example.com").await;
    }
    // A mailer of the application's, whose error repeats the address, the link and the digits.
    let post = Post::default();
    post.is_down(true);
    let clock = ManualClock::new();
    let layer = layer(walk, &clock, post, |builder| {
        builder.sign_in(SignIn::LinkAndCode)
    });
    walk.browser(&layer).ask_for_link(ADA, "/").await;
}

/// A password in a URL that is none.
fn bad_urls(walk: &Walk) {
    for url in [
        format!("smtps://:{PASSWORD}@mail.example.com"),
        format!("{PASSWORD}@mail.example.com"),
        format!("smtps://mailer:{PASSWORD}@"),
        format!("smtp://mailer:{PASSWORD}@mail.example.com"),
        format!("smtps://mail.example.com?password={PASSWORD}"),
    ] {
        let made = SmtpMailer::new(url, SENDER);
        assert!(walk.keep(made).is_err());
    }
}
