//! What a failure at the mail server is called: a fixed reason, and the reply's code.
//!
//! - The reply's text is dropped, because it may repeat the address. lettre reads no reply that is
//!   not UTF-8, so that its code is lost too.
//! - TLS that breaks behind the handshake is a lost connection, and not a reply.

use std::io;

use lettre::transport::smtp::Error;

use crate::mailer::MailError;

pub(super) const HUNG_UP: &str = "the mail server hung up, or sent no valid reply";
pub(super) const LOST: &str = "no connection to the mail server, or it was lost";
pub(super) const MAIL_REFUSED: &str = "the mail server refused the mail";
pub(super) const NO_STARTTLS: &str = "the mail server offers no STARTTLS";
pub(super) const REFUSED: &str = "the mail server refused the sign-in";
pub(super) const SENDER_REFUSED: &str = "the mail server refused the sender, or has no room";
pub(super) const TOO_LONG: &str = "the mail server took too long";
pub(super) const UNREACHED: &str = "no connection to the mail server";
pub(super) const UNREADABLE: &str = "the mail server's reply is not UTF-8";
pub(super) const UNTRUSTED: &str = "the mail server's TLS or certificate is invalid";

/// Describes the failure of a step, which has a reason of its own if the server refused it.
pub(super) fn told(refused: &'static str, error: &Error) -> MailError {
    described(refused, LOST, error)
}

/// Describes the failure of a step that includes a TLS handshake.
pub(super) fn told_of_handshake(refused: &'static str, error: &Error) -> MailError {
    // A certificate that is not trusted, or was issued for another name.
    described(refused, UNTRUSTED, error)
}

/// Says whether the connection was lost, or is about to be: by a 421 the server closes it,
/// whatever the command was (RFC 5321, section 3.8).
pub(super) fn was_lost(error: &MailError) -> bool {
    error.status() == Some(421) || matches!(error.reason(), HUNG_UP | LOST)
}

fn described(refused: &'static str, broken_tls: &'static str, error: &Error) -> MailError {
    if let Some(status) = error.status() {
        return MailError::because(refused).with_status(u16::from(status));
    }
    let reason = match io_error(error) {
        Some(io) if is_not_utf_8(io) => UNREADABLE,
        Some(io) if io.kind() == io::ErrorKind::InvalidData => broken_tls,
        Some(_) => LOST,
        None if error.is_client() => refused,
        None => HUNG_UP,
    };
    MailError::because(reason)
}

fn io_error(error: &Error) -> Option<&io::Error> {
    let mut error: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = error {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io);
        }
        error = cause.source();
    }
    None
}

/// Tells a reply that is not UTF-8 from rustls's errors, which have the same kind.
///
/// `read_line` of futures-util has a text for it, and no type. rustls's texts never name UTF-8.
fn is_not_utf_8(error: &io::Error) -> bool {
    let told = error.to_string().to_ascii_lowercase();
    error.kind() == io::ErrorKind::InvalidData && told.contains("utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins: a fatal alert counted as a reply, and so as the recipient's refusal.
    #[test]
    fn text_that_is_not_utf_8_is_told_from_tls_that_broke() {
        let (kind, bad) = (io::ErrorKind::InvalidData, b"550 f\xfcr".to_vec());
        let std = io::read_to_string(&*bad).unwrap_err();
        let cases = [
            ("std", std, true),
            (
                "futures-util",
                io::Error::new(kind, "stream did not contain valid UTF-8"),
                true,
            ),
            (
                "an error of its own",
                io::Error::new(kind, String::from_utf8(bad).unwrap_err()),
                true,
            ),
            (
                "an alert",
                io::Error::new(kind, "received fatal alert: InternalError"),
                false,
            ),
            (
                "a record",
                io::Error::new(kind, "cannot decrypt peer's message"),
                false,
            ),
            ("another kind", io::Error::other("no UTF-8"), false),
            ("no text", kind.into(), false),
        ];
        for (name, error, want) in cases {
            assert_eq!(is_not_utf_8(&error), want, "{name}: {error}");
        }
    }
}
