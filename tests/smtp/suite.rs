//! The suite of the port, for `SmtpMailer` and a mail server in this process.

use base64::{Engine, engine::general_purpose::STANDARD};
use tower_magic_link::{
    mailer::SmtpMailer,
    testing::suite::{
        self,
        mailer::{Delivered, Failure, Trial},
    },
};

use crate::{
    postbox::SENDER,
    scripted::{Mood, Scripted},
};

struct Sent {
    mailer: SmtpMailer,
    server: Scripted,
}

impl Sent {
    async fn new() -> Self {
        let server = Scripted::start(Mood::Good).await;
        let url = format!("smtp://{}", server.address);
        let mailer = SmtpMailer::new(url, SENDER).unwrap();
        Self { mailer, server }
    }
}

impl Trial for Sent {
    type Mailer = SmtpMailer;

    fn mailer(&self) -> &SmtpMailer {
        &self.mailer
    }

    async fn delivered(&self, _: usize) -> Vec<Delivered> {
        // The server has a mail before it says that it has taken it.
        let heard = self.server.heard.lock().unwrap();
        heard.iter().flat_map(|lines| mails(lines)).collect()
    }

    async fn fail(&self, failure: Failure) -> bool {
        self.server.set(match failure {
            Failure::Begins => Mood::RefusesRecipient,
            Failure::Ends => Mood::Good,
        });
        true
    }
}

/// Reads the mails of a conversation.
fn mails(lines: &[String]) -> Vec<Delivered> {
    let mut mails = Vec::new();
    let mut recipients = Vec::new();
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        if line.starts_with("MAIL ") {
            recipients.clear();
        } else if let Some(to) = line.strip_prefix("RCPT TO:<") {
            recipients.push(to.split('>').next().unwrap().to_owned());
        } else if line == "DATA" {
            let mail = lines.by_ref().take_while(|line| *line != ".");
            let mail: Vec<_> = mail
                .map(|line| line.strip_prefix('.').unwrap_or(line))
                .collect();
            mails.push(Delivered::new(recipients.clone(), text(&mail.join("\n"))));
        }
    }
    mails
}

/// Returns the decoded parts of a mail, in turn.
fn text(mail: &str) -> String {
    let (head, body) = mail.split_once("\n\n").unwrap();
    let boundary = head.split("boundary=\"").nth(1);
    let boundary = boundary.and_then(|rest| rest.split('"').next());
    let boundary = format!("--{}", boundary.expect("a mail of parts"));
    let parts = body.split(&*boundary).skip(1);
    let parts = parts.filter_map(|part| part.split_once("\n\n"));
    let decoded = parts.map(|(head, body)| decoded(&head.to_ascii_lowercase(), body));
    decoded.collect::<Vec<_>>().join("\n")
}

fn decoded(head: &str, body: &str) -> String {
    if head.contains("base64") {
        let bytes = STANDARD.decode(body.replace('\n', "")).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let body = body.replace("=\n", "");
    let mut pieces = body.split('=');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_mailer_passes_the_suite_of_its_port() {
    let report = suite::mailer::run(async |_| Sent::new().await).await;
    report.assert();
    assert_eq!(report.skipped().count(), 0, "{report}");
}
