//! The guard without an account, for people who sign in by six digits.

use std::fs;

use axum::{Router, http::HeaderMap, routing::get};
use tokio::net::TcpListener;

use super::{Scratch, guard, logs};
use crate::without_account::{CODE, Printing, sign_in};

/// Pinned: the code stood in no mail and in no line, so nobody could sign in.
#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_asks_for_a_code_prints_it_and_never_logs_it() {
    let who = async |headers: HeaderMap| headers["x-auth-email"].to_str().unwrap().to_owned();
    let service = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let upstream = service.local_addr().unwrap();
    let app = Router::new().route("/", get(who));
    tokio::spawn(async move { axum::serve(service, app).await });

    let settings = format!("upstream = \"http://{upstream}\"\nport = 0\nsign_in = \"code\"\n");
    let file = Scratch::new("codes.toml", &settings);
    let (out, log) = (Scratch::new("codes-out", ""), Scratch::new("codes-log", ""));
    let mut command = guard(&["--config", file.path(), "--log-level=debug"]);
    command.stderr(fs::File::create(log.path()).unwrap());
    let _program = Printing::start(&mut command, &out);

    assert_eq!(sign_in(&out, CODE).await, "ada@example.com");
    let printed = logs(&out, CODE).await;
    assert_eq!(printed.matches(CODE).count(), 1, "{printed}");
    let (_, code) = printed.split_once(CODE).unwrap();
    let logged = logs(&log, "which prints links and codes").await;
    assert!(!logged.contains(code.trim_end()), "{logged}");
}
