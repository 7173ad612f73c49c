//! One layer in each host: a person signs in at it, and programs hear what they understand.

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
};

/// Asks as a program does.
async fn ask(url: &str, cookie: &str) -> (StatusCode, String) {
    let request = Client::new().get(url).header("cookie", cookie);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_axum_example_serves_people_and_programs() {
    let mut program = Program::example("axum", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let me = format!("{origin}/api/me");

    let (status, problem) = ask(&me, "").await;
    assert_eq!(status, 401);
    let problem: Value = serde_json::from_str(&problem).unwrap();
    let form = format!("{origin}/auth/login?return_to=/api/me");
    assert_eq!(
        (&problem["code"], &problem["login_url"]),
        (&"no_session".into(), &form.into())
    );
    let (status, ok) = ask(&format!("{origin}/healthz"), "").await;
    assert_eq!((status.as_u16(), ok.as_str()), (200, "ok"));
    let (status, _) = ask(&format!("{origin}/nowhere"), "").await;
    assert_eq!(status, 401, "the fallback is protected too");

    let login = location(&person.get("/").await);
    let home = person.sign_in(&mut program, &login).await;
    let page = person.get(&home).await.text().await.unwrap();
    assert_eq!(page, "hello ada@example.com\n");
    let (status, me) = ask(&me, &person.cookie()).await;
    assert_eq!(status, 200);
    let me: Value = serde_json::from_str(&me).unwrap();
    assert_eq!(me["email"], ADA);
    assert!(me["until"].is_u64(), "{me}");
}

#[tokio::test]
async fn the_hyper_example_serves_both_versions_of_http() {
    let mut program = Program::example("hyper", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);

    let login = location(&person.get("/a?b=c").await);
    let back = person.sign_in(&mut program, &login).await;
    assert_eq!(back, "/a?b=c");
    let page = person.get(&back).await.text().await.unwrap();
    assert_eq!(page, "hello ada@example.com\n");

    let http2 = Client::builder().http2_prior_knowledge().build().unwrap();
    for (cookie, status) in [(String::new(), 401), (person.cookie(), 200)] {
        let answer = http2
            .get(&origin)
            .header("cookie", cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.status(), status);
    }
}

/// Where a host does not say who is at the other end, nothing is limited by network.
#[tokio::test]
async fn every_host_says_who_is_at_the_other_end_so_that_a_network_is_limited() {
    let variables = [
        ("SMTP_URL", "smtp://127.0.0.1:9"),
        ("UPSTREAM", "http://127.0.0.1:9"),
        // No proxy stands before it here.
        ("TRUSTED_PROXIES", ""),
    ];
    let names = [
        "axum",
        "custom_mail",
        "forward_auth",
        "guard",
        "hyper",
        "jwks",
        "quickstart",
        "tonic",
        "websocket",
    ];
    for name in names {
        let mut program = Program::example(name, &variables);
        let origin = program.says("listening on ");
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut is_limited = false;
        // 60 at once for a network, and then one each 5 seconds; everybody has 300.
        for number in 0..100 {
            let answer = http
                .post(format!("{origin}/auth/login"))
                .header("sec-fetch-site", "same-origin")
                .form(&[("email", format!("n{number}@example.com"))])
                .send()
                .await
                .unwrap();
            is_limited |= answer.status() == StatusCode::TOO_MANY_REQUESTS;
        }
        assert!(is_limited, "{name}");
    }
}
