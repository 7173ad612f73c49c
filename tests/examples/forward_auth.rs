//! The sign-in service of a proxy: its endpoints, and the question that the proxy asks.

use reqwest::{Client, Response, redirect::Policy};

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
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
