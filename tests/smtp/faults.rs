//! Whose fault it is that a mail was not accepted, by how far the conversation has come, and
//! whether the mail may have left.

use std::{
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    failure::{mailer, send},
    log,
    names::ADA,
    postfix::Postfix,
    scripted::{Mood, Scripted},
    support::World,
};

/// Pins: every timeout counted as a mail that may have left, so that a wait followed an outage.
#[tokio::test]
async fn a_mail_may_have_left_once_its_text_is_on_the_way_and_no_sooner() {
    let cut: &[u8] = b"";
    let cases = [
        (Mood::Hangs, false),
        (Mood::HangsAt("EHLO"), false),
        (Mood::HangsAt("MAIL"), false),
        (Mood::HangsAt("RCPT"), false),
        (Mood::HangsAt("DATA"), false),
        (Mood::HangsAt("."), true),
        (Mood::Nonsense, false),
        (Mood::Answers("MAIL", cut), false),
        (Mood::Answers("RCPT", cut), false),
        (Mood::Answers("DATA", cut), false),
        (Mood::Answers(".", cut), true),
        (Mood::Cuts, true),
    ];
    let errors = cases.map(|(mood, _)| {
        Box::pin(async move {
            let server = Scripted::start(mood).await;
            let mailer = mailer(&server, "").timeout(Duration::from_secs(1)).unwrap();
            send(&mailer, ADA).await.unwrap_err()
        })
    });
    for ((mood, want), error) in cases.iter().zip(join_all(errors).await) {
        assert_eq!(error.may_have_left(), *want, "{mood:?}: {error:?}");
    }
}

/// The mail that waits for one of two connections has not left either.
#[tokio::test]
async fn a_mail_that_waited_for_a_connection_in_vain_has_not_left() {
    let server = Scripted::start(Mood::HangsAt(".")).await;
    let mailer = mailer(&server, "").timeout(Duration::from_secs(1)).unwrap();
    let mailer = mailer.pool_size(2).unwrap();
    let mut sends = Box::pin(join_all((0..3).map(|_| send(&mailer, ADA))));
    // All of them have one deadline, so that the last one gets no connection at the others' end.
    tokio::time::pause();
    let begun = poll_fn(|cx| Poll::Ready(sends.as_mut().poll(cx).is_pending()));
    assert!(begun.await);
    tokio::time::resume();
    let sent = sends.await;
    let left: Vec<_> = sent
        .iter()
        .map(|sent| sent.as_ref().unwrap_err().may_have_left())
        .collect();
    assert_eq!(left, [true, true, false]);
}

/// Asks for mail to each address. Returns the statuses of the answers.
async fn ask(world: &World, emails: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for email in emails {
        let form = format!("email={email}");
        let answer = world.browser().post("/auth/login", &form).await;
        statuses.push(answer.status().as_u16());
    }
    statuses
}

/// `eve@elsewhere.example` gets no mail, and shows what the last mail has shown.
async fn world_with(server: &Scripted) -> World {
    let mailer = mailer(server, "").timeout(Duration::from_secs(1)).unwrap();
    World::with(|builder| {
        let builder = builder.mailer(mailer);
        builder.email_domains(["example.com", "example.org"])
    })
    .await
}

/// Pins: the number alone made such a reply the recipient's fault, and nobody was told.
#[tokio::test]
async fn a_server_that_refuses_our_sender_or_has_no_room_is_an_outage_for_everybody() {
    log::listen();
    let cases: [(&[u8], u16, bool); 5] = [
        (b"452 4.3.1 Insufficient system storage", 452, true),
        (
            b"450 4.7.1 Error: too much mail from sign-in@acme.example",
            450,
            true,
        ),
        (b"421 4.7.0 Try again later", 421, true),
        (
            b"553 5.1.8 Domain of sender address does not exist",
            553,
            false,
        ),
        (
            b"553 Sender address rejected: not owned by auth user",
            553,
            false,
        ),
    ];
    for (reply, status, is_given_back) in cases {
        let server = Scripted::start(Mood::Answers("MAIL", reply)).await;
        let world = world_with(&server).await;
        let told = ask(&world, &[ADA, "eve@elsewhere.example"]).await;
        assert_eq!(told, [502, 502], "{reply:?}");
        let heard = world.heard();
        assert!(
            heard.contains(&format!("status: Some({status})")),
            "{heard}"
        );
        let seen = heard + &log::logged();
        assert!(!seen.contains("acme.example") && !seen.contains(ADA));
        // A wait does not follow an outage that may be over at the next try.
        let again = ask(&world, &[ADA; 4]).await;
        let want = match is_given_back {
            true => [502; 4],
            false => [502, 502, 429, 429],
        };
        assert_eq!(again, want, "{reply:?}");
    }
}

/// Postfix refuses a sender only when it has the recipient (`smtpd_delay_reject`). The enhanced
/// code of the reply (RFC 3463) then says that it is not the recipient's fault.
#[tokio::test]
async fn a_reply_that_names_the_sender_or_the_server_is_not_the_recipients_fault() {
    let of_sender: [(&str, &[u8]); 10] = [
        ("RCPT", b"450 4.1.8 <a@b>: Sender address rejected"),
        ("RCPT", b"550 5.1.7 <a@b>: Sender address rejected"),
        ("RCPT", b"452 4.3.1 Insufficient system resources"),
        ("DATA", b"452 4.3.2 System not accepting messages"),
        ("DATA", b"451-4.3.5 Server configuration\r\n451 4.3.5 error"),
        (".", b"452 4.3.1 Insufficient system storage"),
        // Pins: Postfix says so while its disk is full or its filter is dead.
        (".", b"451 4.3.0 Error: queue file write error"),
        ("RCPT", b"451 4.3.0 <ada>: Temporary lookup failure"),
        // A detail that RFC 3463 does not know counts as 0.
        (".", b"451 4.3.9 out of order"),
        ("RCPT", b"550 5.3.2 System not accepting messages"),
    ];
    let of_recipient: [(&str, &[u8]); 10] = [
        ("RCPT", b"450 4.2.0 Greylisted"),
        ("RCPT", b"450 4.1.1 4.3.1 unverified address"),
        ("RCPT", b"550 5.1.1 no such user"),
        ("RCPT", b"550 no such user: 5.1.8"),
        ("RCPT", b"553 sorry"),
        (".", b"554 5.7.1 refused"),
        (".", b"554 5.3.0 unknown mailer error"),
        (".", b"452 4.3.4 message too big"),
        ("RCPT", b"450 4.3.3 no such feature"),
        ("RCPT", b"450 4.3. nonsense"),
    ];
    let cases = of_sender.iter().map(|case| (case, true));
    for ((at, reply), is_of_sender) in cases.chain(of_recipient.iter().map(|case| (case, false))) {
        let server = Scripted::start(Mood::Answers(at, reply)).await;
        let world = world_with(&server).await;
        // What may be one address's fault is everybody's once a second domain has met it.
        let emails = [
            ADA,
            "eve@elsewhere.example",
            "ada@example.org",
            "eve@elsewhere.example",
        ];
        let want = match is_of_sender {
            true => [502, 303, 502, 502],
            false => [303; 4],
        };
        assert_eq!(ask(&world, &emails).await, want, "{at} {reply:?}");
    }
}

/// Pins: the events of both were the same, so that one unknown mailbox looked like an outage.
#[tokio::test]
async fn the_event_tells_a_recipient_that_is_refused_from_a_sender_that_is() {
    log::listen();
    let of_sender = "the mail server refused the sender, or has no room";
    let cases = [
        (
            Mood::RefusesRecipient,
            true,
            "the mail server refused the mail",
        ),
        (
            Mood::Answers("MAIL", b"550 5.7.1 Sender address rejected"),
            false,
            of_sender,
        ),
        (
            Mood::Answers("RCPT", b"550 5.1.7 <a@b>: Sender address rejected"),
            false,
            of_sender,
        ),
    ];
    for (mood, is_of_recipient, reason) in cases {
        let server = Scripted::start(mood).await;
        let world = world_with(&server).await;
        ask(&world, &[ADA]).await;
        let heard = world.heard();
        let fields =
            format!("is_of_recipient: {is_of_recipient}, reason: \"{reason}\", status: Some(550)");
        assert!(heard.contains(&fields), "{mood:?}: {heard}");
        let field = format!("is_of_recipient={is_of_recipient} ");
        let logged = log::logged();
        let mut lines = logged.lines().filter(|line| line.contains(reason));
        assert!(
            lines.any(|line| line.contains(&field)),
            "{mood:?}: {logged}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Postfix; run by tests/run"]
async fn a_sender_that_postfix_refuses_behind_the_recipient_is_not_the_recipients_fault() {
    let postfix = Postfix::start().await;
    let mailer = postfix.mailer_from("unknown@acme.example");
    let error = send(&mailer, ADA).await.unwrap_err();
    assert_eq!(error.status(), Some(450));
    assert!(!error.is_of_recipient() && !error.may_have_left());
    send(&postfix.mailer(), ADA).await.unwrap();
}

/// A caller can choose an address for which the server takes its time, or hangs up.
#[tokio::test]
async fn a_server_without_an_answer_to_one_recipient_is_no_outage_and_is_not_given_back() {
    let moods = [
        Mood::HangsAt("RCPT"),
        Mood::HangsAt("DATA"),
        Mood::Answers("RCPT", b""),
    ];
    let told = moods.map(|mood| {
        Box::pin(async move {
            let server = Scripted::start(mood).await;
            let world = world_with(&server).await;
            ask(&world, &[ADA, "eve@elsewhere.example", ADA, ADA, ADA]).await
        })
    });
    for (mood, told) in moods.iter().zip(join_all(told).await) {
        assert_eq!(told, [502, 303, 502, 502, 429], "{mood:?}");
    }
}

/// Pins: a 4xx that says no whose fault it is was everybody's and given back. A caller could choose
/// such addresses without end.
#[tokio::test]
async fn a_4xx_of_one_recipient_that_names_no_fault_is_no_outage_and_is_not_given_back() {
    let cases: [(&str, &[u8]); 3] = [
        (
            "RCPT",
            b"454 4.7.1 <eve@other.example>: Relay access denied",
        ),
        ("DATA", b"454 4.7.1 Relay access denied"),
        (".", b"455 parameters not implemented"),
    ];
    for (at, reply) in cases {
        let server = Scripted::start(Mood::Answers(at, reply)).await;
        let world = world_with(&server).await;
        let told = ask(&world, &[ADA, "eve@elsewhere.example", ADA, ADA, ADA]).await;
        assert_eq!(told, [502, 303, 502, 502, 429], "{at} {reply:?}");
    }
    // Before a recipient is named it is everybody's, and so is a server that closes.
    let of_everybody: [(&str, &[u8]); 2] = [
        ("MAIL", b"454 4.7.0 Temporary authentication failure"),
        ("RCPT", b"421 4.7.0 Try again later"),
    ];
    for (at, reply) in of_everybody {
        let server = Scripted::start(Mood::Answers(at, reply)).await;
        let world = world_with(&server).await;
        let told = ask(&world, &[ADA, "eve@elsewhere.example", ADA, ADA, ADA]).await;
        assert_eq!(told, [502; 5], "{at} {reply:?}");
    }
}

/// Pins: one byte that is not UTF-8 lost the reply's code. The log named the certificate, and the
/// page told this address from others.
#[tokio::test]
async fn a_reply_that_is_not_utf_8_looks_like_a_mail_that_was_sent_and_counts() {
    log::listen();
    let unknown: &[u8] = b"550 5.1.1 Empf\xe4nger ada@example.com unbekannt";
    for at in ["RCPT", "DATA", "."] {
        let server = Scripted::start(Mood::Answers(at, unknown)).await;
        let world = world_with(&server).await;
        let told = ask(&world, &[ADA, "eve@elsewhere.example", ADA, ADA, ADA]).await;
        assert_eq!(told, [303, 303, 303, 303, 429], "{at}");
        let heard = world.heard();
        let reason = "reason: \"the mail server's reply is not UTF-8\"";
        assert!(heard.contains(reason), "{at}: {heard}");
        let seen = heard + &log::logged();
        assert!(!seen.contains(ADA) && !seen.contains("unbekannt"), "{seen}");
    }
    // Before a recipient is named it is everybody's.
    let no_room: &[u8] = b"452 4.3.1 Kein Platz f\xfcr Mail";
    for at in ["EHLO", "MAIL"] {
        let server = Scripted::start(Mood::Answers(at, no_room)).await;
        let world = world_with(&server).await;
        let told = ask(&world, &[ADA, "eve@elsewhere.example"]).await;
        assert_eq!(told, [502, 502], "{at}");
        let heard = world.heard();
        assert!(heard.contains("is not UTF-8"), "{at}: {heard}");
    }
}
