//! A real Postfix, and what it hands on.

use std::process::{Command, Stdio};

use tower_magic_link::mailer::SmtpMailer;

use crate::{
    postbox::SENDER,
    program::Program,
    redis::{free_port, until},
    scripted::{Mood, Scripted},
    taken::Taken,
};

/// A Postfix at its defaults, which refuses the sender `unknown@acme.example`. It is ended
/// when it is dropped.
pub(crate) struct Postfix {
    program: Program,
    address: String,
    /// Gets what it hands on. Not aiosmtpd, which decodes what it is told: it is no witness.
    next: Scripted,
}

impl Postfix {
    pub(crate) async fn start() -> Self {
        let next = Scripted::start(Mood::Good).await;
        let (port, _held) = free_port();
        let mut command = Command::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/smtp/postfix.sh"
        ));
        command
            .args([&port.to_string(), next.address.rsplit(':').next().unwrap()])
            .stdin(Stdio::piped());
        let mut program = Program::start(&mut command);
        let address = program.says("listening on ");
        Self {
            program,
            address,
            next,
        }
    }

    pub(crate) fn mailer(&self) -> SmtpMailer {
        self.mailer_from(SENDER)
    }

    pub(crate) fn mailer_from(&self, sender: &str) -> SmtpMailer {
        SmtpMailer::new(format!("smtp://{}", self.address), sender).unwrap()
    }

    /// Returns all mails that it has handed on, once there are so many.
    pub(crate) async fn handed_on(&self, count: usize) -> Vec<Taken> {
        let is_all = async || self.next.taken.lock().unwrap().len() >= count;
        until("Postfix hands on the mails", is_all).await;
        self.next.taken.lock().unwrap().clone()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // It ends with its input, and leaves nothing behind.
        drop(self.program.child.stdin.take());
        let _ = self.program.child.wait();
    }
}
