//! The conversation about one mail, in three steps, and whose fault it is if one fails.
//!
//! - Before the recipient is named, nothing is its fault: the server refuses the sender, or has no
//!   room.
//! - From then on the reply's code says whether it is ([`MailError::is_of_recipient`]).
//! - An enhanced code (RFC 3463) may name the sender or the server all the same, or the server may
//!   give no answer. Either may be for this address alone, because a relay asks the recipient's
//!   server, or for every address.
//! - A reply that is not UTF-8 is taken for a refusal of the recipient. A page that told it as an
//!   outage would tell an unknown mailbox from others.
//! - The mail cannot have left before its text is on the way.

use std::error::Error as _;

use futures_util::FutureExt;
use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
    },
};

use super::failure::{MAIL_REFUSED, SENDER_REFUSED, UNREADABLE, told};
use crate::mailer::MailError;

/// Names the sender. Neither it nor the text has a character beyond ASCII, so it needs no options.
pub(super) async fn begin(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
) -> Result<(), MailError> {
    let mail = Mail::new(envelope.from().cloned(), Vec::new());
    let Err(error) = connection.command(mail).await else {
        return Ok(());
    };
    leave(connection);
    Err(told(SENDER_REFUSED, &error).of_server())
}

/// Names the recipient, and asks whether the text may follow.
pub(super) async fn name_recipient(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
) -> Result<(), MailError> {
    let named = async {
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            connection.command(recipient).await?;
        }
        connection.command(Data).await
    };
    let Err(error) = named.await else {
        return Ok(());
    };
    leave(connection);
    let refused = judged(&error);
    Err(match (refused.status(), refused.is_of_recipient()) {
        (None, false) => refused.in_doubt(),
        _ => refused,
    })
}

/// Hands the text over.
pub(super) async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    text: &[u8],
) -> Result<(), MailError> {
    let Err(error) = connection.message(text).await else {
        return Ok(());
    };
    leave(connection);
    let refused = judged(&error);
    Err(match refused.status() {
        Some(_) => refused,
        // Perhaps the server has taken it, and its answer was lost.
        None => refused.after_sending(),
    })
}

/// Says goodbye (RFC 5321, section 4.1.1.10). What the server says to that changes nothing, so
/// nobody waits for it.
pub(super) fn leave(connection: &mut AsyncSmtpConnection) {
    let _ = connection.quit().now_or_never();
}

/// Describes a failure behind a recipient's name.
fn judged(error: &Error) -> MailError {
    let refused = told(MAIL_REFUSED, error);
    match refused.status() {
        Some(_) if names_sender_or_server(error) => told(SENDER_REFUSED, error).in_doubt(),
        None if refused.reason() == UNREADABLE => refused.of_recipient(),
        _ => refused,
    }
}

/// Says whether a reply has an enhanced code by which the sender's address is bad, or the server is
/// in trouble (RFC 3463, sections 3.2 and 3.4). Postfix refuses a sender only when it has the
/// recipient.
///
/// - 3.1, 3.2 and 3.5: the server is full, closed or set up in a wrong way.
/// - 4.3.0, and a 4.3 that the RFC does not know, which counts as 4.3.0 (section 2): its trouble
///   has no name, and will pass. Postfix says so while its disk is full or its filter is dead.
/// - Not 5.3.0: a failure for good asks for another mail or another recipient (section 2), and
///   sendmail's programs say it of single mailboxes.
/// - Not 3.3 and 3.4: they are about what a mail needs. Every server of our own takes a few
///   kilobytes without an extension, so it is the recipient's server that does not.
fn names_sender_or_server(error: &Error) -> bool {
    let Some(reply) = error.source() else {
        return false;
    };
    let reply = reply.to_string();
    let code = reply.split_ascii_whitespace().next().unwrap_or_default();
    match code.split_once('.') {
        Some((_, "1.7" | "1.8" | "3.1" | "3.2" | "3.5")) => true,
        Some(("4", code)) => match code.strip_prefix("3.").map(str::parse::<u16>) {
            Some(Ok(detail)) => !matches!(detail, 3 | 4),
            _ => false,
        },
        _ => false,
    }
}
