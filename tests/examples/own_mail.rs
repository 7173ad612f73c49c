//! `examples/own_mail.rs`: nobody but the terminal is asked.

use crate::{
    person::{Person, location},
    program::Program,
    without_account::refusal,
};

#[tokio::test]
async fn with_our_own_mail_alone_a_person_signs_in_by_the_link_and_by_the_digits() {
    let mut program = Program::example("own_mail", &[]);
    let origin = program.says("listening on ");
    for by_link in [true, false] {
        let mut person = Person::at(&origin);
        let form = location(&person.get("/").await);
        person.get(&form).await;
        let check = location(&person.post(&form, "email=ada%40example.com").await);
        let page = person.get(&check).await.text().await.unwrap();
        assert!(page.contains("ada@example.com"), "{page}");
        let link = program.says("sign-in link for ada@example.com: ");
        let digits = program.says("sign-in code for ada@example.com: ");
        let home = match by_link {
            true => {
                let callback = location(&person.get(&link).await);
                location(&person.get(&callback).await)
            }
            false => {
                let entry = check.replace("/auth/check", "/auth/code");
                location(&person.post(&entry, &format!("code={digits}")).await)
            }
        };
        assert_eq!(home, "/");
        let page = person.get(&home).await.text().await.unwrap();
        assert_eq!(page, "Hello ada@example.com");
    }
}

/// Pins: with one of the two variables alone, each mail was printed and none was sent.
#[test]
fn a_mail_server_without_a_sender_or_a_sender_without_a_mail_server_is_an_error() {
    for half in [
        ("SMTP_URL", "smtp://127.0.0.1:25"),
        ("MAIL_FROM", "ada@example.com"),
    ] {
        let said = refusal("own_mail", &[half]);
        assert!(said.contains("SMTP_URL and MAIL_FROM"), "{half:?}: {said}");
    }
}
