//! A program that types the code gets a problem, and chooses by it.

use serde_json::json;

use super::*;

pub(super) async fn post(browser: &mut Browser, path: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header("accept", "application/json")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned().into())
        .unwrap();
    browser.send(request).await
}

#[tokio::test]
async fn a_program_is_told_the_organizations_and_where_to_choose() {
    let mut begun = begun(|builder| builder).await;
    let form = format!("code={}", begun.post.code());
    let action = begun.action.clone();
    let problem = post(&mut begun.first, &action, &form).await;
    assert_eq!(problem.status(), 403);
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(problem.header("cache-control"), "no-store");
    assert_eq!(problem.header("vary"), "cookie");
    let body: Value = serde_json::from_slice(&problem.body).unwrap();
    assert_eq!(body["code"], "organization_required");
    assert_eq!(
        body["organizations"],
        json!([ACME, GLOBEX, INITECH].map(|(id, name)| json!({ "id": id, "name": name })))
    );
    let to = body["choose_url"].as_str().unwrap();
    let to = to.strip_prefix(crate::names::ORIGIN).unwrap().to_owned();
    let choice = body["choice"].as_str().unwrap();

    let wrong = format!("choice={choice}&organization=org_other");
    let refused = post(&mut begun.first, &to, &wrong).await;
    assert_eq!(
        (refused.status().as_u16(), refused.code().as_str()),
        (400, "malformed")
    );
    let form = format!("choice={choice}&organization={}", INITECH.0);
    let faults = [
        (
            Fault::refusal(http::StatusCode::CONFLICT, "lock_timeout"),
            (503, "provider_unavailable"),
        ),
        (
            Fault::Status(http::StatusCode::BAD_GATEWAY),
            (502, "provider_answer_lost"),
        ),
    ];
    for (fault, want) in faults {
        begun.world.emulator().order(Endpoint::Authenticate, fault);
        let out = post(&mut begun.first, &to, &form).await;
        assert_eq!((out.status().as_u16(), out.code().as_str()), want);
    }
    let answer = post(&mut begun.first, &to, &form).await;
    assert_eq!(answer.location(), "/reports");
    let got = organization(&mut begun.first).await;
    assert_eq!(got.as_deref(), Some(INITECH.0));
}
