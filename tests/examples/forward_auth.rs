//! The sign-in service of a proxy: its endpoints, and the question that the proxy asks.

use reqwest::{Client, Response, redirect::Policy};

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
    without_account::refusal,
};

/// Asks as a proxy does.
async fn ask(url: &str, kind: &str, fields: &[(&str, &str)]) -> Response {
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let question = http.get(url).header("accept", "text/html");
    let mut question = question
        .header(format!("x-{kind}-method"), "GET")
        .header(format!("x-{kind}-uri"), "/reports");
    for (name, value) in fields {
        question = question.header(*name, *value);
    }
    question.send().await.unwrap()
}

#[tokio::test]
async fn the_forward_auth_example_answers_a_proxys_question() {
    let mut program = Program::example("forward_auth", &[]);
    let origin = program.says("listening on ");
    let url = format!("{origin}/ask");
    let refused = ask(&url, "forwarded", &[]).await;
    let form = location(&refused);
    assert_eq!(form, format!("{origin}/auth/login?return_to=/reports"));

    let mut person = Person::at(&origin);
    let home = person.sign_in(&mut program, &form).await;
    assert_eq!(home, "/reports");
    let cookie = person.cookie();
    let permit = ask(&url, "forwarded", &[("cookie", &cookie)]).await;
    assert_eq!(permit.status(), 200);
    assert_eq!(permit.headers()["x-auth-decision"], "permit");
    assert_eq!(permit.headers()["x-auth-email"], ADA);
}

#[tokio::test]
async fn the_forward_auth_example_believes_the_proxies_that_it_is_told_of() {
    let variables = [
        ("ASK", "nginx"),
        ("PUBLIC_URL", "https://app.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.7, 192.0.2.0/24"),
        ("WORKOS_API_KEY", "sk_test"),
        ("WORKOS_CLIENT_ID", "client_test"),
    ];
    let mut program = Program::example("forward_auth", &variables);
    let origin = program.says("listening on ");
    let navigation = [("sec-fetch-mode", "navigate")];
    let refused = ask(&format!("{origin}/ask"), "original", &navigation).await;
    assert_eq!(refused.status(), 401, "nginx gets no redirect");
    // It does not say where to: this peer is no proxy of ours.
    let form = "https://app.example.com/auth/login?return_to=/";
    assert_eq!(refused.headers()["location"], form);
    let whole = ask(&format!("{origin}/refuse"), "original", &navigation).await;
    assert_eq!(location(&whole), form);
}

/// Pins: without WorkOS's variables it emulated WorkOS at any address, and anyone who read its log
/// could sign in as anyone.
#[test]
fn the_forward_auth_example_emulates_workos_for_addresses_of_this_machine_alone() {
    let said = refusal("forward_auth", &[("PUBLIC_URL", "https://app.example.com")]);
    let want = "public_url \"https://app.example.com\" is not of this machine";
    assert!(said.contains(want), "{said}");
    let origin = [("PUBLIC_URL", "http://localhost:8080")];
    Program::example("forward_auth", &origin).says("listening on ");
}
