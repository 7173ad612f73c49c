use std::error::Error;

use super::*;
use crate::{
    clock::Timestamp,
    provider::{Link, OneTimeCode},
};

const URL: &str = "smtp://127.0.0.1:2525";

fn wire(to: &str, application: &str, from: &str, letter: Option<Letter>) -> String {
    let to = to.parse().unwrap();
    let link = Link::new(format!(
        "https://app.example.com/auth/open?t={}",
        "x".repeat(1_000)
    ));
    let code = OneTimeCode::new("123456");
    let mail = Mail::new(&to, Timestamp::from_secs(1_767_225_600))
        .with_link(&link, Duration::from_secs(900))
        .with_code(&code, Duration::from_secs(600))
        .with_application(application);
    let (from, _) = sender(from).unwrap();
    let letter = letter.unwrap_or_else(|| Letter::of(&mail));
    let message = message::message(&from, &mail, letter, [7; 16]).unwrap();
    assert_eq!(message.envelope().to().len(), 1);
    assert_eq!(message.envelope().to()[0].to_string(), mail.to().as_str());
    String::from_utf8(message.formatted()).unwrap()
}

/// Returns the names of the header fields, unfolded.
fn fields(wire: &str) -> Vec<(String, String)> {
    let (head, _) = wire.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let pairs = head
        .split("\r\n")
        .map(|line| line.split_once(": ").unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn the_header_has_each_field_once_and_the_layers_own_time() {
    let wire = wire(
        "ada@example.com",
        "Acme",
        "Acme <sign-in@acme.example>",
        None,
    );
    let fields = fields(&wire);
    let want = [
        ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
        ("From", "Acme <sign-in@acme.example>"),
        ("To", "ada@example.com"),
        ("Subject", "Sign in to Acme"),
        ("Message-ID", "<BwcHBwcHBwcHBwcHBwcHBw@acme.example>"),
        ("References", "<BwcHBwcHBwcHBwcHBwcHBw.thread@acme.example>"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("MIME-Version", "1.0"),
    ];
    for (name, value) in want {
        let values: Vec<_> = fields.iter().filter(|(other, _)| other == name).collect();
        assert_eq!(values.len(), 1, "{name} in {wire}");
        assert_eq!(values[0].1, value, "{name}");
    }
    assert_eq!(fields.len(), want.len() + 1, "and Content-Type: {fields:?}");
    assert!(wire.is_ascii() && wire.lines().all(|line| line.len() <= 998));
    let (text, html) = (
        wire.find("text/plain").unwrap(),
        wire.find("text/html").unwrap(),
    );
    assert!(
        text < html,
        "a client prefers the last part that it understands"
    );
}

#[test]
fn no_text_adds_a_field_or_a_recipient() {
    let naughty = [
        "A\r\nBcc: eve@example.com",
        "A\nBcc: eve@example.com",
        "A\rBcc: eve@example.com",
        "A\r\n\r\n<h1>",
        "\u{85}\u{2028}Bcc: eve@example.com",
        "=?utf-8?q?=0d=0aBcc:_eve@example.com?=",
        "Ünïcödé 漢字 🦀 \"quoted\" <eve@example.com>",
        &"long ".repeat(100),
    ];
    for subject in naughty {
        let letter = Letter::new(subject, "text").with_html(subject);
        for letter in [None, Some(letter)] {
            let wire = wire("ada@example.com", subject, "sign-in@acme.example", letter);
            let fields = fields(&wire);
            assert_eq!(fields.len(), 10, "{subject:?}: {wire}");
            assert!(
                !fields
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case("bcc")),
                "{wire}"
            );
            let (head, _) = wire.split_once("\r\n\r\n").unwrap();
            assert!(head.is_ascii(), "{head}");
            assert!(head.lines().all(|line| line.len() <= 78), "{head}");
        }
    }
}

/// A link that is broken by `=` and a line break is none when it is copied from the raw mail.
#[test]
fn a_mail_of_ascii_goes_over_the_wire_as_it_is_with_its_link_whole() {
    let to = "ada@example.com".parse().unwrap();
    let start = "https://app.example.com/auth/open?t=";
    // The longest that the layer mails.
    let address = format!("{start}{}", "x".repeat(970 - start.len()));
    let link = Link::new(&address);
    let mail = Mail::new(&to, Timestamp::from_secs(0)).with_link(&link, Duration::from_secs(900));
    let (from, _) = sender("sign-in@acme.example").unwrap();
    let wire = |letter| {
        let message = message::message(&from, &mail, letter, [7; 16]).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    };
    let whole = wire(Letter::of(&mail));
    assert_eq!(whole.matches("Content-Transfer-Encoding: 7bit").count(), 2);
    assert!(
        whole.contains(&format!("\r\n\r\n{address}\r\n\r\n")),
        "{whole}"
    );
    assert_eq!(whole.matches(&address).count(), 4, "{whole}");
    assert!(whole.lines().all(|line| line.len() < 990), "{whole}");
    assert_eq!(whole.matches('\n').count(), whole.matches("\r\n").count());

    let encoded = [
        ("another alphabet", format!("Söhne\n{address}\n")),
        ("a long line", "x".repeat(990)),
        ("a carriage return", "a\rb\n".to_owned()),
        ("NUL", "a\0b\n".to_owned()),
    ];
    for (name, text) in encoded {
        let wire = wire(Letter::new("Sign in", text));
        assert!(!wire.contains("7bit"), "{name}: {wire}");
        assert!(wire.is_ascii(), "{name}");
        assert!(wire.lines().all(|line| line.len() <= 78), "{name}: {wire}");
        assert!(!wire.contains('\0') && !wire.replace("\r\n", "").contains('\r'));
    }
}

#[test]
fn every_address_that_is_taken_can_be_mailed_to() {
    let longest = format!(
        "{}@{}.example",
        "a".repeat(64),
        vec!["b".repeat(59); 3].join(".")
    );
    for to in [
        "#$&'*+-/^_`{|}~@example.com",
        "ada@bücher.example",
        &longest,
    ] {
        let wire = wire(to, "Acme", "sign-in@acme.example", None);
        let to: Email = to.parse().unwrap();
        let values = fields(&wire);
        let (_, value) = values.iter().find(|(name, _)| name == "To").unwrap();
        assert_eq!(value.trim(), to.as_str());
    }
}

#[test]
fn a_sender_is_an_address_or_a_name_and_one() {
    let cases = [
        ("sign-in@acme.example", Some("sign-in@acme.example")),
        (
            "Acme <sign-in@acme.example>",
            Some("Acme <sign-in@acme.example>"),
        ),
        (
            "\"Acme, Inc.\" <sign-in@acme.example>",
            Some("\"Acme, Inc.\" <sign-in@acme.example>"),
        ),
        (" <sign-in@acme.example> ", Some("sign-in@acme.example")),
        ("", None),
        ("Acme", None),
        ("Acme <>", None),
        ("a@acme.example, b@acme.example", None),
        ("A\r\nBcc: eve@example.com <sign-in@acme.example>", None),
        ("A \"B\" C <sign-in@acme.example>", None),
        ("A <b@c.example> <sign-in@acme.example>", None),
    ];
    for (text, want) in cases {
        let got = SmtpMailer::new(URL, text);
        let shown = got.as_ref().ok().map(|mailer| mailer.from.to_string());
        assert_eq!(shown.as_deref(), want, "{text}");
        if let Err(error) = got {
            assert_eq!(error.setting(), "from");
        }
    }
}

#[test]
fn a_setting_out_of_its_range_is_an_error() {
    let mailer = || SmtpMailer::new(URL, "sign-in@acme.example").unwrap();
    for secs in [1, 60] {
        assert!(mailer().timeout(Duration::from_secs(secs)).is_ok());
    }
    for millis in [0, 999, 60_001] {
        let error = mailer().timeout(Duration::from_millis(millis)).unwrap_err();
        assert_eq!(error.setting(), "timeout");
    }
    for (size, is_good) in [(0, false), (1, true), (100, true), (101, false)] {
        assert_eq!(mailer().pool_size(size).is_ok(), is_good, "{size}");
    }
    for pem in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        let error = mailer().root_certificate(pem).unwrap_err();
        assert_eq!(error.setting(), "root_certificate", "{pem}");
    }
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let tls = SmtpMailer::new("smtps://mail.example.com", "sign-in@acme.example").unwrap();
    assert!(tls.root_certificate(pem).is_err());
}

#[test]
fn plaintext_leads_to_this_machine_alone_unless_it_is_asked_for() {
    let from = "sign-in@acme.example";
    for url in ["smtp://mail.example.com", "smtp://ada:hunter2@10.0.0.1"] {
        let error = SmtpMailer::new(url, from).unwrap_err().to_string();
        assert!(
            error.contains("plaintext") && !error.contains("hunter2"),
            "{error}"
        );
        assert!(SmtpMailer::insecure_plaintext(url, from).is_ok());
    }
    assert!(SmtpMailer::new("smtp://ada:hunter2@localhost", from).is_ok());
}

#[test]
fn debug_shows_no_password_and_no_letter() {
    let mailer = SmtpMailer::new(
        "smtps://ada:hunter2@mail.example.com",
        "sign-in@acme.example",
    );
    let debug = format!("{:?}", mailer.unwrap());
    assert!(
        debug.contains("mail.example.com") && !debug.contains("hunter2"),
        "{debug}"
    );
    let letter = Letter::new("s3cret", "s3cret").with_html("s3cret");
    assert!(!format!("{letter:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_without_its_words() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("smtp://{}", free.local_addr().unwrap());
    drop(free);
    let to = "ada@example.com".parse().unwrap();
    let mail = Mail::new(&to, Timestamp::from_secs(0));
    let mailer = SmtpMailer::new(url, "sign-in@acme.example").unwrap();
    let error = mailer.send(&mail).await.unwrap_err();
    assert_eq!(
        error.reason(),
        "no connection to the mail server, or it was lost"
    );
    assert!(error.source().is_none() && error.status().is_none());
}
