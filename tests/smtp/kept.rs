//! Connections that are kept, and that the mail server does not want to be kept.

use tower_magic_link::mailer::SmtpMailer;

use crate::{
    failure::{mailer, send},
    names::ADA,
    scripted::{Mood, Scripted},
};

const TOO_MANY: &[u8] = b"452 4.5.3 Too many messages sent";

/// Starts a good server, and has it take one mail.
async fn served() -> (Scripted, SmtpMailer) {
    let server = Scripted::start(Mood::Good).await;
    let mailer = mailer(&server, "");
    send(&mailer, ADA).await.unwrap();
    (server, mailer)
}

/// Pins: each mail behind the last one that a server takes over one connection was lost.
#[tokio::test]
async fn a_mail_goes_out_anew_if_the_server_takes_no_more_over_a_kept_connection() {
    let cases: [(&str, &[u8]); 7] = [
        ("MAIL", TOO_MANY),
        ("MAIL", b"421 too many messages in this connection"),
        ("MAIL", b"503 5.5.1 sorry"),
        ("MAIL", b""),
        ("RCPT", b""),
        ("RCPT", b"421 4.4.2 closing"),
        ("DATA", b""),
    ];
    for (at, reply) in cases {
        let server = Scripted::start(Mood::AnswersThird(at, reply)).await;
        let mailer = mailer(&server, "");
        for _ in 0..4 {
            let sent = send(&mailer, ADA).await;
            assert!(sent.is_ok(), "{at} {reply:?}: {sent:?}");
        }
        assert_eq!(server.taken.lock().unwrap().len(), 4, "{at} {reply:?}");
        let connections = server.heard.lock().unwrap().len();
        assert_eq!(connections, 2, "{at} {reply:?}");
    }
}

#[tokio::test]
async fn a_mail_that_a_new_connection_refuses_too_fails_once() {
    let cases: [(&[u8], Option<u16>); 2] = [(TOO_MANY, Some(452)), (b"", None)];
    for (reply, status) in cases {
        let (server, mailer) = served().await;
        server.set(Mood::Answers("MAIL", reply));
        let error = send(&mailer, ADA).await.unwrap_err();
        assert_eq!(error.status(), status, "{reply:?}");
        assert!(!error.is_of_recipient() && !error.may_have_left());
        assert_eq!(server.heard.lock().unwrap().len(), 2, "{reply:?}");
        assert_eq!(server.count("MAIL"), 3, "{reply:?}");
    }
}

/// Such an answer is about the recipient, whatever the connection.
#[tokio::test]
async fn a_recipient_that_is_refused_over_a_kept_connection_is_not_tried_anew() {
    let (server, mailer) = served().await;
    server.set(Mood::RefusesRecipient);
    let error = send(&mailer, ADA).await.unwrap_err();
    assert!(error.is_of_recipient());
    assert_eq!(server.heard.lock().unwrap().len(), 1, "connections");
}

/// The server may have taken it.
#[tokio::test]
async fn a_mail_whose_text_is_on_the_way_is_not_tried_anew() {
    let (server, mailer) = served().await;
    server.set(Mood::Cuts);
    let error = send(&mailer, ADA).await.unwrap_err();
    assert!(error.may_have_left());
    assert_eq!(server.heard.lock().unwrap().len(), 1, "connections");
}
