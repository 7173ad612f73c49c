//! The callback: what must be true before a code is exchanged, and what becomes of it.

use tower_magic_link::RejectionKind;

use crate::{
    names::ADA,
    support::{Answer, Browser, World},
};

mod browser;
mod double_click;
mod hang_up;
mod identity;
mod one_use;
mod provider;
mod state;

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
        answer.read().contains(trouble.heading()),
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

fn is_asked_for_the_match_code(answer: &Answer) {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(answer.text().contains("name=\"code\""), "{}", answer.text());
    let mut set = answer.set_cookies().into_iter();
    assert!(set.all(|cookie| !cookie.starts_with("__Host-magic-link=")));
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
