//! What the self-test of `SmtpMailer` says: a connection as for a mail, and what to do if there is
//! none.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{
    connections::Connections,
    failure::{LOST, NO_STARTTLS, REFUSED, TOO_LONG, UNREACHED, UNREADABLE, UNTRUSTED},
};
use crate::{check::Line, mailer::MailError};

/// Connects, encrypts, signs in and says goodbye, without a mail.
pub(super) async fn check(connections: &Connections, timeout: Duration) -> Line {
    let deadline = Instant::now() + timeout;
    let greeted = timeout_at(deadline, connections.greet(deadline)).await;
    let late = Err(MailError::because(TOO_LONG));
    match greeted.unwrap_or(late) {
        Ok(()) => Line::passed(connections.steps()),
        Err(error) => {
            let problem = match error.status() {
                // The reply's own text may repeat the user's name.
                Some(status) => format!("{} ({status})", error.reason()),
                None => error.reason().to_owned(),
            };
            Line::failed(connections.steps(), problem, cure(error.reason()))
        }
    }
}

fn cure(reason: &str) -> &'static str {
    match reason {
        LOST | UNREACHED => {
            "check the host and the port of the URL, and whether a firewall closes the port: many \
             clouds close 25"
        }
        NO_STARTTLS => "use smtps://, or the port for submission: 587",
        REFUSED => "check the user name and the password: in a URL they are percent-encoded",
        UNREADABLE => "read the reply in the mail server's own log",
        UNTRUSTED => {
            "check the host and that the scheme fits the port: smtps is 465, smtp+starttls 587. \
             Name an authority of your own by root_certificate"
        }
        _ => "check the host and the port of the URL",
    }
}
