//! The guide's line for a script, as a shell runs it.

use std::{env, fs, process::Command};

use axum::{Router, routing::get};
use tower_magic_link::{Session, testing::ManualClock};

use super::{HOUR, bearer, on, token_of};
use crate::{
    host::listen,
    names::{ADA, ORIGIN},
    site,
};

const GUIDE: &str = include_str!("../../../src/guide/terminal_clients.md");

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs curl; run by tests/run"]
async fn the_guides_line_for_a_script_gets_what_its_token_opens_and_fails_without() {
    let (_, line) = GUIDE.split_once("```console\n$ ").unwrap();
    let (line, _) = line.split_once("\n```").unwrap();
    let clock = ManualClock::new();
    let layer = on(site::builder(&clock));
    let (token, _) = token_of(&layer);
    let reports = get(async |session: Session| format!("hello {}", session.email()));
    let app = Router::new().route("/reports", reports).layer(layer);
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let folder = env::temp_dir().join(format!("tower-magic-link-curl-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let field = format!("Authorization: {}\n", bearer(&token));
    fs::write(folder.join("token.txt"), field).unwrap();
    let line = line.replace(ORIGIN, &format!("http://{address}"));
    let run = || {
        let mut shell = Command::new("bash");
        let output = shell.args(["-euc", &line]).current_dir(&folder).output();
        let output = output.unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    assert_eq!(run(), (true, format!("hello {ADA}")));
    clock.advance(HOUR);
    assert_eq!(run(), (false, String::new()));
    fs::remove_dir_all(&folder).unwrap();
}
