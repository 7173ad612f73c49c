//! The suite of the port, for `SmtpMailer` and a mail server in this process.

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
    taken::Taken,
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
        let taken = self.server.taken.lock().unwrap();
        let delivered = |mail: &Taken| Delivered::new(mail.recipients.clone(), mail.text());
        taken.iter().map(delivered).collect()
    }

    async fn fail(&self, failure: Failure) -> bool {
        self.server.set(match failure {
            Failure::Begins => Mood::RefusesRecipient,
            Failure::Ends => Mood::Good,
        });
        true
    }
}

#[tokio::test]
async fn the_mailer_passes_the_suite_of_its_port() {
    let report = suite::mailer::run(async |_| Sent::new().await).await;
    report.assert();
    assert_eq!(report.skipped().count(), 0, "{report}");
}
