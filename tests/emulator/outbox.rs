//! What tests can read: mails, requests, counts; and where links lead.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tower_magic_link::emulator::{Emulator, Endpoint, Fault, Hold, Mail};

use crate::{
    Desk, KEY,
    names::{ADA, EVE},
    session,
};

#[tokio::test]
async fn the_outbox_holds_mails_in_order_until_it_is_taken() {
    let desk = Desk::new().await;
    let mut links = Vec::new();
    for _ in 0..2 {
        let (id, link) = desk.create().await;
        desk.send(&id).await;
        links.push(link);
    }
    assert_eq!(
        desk.emulator.last_link_to("ADA@example.com"),
        links.last().cloned()
    );
    assert_eq!(desk.emulator.last_link_to(EVE), None);
    let taken: Vec<_> = desk
        .emulator
        .take_outbox()
        .iter()
        .map(|mail| mail.link().unwrap().to_owned())
        .collect();
    assert_eq!(taken, links);
    assert!(desk.emulator.outbox().is_empty());
    assert_eq!(desk.emulator.last_link_to(ADA), None);
}

#[tokio::test]
async fn a_session_can_be_sent_twice() {
    let desk = Desk::new().await;
    let (id, _) = desk.create().await;
    assert_eq!(desk.send(&id).await.status, 201);
    assert_eq!(desk.send(&id).await.status, 201);
    assert_eq!(desk.emulator.outbox().len(), 2);
}

#[tokio::test]
async fn each_mail_is_told_to_the_hook() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let told = Arc::clone(&told);
        move |mail: &Mail| told.lock().unwrap().push(mail.link().unwrap().to_owned())
    };
    let desk = Desk::with(Emulator::builder().on_mail(hook)).await;
    let (id, link) = desk.create().await;
    assert!(told.lock().unwrap().is_empty());
    desk.send(&id).await;
    assert_eq!(*told.lock().unwrap(), [link]);
}

#[tokio::test]
async fn requests_are_kept_as_they_came_and_counted_by_endpoint() {
    let desk = Desk::new().await;
    let code = desk.code().await;
    desk.exchange(&code).await;
    desk.exchange(&code).await;
    desk.get(&desk.url("/sso/token")).await;
    let counts = [
        Endpoint::Create,
        Endpoint::Send,
        Endpoint::Confirm,
        Endpoint::Token,
        Endpoint::Profile,
    ]
    .map(|endpoint| desk.emulator.count(endpoint));
    assert_eq!(counts, [1, 0, 1, 2, 0]);

    let requests = desk.emulator.requests();
    let endpoints: Vec<_> = requests.iter().map(|request| request.endpoint()).collect();
    let token = Some(Endpoint::Token);
    assert_eq!(
        endpoints,
        [
            Some(Endpoint::Create),
            Some(Endpoint::Confirm),
            token,
            token,
            None
        ]
    );
    let create = &requests[0];
    assert_eq!(
        (create.method().as_str(), create.uri().path()),
        ("POST", "/passwordless/sessions")
    );
    assert_eq!(create.headers()["authorization"], format!("Bearer {KEY}"));
    assert_eq!(create.body(), session().to_string().as_bytes());
    let debug = format!("{:?} {requests:?}", desk.emulator);
    for secret in [KEY, code.as_str(), "ada", requests[1].uri().path()] {
        assert!(!debug.contains(secret), "{secret} in {debug}");
    }
}

#[tokio::test]
async fn links_lead_to_the_server_they_were_asked_from() {
    let desk = Desk::new().await;
    let other = desk.emulator.serve(0).await.unwrap();
    assert_ne!(other.port(), desk.server.port());
    let (_, link) = desk.create().await;
    assert!(link.starts_with(&format!("http://127.0.0.1:{}/", desk.server.port())));
    assert_eq!(desk.emulator.base_url(), "http://127.0.0.1:4200");
    assert_eq!(other.emulator().base_url(), other.base_url());
    // Both are the same WorkOS.
    let there = link.replace(desk.server.base_url(), other.base_url());
    assert!(desk.get(&there).await.query("code").is_some());
}

#[tokio::test]
async fn a_fixed_base_url_is_what_links_begin_with() {
    let emulator = Emulator::builder()
        .base_url("https://workos.example/")
        .build();
    let server = emulator.serve(0).await.unwrap();
    assert_eq!(server.base_url(), "https://workos.example");
}

#[tokio::test]
async fn a_server_that_is_dropped_stops_with_its_connections() {
    let desk = Desk::new().await;
    let hold = Hold::new();
    desk.emulator
        .order(Endpoint::Profile, Fault::Hold(hold.clone()));
    let held = tokio::spawn(desk.http.get(desk.url("/sso/profile")).send());
    hold.wait_for(1).await;
    let (port, url) = (desk.server.port(), desk.url("/"));
    drop(desk.server);
    // Only a server that does not stop takes that long.
    let held = tokio::time::timeout(Duration::from_secs(20), held).await;
    assert!(held.expect("a connection that ends").unwrap().is_err());
    // The port is free again once the server's task is gone: no waiting but for that.
    while tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    assert!(desk.http.get(url).send().await.is_err());
}
