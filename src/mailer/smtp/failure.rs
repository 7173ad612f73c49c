//! What a failure at the mail server is called: a fixed reason, and the reply's code.
//!
//! - The reply's text is dropped, because it may repeat the address. lettre reads no reply that is
//!   not UTF-8, so that its code is lost too.

use lettre::transport::smtp::Error;

use crate::mailer::MailError;

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
    described(refused, UNREADABLE, error)
}

/// Describes the failure of a step that includes a TLS handshake.
pub(super) fn told_of_handshake(refused: &'static str, error: &Error) -> MailError {
    // rustls's errors have the same kind as a reply that is not UTF-8: a certificate that is not
    // trusted, or was issued for another name.
    described(refused, UNTRUSTED, error)
}

fn described(refused: &'static str, invalid_data: &'static str, error: &Error) -> MailError {
    if let Some(status) = error.status() {
        return MailError::because(refused).with_status(u16::from(status));
    }
    let reason = match io_kind(error) {
        Some(std::io::ErrorKind::InvalidData) => invalid_data,
        Some(_) => LOST,
        None if error.is_client() => refused,
        None => "the mail server hung up, or sent no valid reply",
    };
    MailError::because(reason)
}

fn io_kind(error: &Error) -> Option<std::io::ErrorKind> {
    let mut error: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = error {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        error = cause.source();
    }
    None
}
