//! What a provider answers is held against what it was asked for, and its link is followed in the
//! form that was parsed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey,
    provider::{
        AuthorizationCode, Finish, Identity, IdentityProvider, Link, OneTimeCode, ProviderError,
        ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    testing::ManualClock,
};

use crate::{
    names::{ADA, ORIGIN},
    support::{Browser, Post, app_of},
};

/// A provider whose link is whatever it likes.
struct Odd(&'static str);

impl IdentityProvider for Odd {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::with_link(Link::new(self.0)))
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Refused.into())
    }
}

/// Pinned: a link that ended in a newline passed as a URL, and was too much for the `Location` of
/// its visit.
#[tokio::test]
async fn a_providers_link_is_followed_in_the_form_that_was_parsed() {
    let cases = [
        (
            "https://idp.example/x?y=z",
            Some("https://idp.example/x?y=z"),
            "https://idp.example",
        ),
        (
            "https://idp.example/x\n",
            Some("https://idp.example/x"),
            "https://idp.example",
        ),
        (
            " https://idp.example/\r\n x",
            Some("https://idp.example/%20x"),
            "https://idp.example",
        ),
        (
            "https://idp.example/\u{e9}",
            Some("https://idp.example/%C3%A9"),
            "https://idp.example",
        ),
        (
            "HTTPS://IDP.example:443",
            Some("https://idp.example/"),
            "https://idp.example",
        ),
        ("example:open?x=1", Some("example:open?x=1"), "'self';"),
        ("", None, ""),
        ("/x", None, ""),
        ("https://", None, ""),
    ];
    for (link, want, form_action) in cases {
        let post = Post::default();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(Odd(link), keys)
            .public_url(ORIGIN)
            .mailer(post.clone())
            .clock(ManualClock::new())
            .build()
            .unwrap();
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.get("/auth/login").await;
        let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
        let Some(want) = want else {
            assert_eq!(answer.status(), 502, "{link:?}");
            assert!(post.letters().is_empty(), "{link:?}");
            continue;
        };
        let ours = post.link();
        let onward = browser.get(&ours).await;
        assert_eq!(onward.location(), want, "{link:?}");
        let mut elsewhere = Browser::new(app_of(&layer), ORIGIN);
        let page = elsewhere.get(&ours).await;
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains(form_action), "{link:?}: {policy}");
        assert!(!policy.contains("null"), "{link:?}: {policy}");
    }
}

/// A provider that answers in one way, whatever it is asked for. Its people have no subject.
struct Fixed {
    link: fn() -> Started,
    code: fn() -> StartedCode,
}

impl IdentityProvider for Fixed {
    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok((self.link)())
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        Ok(Identity::new("", finish.email.clone()))
    }

    async fn start_code(&self, _: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        Ok((self.code)())
    }
}

/// Makes a layer, with a mailer or without one. Returns what its listener hears, too.
fn fixed(
    provider: Fixed,
    sign_in: SignIn,
    mailer: Option<Post>,
) -> (MagicLinkLayer, Arc<Mutex<Vec<String>>>) {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let events = Arc::<Mutex<Vec<String>>>::default();
    let heard = events.clone();
    let builder = MagicLinkLayer::builder(provider, keys)
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .sign_in(sign_in)
        .insecure_answer_when_sent()
        .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")));
    let builder = match mailer {
        Some(mailer) => builder.mailer(mailer),
        None => builder,
    };
    (builder.build().unwrap(), events)
}

const INVALID: &str = "ProviderFailed { kind: InvalidAnswer";

fn link() -> Started {
    Started::with_link(Link::new("https://idp.example/x"))
}

fn digits() -> StartedCode {
    StartedCode::with_code(OneTimeCode::new("012345"), Duration::from_secs(600))
}

fn mailed_digits() -> StartedCode {
    StartedCode::mailed(Duration::from_secs(600))
}

/// Pins: the page and `LinkSent` said that mail was on its way when nobody had mailed, and no event
/// told of a link that cannot be mailed.
#[tokio::test]
async fn what_nobody_mails_is_a_failure_of_the_provider_and_not_said_to_be_sent() {
    use SignIn::{Code, Link as OnlyLink, LinkAndCode};
    let own: fn() -> Started = || Started::with_code(AuthorizationCode::new("x"));
    let long: fn() -> Started = || {
        let link = format!("https://idp.example/{}", "x".repeat(5_000));
        Started::with_link(Link::new(link))
    };
    let other = |link: &'static str| (link, OnlyLink, true);
    type Case = (
        (&'static str, SignIn, bool),
        fn() -> Started,
        fn() -> StartedCode,
        bool,
    );
    let cases: [Case; 13] = [
        (("it mails", OnlyLink, false), Started::mailed, digits, true),
        (("it mails digits", Code, false), link, mailed_digits, true),
        (other("we mail"), link, digits, true),
        (other("we mail a link of ours"), own, digits, true),
        (("we mail digits", Code, true), link, digits, true),
        (("a link, no mailer", OnlyLink, false), link, digits, false),
        (("ours, no mailer", OnlyLink, false), own, digits, false),
        (("digits, no mailer", Code, false), link, digits, false),
        (other("no link for us"), Started::mailed, digits, false),
        (("no digits for us", Code, true), link, mailed_digits, false),
        (
            ("neither for us", LinkAndCode, true),
            Started::mailed,
            mailed_digits,
            false,
        ),
        (
            other("no URL"),
            || Started::with_link(Link::new("/x")),
            digits,
            false,
        ),
        (other("too long"), long, digits, false),
    ];
    for ((name, sign_in, has_mailer), link, code, is_sent) in cases {
        let post = Post::default();
        let mailer = has_mailer.then(|| post.clone());
        let (layer, events) = fixed(Fixed { link, code }, sign_in, mailer);
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
        let status = if is_sent { 303 } else { 502 };
        assert_eq!(answer.status().as_u16(), status, "{name}");
        let mails = post.letters().len();
        assert_eq!(mails, usize::from(is_sent && has_mailer), "{name}");
        let heard = events.lock().unwrap().join("\n");
        assert_eq!(heard.contains("LinkSent"), is_sent, "{name}: {heard}");
        assert_eq!(heard.contains(INVALID), !is_sent, "{name}: {heard}");
    }
}

#[tokio::test]
async fn a_link_is_mailed_alone_if_the_provider_leaves_out_the_digits_beside_it() {
    let post = Post::default();
    let code = mailed_digits;
    let provider = Fixed { link, code };
    let (layer, events) = fixed(provider, SignIn::LinkAndCode, Some(post.clone()));
    let mut browser = Browser::new(app_of(&layer), ORIGIN);
    let answer = browser.post("/auth/login", &format!("email={ADA}")).await;
    let page = browser.follow(answer).await;
    let field = "action=\"/auth/code";
    assert!(!page.text().contains(field), "{}", page.text());
    let letter = post.last();
    assert!(letter.link.is_some() && letter.code.is_none());
    let heard = events.lock().unwrap().join("\n");
    assert!(heard.contains(INVALID), "{heard}");
    assert!(heard.contains("LinkSent"), "{heard}");
}

/// Pins: no event told of it.
#[tokio::test]
async fn an_identity_without_a_subject_is_a_failure_of_the_provider() {
    let post = Post::default();
    let provider = Fixed {
        link: || Started::with_code(AuthorizationCode::new("x")),
        code: digits,
    };
    let (layer, events) = fixed(provider, SignIn::Link, Some(post.clone()));
    let mut browser = Browser::new(app_of(&layer), ORIGIN);
    browser.post("/auth/login", &format!("email={ADA}")).await;
    let onward = browser.get(&post.link()).await;
    let answer = browser.get(onward.location()).await;
    assert_eq!(answer.status(), 502);
    let heading = RejectionKind::ProviderFailed.heading();
    assert!(answer.read().contains(heading), "{}", answer.text());
    let heard = events.lock().unwrap().join("\n");
    assert!(heard.contains(INVALID), "{heard}");
}
