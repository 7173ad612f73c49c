//! Descriptors run out, and the server goes on when there are some again.

use std::{env, fs::File, net::TcpStream, process::Command};

use crate::program::Program;

/// Enough to start, and fewer than the connections below.
const DESCRIPTORS: u16 = 40;

/// Pinned: `accept` failed once, and the hyper and tonic examples ended.
#[cfg(unix)]
#[tokio::test]
async fn a_server_outlives_a_crowd_that_takes_all_its_descriptors() {
    let names = [
        "axum",
        "emulator",
        "guard",
        "hyper",
        "jwks",
        "quickstart",
        "tonic",
        "websocket",
    ];
    for name in names {
        let mut path = env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push(format!("examples/{name}"));
        let log = env::temp_dir().join(format!("magic-link-{}-{name}", std::process::id()));
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\"")])
            .arg(path)
            .env_remove("WORKOS_API_KEY")
            .env_remove("MAGIC_LINK_KEY")
            .envs([("PORT", "0"), ("UPSTREAM", "http://127.0.0.1:9")])
            .stderr(File::create(&log).unwrap());
        let mut program = Program::start(&mut command);
        let origin = program.says("listening on ");
        let authority = origin.strip_prefix("http://").unwrap();
        let crowd = (0..2 * DESCRIPTORS).map(|_| TcpStream::connect(authority).unwrap());
        let crowd: Vec<_> = crowd.collect();
        if ["hyper", "tonic"].contains(&name) {
            while !std::fs::read_to_string(&log).unwrap().contains("accept: ") {
                assert!(program.child.try_wait().unwrap().is_none(), "{name} ended");
                tokio::task::yield_now().await;
            }
        }
        drop(crowd);
        let client = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(20))
            .build()
            .unwrap();
        let answer = client.get(format!("{origin}/auth/login")).send().await;
        let status = answer
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .status();
        let want = if name == "emulator" { 404 } else { 200 };
        assert_eq!(status, want, "{name}");
        let _ = std::fs::remove_file(&log);
    }
}
