//! The examples as a person runs them: the program, its printed lines, and real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod descriptors;
mod devices;
mod faketime;
mod forward_auth;
mod gallery;
mod grpc;
mod guard;
mod guides;
mod hosts;
mod jwks;
mod metrics;
#[path = "../support/names.rs"]
mod names;
mod own_mail;
#[path = "../support/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;
#[path = "../support/program.rs"]
mod program;
mod prometheus;
#[cfg(unix)]
mod redis;
mod stack;
#[path = "../support/wall.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod wall;
mod websocket;
mod without_account;

use tower_magic_link::workos::{NewMagicAuth, NewPasswordlessSession, WorkOs};

use crate::{
    names::ADA,
    person::{Person, location},
    program::Program,
};

#[tokio::test]
async fn the_quickstart_signs_a_person_in_and_out() {
    let mut program = Program::example("quickstart", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);

    let login = location(&person.get("/?tab=2").await);
    assert_eq!(login, "/auth/login?return_to=/%3Ftab%3D2");
    let home = person.sign_in(&mut program, &login).await;
    assert_eq!(home, "/?tab=2");
    let page = person.get(&home).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("Hello ada@example.com"));

    let before = person.cookies.clone();
    let out = location(&person.post("/auth/logout", "").await);
    let out = person.get(&out).await.text().await.unwrap();
    assert!(out.contains("signed out"), "{out}");
    person.cookies = before;
    assert!(location(&person.get("/").await).starts_with("/auth/login"));
    let about = person.get("/about").await.text().await.unwrap();
    assert!(about.contains("not signed in"), "{about}");
}

#[tokio::test]
async fn the_emulator_prints_where_it_listens_and_each_link_and_code() {
    let mut program = Program::example("emulator", &[]);
    let url = program.says("listening on ");
    let client = WorkOs::new("sk_any", "any").and_then(|client| client.base_url(&url));
    let client = client.unwrap();
    let session = NewPasswordlessSession::new(ADA.parse().unwrap());
    let session = client.create_session(&session).await.unwrap();
    client.send_session(session.id()).await.unwrap();
    let link = program.says("sign-in link for ada@example.com: ");
    assert_eq!(session.link().unwrap().expose(), link);
    let new = NewMagicAuth::new(ADA.parse().unwrap());
    let code = client.create_magic_auth(&new).await.unwrap();
    let printed = program.says("sign-in code for ada@example.com: ");
    assert_eq!(code.code().unwrap().expose(), printed);
}

/// Pinned: a code that the application's own mailer prints was printed by the emulator, too.
#[tokio::test]
async fn the_emulator_leaves_the_codes_to_the_application_if_it_is_told_to() {
    let mut program = Program::example("emulator", &[("MAIL_CODES", "no")]);
    let url = program.says("listening on ");
    let client = WorkOs::new("sk_any", "any").and_then(|client| client.base_url(&url));
    let client = client.unwrap();
    let new = NewMagicAuth::new(ADA.parse().unwrap());
    let made = client.create_magic_auth(&new).await.unwrap();
    assert!(made.code().is_some());
    let session = NewPasswordlessSession::new(ADA.parse().unwrap());
    let session = client.create_session(&session).await.unwrap();
    client.send_session(session.id()).await.unwrap();
    // The next line is the link's, although the code was made before it.
    program.says("sign-in link for ada@example.com: ");
}
