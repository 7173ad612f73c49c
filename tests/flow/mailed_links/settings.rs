//! What can be set, and what a layer with this provider needs.

use std::time::Duration;

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, RejectionKind, SignIn, SigningKey, mailer::ConsoleMailer,
    provider::MailedLinks,
};

use super::{Site, ask, is_in, is_told, open};
use crate::{names::ORIGIN, support::Post};

fn builder() -> Builder {
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    MagicLinkLayer::builder(MailedLinks::new(), keys).public_url(ORIGIN)
}

#[test]
fn without_a_mailer_nobody_could_sign_in_and_the_layer_is_not_built() {
    for sign_in in [SignIn::Link, SignIn::Code, SignIn::LinkAndCode] {
        let error = builder().sign_in(sign_in).build().unwrap_err();
        assert!(error.to_string().contains("mailer"), "{error}");
        let mailed = builder().sign_in(sign_in).mailer(ConsoleMailer::new());
        assert!(mailed.build().is_ok());
    }
}

#[test]
fn a_link_lives_a_minute_to_a_day() {
    for (seconds, want) in [(59, false), (60, true), (86_400, true), (86_401, false)] {
        let lifetime = Duration::from_secs(seconds);
        let built = builder().mailer(Post::default()).link_lifetime(lifetime);
        let built = built.build();
        assert_eq!(built.is_ok(), want, "{seconds}");
        if let Err(error) = built {
            let told = error.to_string();
            assert!(told.contains("1 minute to 24 hours"), "{told}");
        }
    }
}

#[test]
fn a_subject_key_has_32_bytes_and_is_not_shown() {
    for (length, want) in [(0, false), (31, false), (32, true), (64, true), (200, true)] {
        let made = MailedLinks::new().with_subject_key("k".repeat(length));
        assert_eq!(made.is_ok(), want, "{length}");
        assert!(!format!("{made:?}").contains("kkk"));
    }
}

#[tokio::test]
async fn a_link_of_a_minute_ends_after_it() {
    for (seconds, is_good) in [(59, true), (60, false)] {
        let site = Site::new();
        let minute = Duration::from_secs(60);
        let replica = site.with(SignIn::Link, |builder| builder.link_lifetime(minute));
        let mut browser = replica.browser();
        ask(&mut browser).await;
        site.pass(seconds);
        let answer = open(&mut browser, &site.post.link()).await;
        match is_good {
            true => drop(is_in(&answer)),
            false => is_told(&answer, RejectionKind::LinkExpired),
        }
    }
}

/// What the link leads to stays in the browser's history.
#[tokio::test]
async fn what_a_link_leads_to_is_good_for_a_minute_after_its_end_and_no_longer() {
    for (seconds, is_good) in [(119, true), (120, false)] {
        let site = Site::new();
        let minute = Duration::from_secs(60);
        let replica = site.with(SignIn::Link, |builder| builder.link_lifetime(minute));
        let mut browser = replica.browser();
        ask(&mut browser).await;
        site.pass(59);
        let opened = browser.get(&site.post.link()).await;
        site.pass(seconds - 59);
        let answer = browser.follow(opened).await;
        match is_good {
            true => drop(is_in(&answer)),
            false => is_told(&answer, RejectionKind::LinkUsed),
        }
    }
}

#[tokio::test]
async fn the_longest_address_and_way_back_fit_into_a_link_of_ours() {
    let site = Site::new();
    let mut browser = site.replica(SignIn::Link).browser();
    let label = "b".repeat(60);
    let longest = format!("{}@{label}.{label}.{label}.commmm", "a".repeat(64));
    let way_back = format!("/{}", "x".repeat(700));
    browser.ask_for_link(&longest, &way_back).await;
    let link = site.post.link();
    assert!(link.len() + ORIGIN.len() <= 970, "{}", link.len());
    let answer = open(&mut browser, &link).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(answer.text().ends_with(&longest), "{}", answer.text());
}
