//! `examples/emulator.rs`, without its process.

use std::sync::{Arc, Mutex};

use tower_magic_link::emulator::Emulator;

use crate::{KEY, Read, example, names::ADA, session};

#[tokio::test]
async fn the_example_says_what_each_mail_holds() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let emulator = example::app(Emulator::builder().mail_codes(), {
        let said = Arc::clone(&said);
        move |line: &str| said.lock().unwrap().push(line.to_owned())
    });
    let server = emulator.serve(0).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sessions = format!("{}/passwordless/sessions", server.base_url());
    let create = http.post(&sessions).bearer_auth(KEY).json(&session());
    let body = Read::of(create).await.json();
    let id = body["id"].as_str().unwrap();
    Read::of(http.post(format!("{sessions}/{id}/send")).bearer_auth(KEY)).await;
    let link = body["link"].as_str().unwrap();
    let codes = format!("{}/user_management/magic_auth", server.base_url());
    let email = serde_json::json!({ "email": ADA });
    let body = Read::of(http.post(codes).bearer_auth(KEY).json(&email)).await;
    let body = body.json();
    let code = body["code"].as_str().unwrap();
    assert_eq!(
        *said.lock().unwrap(),
        [
            format!("sign-in link for ada@example.com: {link}"),
            format!("sign-in code for ada@example.com: {code}"),
        ]
    );
}
