//! What a person may copy from the raw mail.

use std::{env, net::TcpStream, process::Command, time::Duration};

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
    redis::free_port,
};

/// As the example's page has it.
const DOCUMENTED: &str = "python3 -m aiosmtpd -n -l 127.0.0.1:2525";

/// Starts the documented mail server on a free port. Returns it, and its URL.
fn documented() -> (Program, String) {
    let page = include_str!("../../examples/custom_mail.rs");
    assert!(page.contains(DOCUMENTED) && page.contains("smtp://127.0.0.1:2525"));
    let (port, _held) = free_port();
    let address = format!("127.0.0.1:{port}");
    let python = env::var_os("TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let (_, arguments) = DOCUMENTED.split_once(' ').unwrap();
    let mut command = Command::new(python);
    for argument in arguments.split(' ') {
        command.arg(argument.replace("127.0.0.1:2525", &address));
    }
    // To a terminal it prints at once.
    let server = Program::start(command.env("PYTHONUNBUFFERED", "1"));
    let listens = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        TcpStream::connect(&address).is_ok()
    });
    assert!(listens, "aiosmtpd on {address}");
    (server, format!("smtp://{address}"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn the_documented_mail_server_shows_a_link_that_works() {
    let (mut server, url) = documented();
    let mut program = Program::example("custom_mail", &[("SMTP_URL", &url)]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    person.ask_for_link(&login).await;
    let mut lines = Vec::new();
    let link = loop {
        let line = server.says("");
        if line.starts_with(&origin) {
            break line;
        }
        lines.push(line);
        assert!(lines.len() < 100, "no link: {lines:#?}");
    };
    let home = person.follow(&link).await;
    let page = person.get(&home).await.text().await.unwrap();
    assert_eq!(page, format!("hello {ADA}\n"));
}
