//! One layer in each host: a person signs in at it, and programs hear what they understand.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

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
#[tokio::test(flavor = "multi_thread")]
async fn every_host_says_who_is_at_the_other_end_so_that_a_network_is_limited() {
    // What fails at the mail server is given back, so the mails have to be taken.
    let smtp = mail_server().await;
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
    let starting = names.map(|name| {
        let smtp = smtp.clone();
        spawn_blocking(move || {
            let variables = [
                ("SMTP_URL", smtp.as_str()),
                ("UPSTREAM", "http://127.0.0.1:9"),
                // No proxy stands before it here.
                ("TRUSTED_PROXIES", ""),
            ];
            let mut program = Program::example(name, &variables);
            let origin = program.says("listening on ");
            (name, program, origin)
        })
    });
    let started: Vec<_> = join_all(starting).await;
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    // The times count from here, where all have started: none is asked for what is overdue at once.
    let (http, began) = (&http, Instant::now());
    let limited = started.into_iter().map(|started| async move {
        let (name, _program, origin) = started.unwrap();
        // 60 at once for a network, and then one each 5 seconds. Anybody's share of what is for
        // everybody is 40 at once and 4 a second: 88 over twelve seconds, so that the network's is
        // reached too, and only its wait is longer than a second.
        let asked = (0..150_u32).map(|number| {
            let origin = &origin;
            async move {
                sleep_until(began + number * Duration::from_millis(80)).await;
                let answer = http
                    .post(format!("{origin}/auth/login"))
                    .header("sec-fetch-site", "same-origin")
                    .form(&[("email", format!("n{number}@example.com"))])
                    .send()
                    .await
                    .unwrap();
                let wait = answer.headers().get("retry-after")?;
                wait.to_str().unwrap().parse::<u64>().ok()
            }
        });
        let waits = join_all(asked).await;
        assert!(
            waits.iter().flatten().any(|wait| *wait > 1),
            "{name}: {waits:?}"
        );
    });
    join_all(limited).await;
}

/// Starts a mail server that takes every mail, and returns its URL.
async fn mail_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take_mails(stream));
        }
    });
    url
}

async fn take_mails(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut is_mail = false;
    stream.write_all(b"220 mail\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer: &[u8] = match line.trim_end() {
            "." if is_mail => {
                is_mail = false;
                b"250 taken\r\n"
            }
            _ if is_mail => continue,
            "DATA" => {
                is_mail = true;
                b"354 go on\r\n"
            }
            _ => b"250 yes\r\n",
        };
        stream.write_all(answer).await?;
    }
}
