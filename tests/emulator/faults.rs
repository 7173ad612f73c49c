//! Each fault, as a client meets it.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower_magic_link::emulator::{Endpoint, Fault, Hold};

use crate::{Desk, KEY, Read, exchange_of, names::ADA, session};

/// Posts over a bare socket, which it returns.
async fn sent(desk: &Desk, path: &str, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", desk.server.port()))
        .await
        .unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// Exchanges a code over a bare socket and returns every byte that comes back until the connection
/// ends.
async fn raw_exchange(desk: &Desk, code: &str) -> String {
    let mut socket = sent(desk, "/sso/token", &exchange_of(code).to_string()).await;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_fault_is_for_as_many_requests_as_were_ordered() {
    let desk = Desk::new().await;
    let down = || Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    let create = async || desk.create_with(session()).await.status.as_u16();

    desk.emulator.order(Endpoint::Create, down());
    assert_eq!([create().await, create().await], [503, 201]);
    desk.emulator.order_times(Endpoint::Create, 2, down());
    assert_eq!(
        [create().await, create().await, create().await],
        [503, 503, 201]
    );
    desk.emulator.order_always(Endpoint::Create, down());
    assert_eq!(
        [create().await, create().await, create().await],
        [503, 503, 503]
    );
    let token = desk.exchange("nope").await.status;
    assert_eq!(token, 400, "another endpoint");
    desk.emulator.clear_orders(Endpoint::Create);
    assert_eq!(create().await, 201);
    assert_eq!(desk.emulator.count(Endpoint::Create), 9);
}

#[tokio::test]
async fn faults_that_answer_do_no_work() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let page = Fault::Answer {
        status: StatusCode::BAD_GATEWAY,
        content_type: "text/html".to_owned(),
        body: "<h1>cloud".to_owned(),
    };
    let cases: [(&str, Fault, u16, &str, &str, &str); 5] = [
        (
            "status",
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
            500,
            "content-type",
            "application/json; charset=utf-8",
            r#"{"message":"Internal Server Error"}"#,
        ),
        ("page", page, 502, "content-type", "text/html", "<h1>cloud"),
        (
            "limit",
            Fault::RateLimited(Duration::from_secs(7)),
            429,
            "retry-after",
            "7",
            r#"{"message":"Rate limit exceeded."}"#,
        ),
        (
            "redirect",
            Fault::Redirect("https://evil.example/x".to_owned()),
            302,
            "location",
            "https://evil.example/x",
            "",
        ),
        (
            "broken redirect",
            Fault::Redirect("a\nb".to_owned()),
            302,
            "content-length",
            "0",
            "",
        ),
    ];
    for (name, fault, status, header, value, text) in cases {
        desk.emulator.order(Endpoint::Token, fault);
        let read = desk.exchange(&code).await;
        assert_eq!(read.status, status, "{name}");
        assert_eq!(read.headers[header], value, "{name}");
        assert_eq!(read.text, text, "{name}");
        assert!(read.headers.contains_key("x-request-id"), "{name}");
    }
    assert_eq!(
        desk.exchange(&code).await.status,
        200,
        "the code is as good as before"
    );
}

#[tokio::test]
async fn a_cut_connection_ends_before_the_first_byte() {
    let desk = Desk::new().await;
    for (fault, then) in [(Fault::Cut, 200), (Fault::LostAnswer, 400)] {
        let code = desk.code().await;
        desk.emulator.order(Endpoint::Token, fault.clone());
        assert_eq!(raw_exchange(&desk, &code).await, "", "{fault:?}");
        assert_eq!(desk.exchange(&code).await.status, then, "{fault:?}");
    }
}

#[tokio::test]
async fn a_cut_body_ends_in_its_middle() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    desk.emulator
        .order_times(Endpoint::Token, 2, Fault::CutBody);
    let raw = raw_exchange(&desk, &code).await;
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let promised: usize = promised.parse().unwrap();
    assert_eq!(body.len(), promised / 2);
    assert!(promised > 100 && body.starts_with('{'));

    let request = desk
        .http
        .post(desk.url("/sso/token"))
        .json(&exchange_of("nope"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.bytes().await.is_err(), "a client notices");
    assert_eq!(desk.exchange(&code).await.status, 400, "the work was done");
}

#[tokio::test]
async fn held_requests_go_on_when_they_are_released() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let hold = Hold::new();
    desk.emulator
        .order_always(Endpoint::Token, Fault::Hold(hold.clone()));
    let exchanges: Vec<_> = (0..8)
        .map(|_| {
            let request = desk
                .http
                .post(desk.url("/sso/token"))
                .json(&exchange_of(&code));
            tokio::spawn(async move { Read::of(request).await.status.as_u16() })
        })
        .collect();
    hold.wait_for(8).await;
    assert!(exchanges.iter().all(|exchange| !exchange.is_finished()));
    hold.release();
    let mut statuses = Vec::new();
    for exchange in exchanges {
        statuses.push(exchange.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
    assert_eq!(
        desk.exchange("nope").await.status,
        400,
        "a released hold holds nothing"
    );
}

/// Pins: hyper drops what a client no longer waits for, so that a code was never redeemed too late.
#[tokio::test]
async fn a_held_request_is_worked_on_although_its_client_has_hung_up() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let hold = Hold::new();
    desk.emulator
        .order(Endpoint::Token, Fault::Hold(hold.clone()));
    let socket = sent(&desk, "/sso/token", &exchange_of(&code).to_string()).await;
    hold.wait_for(1).await;
    drop(socket);
    // Round trips, in which the server notices.
    for _ in 0..20 {
        desk.get(&desk.url("/")).await;
    }
    hold.release();
    for _ in 0..20 {
        desk.get(&desk.url("/")).await;
    }
    assert_eq!(desk.exchange(&code).await.status, 400, "it is used");
}

#[tokio::test]
async fn a_delayed_request_is_worked_on_although_its_client_has_hung_up() {
    let desk = Desk::new().await;
    let (id, _) = desk.create().await;
    let delay = Duration::from_millis(200);
    desk.emulator.order(Endpoint::Send, Fault::Delay(delay));
    drop(sent(&desk, &format!("/passwordless/sessions/{id}/send"), "{}").await);
    let mailed = async {
        while desk.emulator.outbox().is_empty() {
            desk.get(&desk.url("/")).await;
        }
    };
    let mailed = tokio::time::timeout(Duration::from_secs(10), mailed).await;
    mailed.expect("a mail");
}

#[tokio::test]
async fn a_status_after_the_work_hides_that_it_is_done() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    let fault = Fault::StatusAfterWork(StatusCode::BAD_GATEWAY);
    desk.emulator.order(Endpoint::Token, fault);
    let read = desk.exchange(&code).await;
    assert_eq!(read.status, 502);
    assert_eq!(read.text, r#"{"message":"Bad Gateway"}"#);
    assert_eq!(desk.exchange(&code).await.status, 400, "the work was done");
}

#[tokio::test]
async fn wrong_json_is_half_of_the_answer() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    for (endpoint, status) in [(Endpoint::Create, 201), (Endpoint::Token, 200)] {
        desk.emulator.order(endpoint, Fault::InvalidJson);
        let read = match endpoint {
            Endpoint::Create => desk.create_with(session()).await,
            _ => desk.exchange(&code).await,
        };
        assert_eq!(read.status, status);
        assert_eq!(
            read.headers["content-type"],
            "application/json; charset=utf-8"
        );
        assert!(read.text.starts_with('{') && serde_json::from_str::<Value>(&read.text).is_err());
    }
    assert_eq!(desk.exchange(&code).await.status, 400, "the work was done");
}

#[tokio::test]
async fn a_huge_body_is_the_answer_after_that_many_spaces() {
    let desk = Desk::new().await;
    for spaces in [1, 8 * 1_024, 3_000_000] {
        desk.emulator
            .order(Endpoint::Create, Fault::HugeBody(spaces));
        let read = desk.create_with(session()).await;
        assert_eq!(read.status, 201, "{spaces}");
        assert!(!read.headers.contains_key("content-length"), "{spaces}");
        let answer = read.text.trim_start_matches(' ');
        assert_eq!(read.text.len() - answer.len(), spaces);
        assert_eq!(read.json()["email"], ADA, "{spaces}");
    }
}

#[tokio::test]
async fn the_old_shape_leaves_out_what_may_be_missing() {
    let desk = Desk::new().await;
    let (id, _) = desk.create().await;
    desk.emulator.order(Endpoint::Send, Fault::OldShape);
    assert_eq!(desk.send(&id).await.json(), json!({}));

    let code = desk.code().await;
    desk.emulator.order(Endpoint::Token, Fault::OldShape);
    let body = desk.exchange(&code).await.json();
    let keys = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&body), ["access_token", "profile"]);
    let profile = [
        "connection_id",
        "connection_type",
        "email",
        "first_name",
        "id",
        "idp_id",
        "last_name",
        "object",
        "organization_id",
    ];
    assert_eq!(keys(&body["profile"]), profile);

    desk.emulator.order(Endpoint::Profile, Fault::OldShape);
    let shown = desk
        .profile(body["access_token"].as_str().unwrap())
        .await
        .json();
    assert_eq!(keys(&shown), profile);
}

#[tokio::test]
async fn the_link_itself_can_fail() {
    let desk = Desk::new().await;
    let (_, link) = desk.create().await;
    desk.emulator
        .order(Endpoint::Confirm, Fault::Status(StatusCode::BAD_GATEWAY));
    assert_eq!(desk.get(&link).await.status, 502);
    assert!(desk.get(&link).await.query("code").is_some());
}
