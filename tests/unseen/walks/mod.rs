//! The walks: whatever a person, a program, a provider, a mail server or a store can do.

use http::Request;
use http_body_util::Full;

use crate::support::{Answer, Browser};

pub(crate) mod choices;
pub(crate) mod client;
pub(crate) mod codes;
pub(crate) mod companions;
pub(crate) mod elsewhere;
pub(crate) mod links;
pub(crate) mod mails;
pub(crate) mod provider;
pub(crate) mod refusals;
pub(crate) mod self_test;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod stores;
pub(crate) mod webhook;
pub(crate) mod wire;

type Body = Full<bytes::Bytes>;

/// Makes a post of a program on our own page.
fn program(path: &str, form: &str) -> Request<Body> {
    Request::post(path)
        .header("accept", "application/json")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned().into())
        .unwrap()
}

/// Returns where the check page posts the digits to.
fn code_action(check: &Answer) -> String {
    let text = check.text();
    let (_, rest) = text.split_once("action=\"/auth/code?t=").expect("a field");
    format!("/auth/code?t={}", rest.split_once('"').unwrap().0)
}

/// Types digits, and follows.
async fn type_digits(browser: &mut Browser, check: &Answer, digits: &str) -> Answer {
    let answer = browser
        .post(&code_action(check), &format!("code={digits}"))
        .await;
    match answer.status().is_redirection() {
        true => browser.follow(answer).await,
        false => answer,
    }
}

/// Returns six digits that are not these.
fn other_than(digits: &str) -> &'static str {
    if digits == "000000" {
        "111111"
    } else {
        "000000"
    }
}
