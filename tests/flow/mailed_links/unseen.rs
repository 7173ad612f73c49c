//! What nobody sees of the layer's own mail: its links, digits and letters, the cookies, and whole
//! addresses. Not in a log at any level, nor in an event, its fields or its context.

use http::Request;
use tower_magic_link::{
    SignIn,
    throttle::{Limits, Rate},
};

use super::{Site, action, answer_elsewhere, ask, digits::other_than, is_in, open, type_digits};
use crate::{
    names::{ADA, EVE},
    page::Page,
    secrets::Seen,
    support::Browser,
};

/// Adds the values of a browser's cookies.
fn add_cookies(secrets: &mut Vec<String>, browser: &Browser) {
    // One of them says nothing but that it is there.
    let values = browser.jar.values().filter(|value| *value != "1");
    secrets.extend(values.cloned());
}

/// Adds what a mail and the check page hold.
fn add_mail(secrets: &mut Vec<String>, site: &Site, check: &str) {
    let letter = site.post.last();
    if let Some(link) = letter.link {
        secrets.push(link.split_once('?').unwrap().1.to_owned());
        secrets.push(link);
    }
    secrets.extend(letter.code);
    secrets.extend(Page::of(check).text_of("match-code").map(str::to_owned));
}

#[tokio::test]
async fn nothing_of_a_mail_or_a_cookie_reaches_a_log_or_an_event() {
    let (site, seen) = (Site::new(), Seen::default());
    let limits =
        Limits::default().mails_per_address(Rate::new(6, std::time::Duration::from_secs(3_600)));
    let replica = site.with(SignIn::LinkAndCode, |builder| {
        seen.on(builder.limits(limits))
    });
    let mut secrets = vec![ADA.to_owned(), EVE.to_owned()];

    // By the link.
    let mut browser = replica.browser();
    let check = ask(&mut browser).await;
    add_mail(&mut secrets, &site, &check.text());
    is_in(&open(&mut browser, &site.post.link()).await);
    add_cookies(&mut secrets, &browser);
    browser.post("/auth/logout", "").await;
    open(&mut browser, &site.post.link()).await;

    // By the digits, after wrong ones.
    let check = ask(&mut browser).await;
    add_mail(&mut secrets, &site, &check.text());
    let digits = site.post.code();
    type_digits(&mut browser, &action(&check), other_than(&digits)).await;
    is_in(&type_digits(&mut browser, &action(&check), &digits).await);
    add_cookies(&mut secrets, &browser);

    // In another browser, which has answered wrongly before.
    let mut elsewhere = replica.browser();
    let check = ask(&mut browser).await;
    add_mail(&mut secrets, &site, &check.text());
    let link = site.post.link();
    elsewhere.get(&link).await;
    elsewhere.post(&link, "code=zzzzzz").await;
    answer_elsewhere(&mut elsewhere, &link, &check).await;
    add_cookies(&mut secrets, &elsewhere);

    // What is refused: a form of another site, a forged cookie, a mailer that is down, a limit.
    let forged = Request::post("/auth/login")
        .header("origin", "https://evil.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("email={EVE}").into())
        .unwrap();
    browser.send(forged).await;
    let mut forged = browser.clone();
    for value in forged.jar.values_mut() {
        value.push('x');
    }
    forged.get("/reports").await;
    site.post.is_down(true);
    browser.ask_for_link(ADA, "/").await;
    site.post.is_down(false);
    for _ in 0..6 {
        browser.ask_for_link(ADA, "/").await;
    }
    // Everywhere, and then with what has ended.
    browser.post("/auth/logout", "everywhere=1").await;
    elsewhere.get("/reports").await;

    seen.has_none_of(
        &secrets,
        &[
            "LinkSent",
            "SignedIn",
            "SignedOut",
            "MailFailed",
            "Throttled",
            "RevokedSession",
            "CodeWrong",
        ],
    );
    assert!(secrets.len() > 15, "{}", secrets.len());
}
