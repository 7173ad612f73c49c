//! An address is one mailbox to every mail system: the recipient in the envelope and in `To` is
//! `Email::as_str`, byte for byte, at aiosmtpd and behind Postfix; and so is the session's.
//!
//! - Postfix obeys a route in a local part (`%`, `!`) where the domain is its own, and hands it on
//!   elsewhere.
//! - aiosmtpd reads the envelope with Python's parser of header fields, which decodes words of RFC
//!   2047.

use std::{collections::BTreeSet, time::Duration};

use tower_magic_link::{
    Email,
    clock::Timestamp,
    mailer::{Mail, Mailer, SmtpMailer},
    provider::Link,
};

use crate::{
    delivery::open,
    names::ORIGIN,
    postbox::Postbox,
    postfix::Postfix,
    shapes::{self, DOMAINS},
    support::World,
};

/// The addresses that are taken, each once, and how many texts were refused.
struct Sorted {
    taken: Vec<Email>,
    refused: usize,
}

impl Sorted {
    fn new(texts: Vec<String>) -> Self {
        let texts: BTreeSet<_> = texts.into_iter().collect();
        let parsed = texts.iter().filter_map(|text| Email::parse(text).ok());
        let taken: Vec<_> = parsed.collect();
        let refused = texts.len() - taken.len();
        let mut seen = BTreeSet::new();
        Self {
            taken: taken
                .into_iter()
                .filter(|email| seen.insert(email.as_str().to_owned()))
                .collect(),
            refused,
        }
    }

    /// Prints how many there are of each, and holds them against the fewest that make a test.
    fn assert(&self, what: &str, taken: usize, refused: usize) {
        println!(
            "{what}: {} taken, {} refused",
            self.taken.len(),
            self.refused
        );
        assert!(self.taken.len() >= taken, "{what}: {}", self.taken.len());
        assert!(self.refused >= refused, "{what}: {}", self.refused);
    }
}

/// A mail where it arrived.
struct Arrived {
    /// Its number stands in the subject: no address is needed to know it.
    number: Option<usize>,
    recipients: Vec<String>,
    to: String,
}

impl Arrived {
    fn new(subject: &str, recipients: Vec<String>, to: &str) -> Self {
        let number = subject.strip_prefix("Sign in to ");
        Self {
            number: number.and_then(|number| number.parse().ok()),
            recipients,
            to: to.to_owned(),
        }
    }
}

/// How many mails are under way at once. What aiosmtpd prints of them must fit into its pipe.
const BATCH: usize = 8;

/// Sends a mail to each address of a batch at once. Returns what was refused, in words.
async fn send_all(mailer: &SmtpMailer, batch: &[(usize, &Email)]) -> Vec<String> {
    let sent = batch.iter().map(|(number, to)| send(mailer, to, *number));
    let sent = futures_util::future::join_all(sent).await;
    sent.into_iter().filter_map(Result::err).collect()
}

async fn send(mailer: &SmtpMailer, to: &Email, number: usize) -> Result<(), String> {
    let link = Link::new(format!("{ORIGIN}/auth/open?t=token"));
    let number = number.to_string();
    let mail = Mail::new(to, Timestamp::from_secs(1_767_225_600))
        .with_link(&link, Duration::from_secs(900))
        .with_application(&*number);
    let sent = mailer.send(&mail).await;
    sent.map_err(|error| format!("{}: {error:?}", to.as_str()))
}

/// Returns, in words, each mail that arrived elsewhere than at its address, and each that did not.
fn misread(emails: &[Email], arrived: &[Arrived]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut missing: BTreeSet<_> = (0..emails.len()).collect();
    for Arrived {
        number,
        recipients,
        to,
    } in arrived
    {
        let is_due = number.is_some_and(|number| missing.remove(&number));
        let want = number.and_then(|number| emails.get(number));
        let want = want.map_or("another mail", Email::as_str);
        if !is_due || *recipients != [want] || to != want {
            wrong.push(format!("{want}: reached {recipients:?}, To {to}"));
        }
    }
    let missing = missing.into_iter().map(|number| &emails[number]);
    wrong.extend(missing.map(|email| format!("{}: reached nobody", email.as_str())));
    wrong
}

async fn misread_by_postfix(emails: &[Email]) -> Vec<String> {
    let postfix = Postfix::start().await;
    let mailer = postfix.mailer();
    let mut refused = Vec::new();
    for batch in emails.iter().enumerate().collect::<Vec<_>>().chunks(BATCH) {
        refused.extend(send_all(&mailer, batch).await);
    }
    let mails = postfix.handed_on(emails.len() - refused.len()).await;
    let arrived = mails.iter().map(|mail| {
        let recipients = mail.recipients.clone();
        Arrived::new(mail.field("Subject"), recipients, mail.field("To"))
    });
    let mut wrong = misread(emails, &arrived.collect::<Vec<_>>());
    wrong.extend(refused);
    wrong
}

async fn misread_by_aiosmtpd(emails: &[Email]) -> Vec<String> {
    let mut postbox = Postbox::start("none", "localhost", None);
    let mailer = postbox.mailer("smtp", "");
    let (mut refused, mut arrived) = (Vec::new(), Vec::new());
    for batch in emails.iter().enumerate().collect::<Vec<_>>().chunks(BATCH) {
        let failed = send_all(&mailer, batch).await;
        for _ in failed.len()..batch.len() {
            let got = postbox.mail();
            let recipients = serde_json::from_value(got.said("recipients").clone()).unwrap();
            let to = got.fields("to").join(" and ");
            arrived.push(Arrived::new(got.fields("subject")[0], recipients, &to));
        }
        refused.extend(failed);
    }
    let mut wrong = misread(emails, &arrived);
    wrong.extend(refused);
    wrong
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postfix; run by tests/run"]
async fn every_address_that_is_taken_reaches_its_own_mailbox_behind_postfix() {
    let sorted = Sorted::new(shapes::all());
    assert_eq!(misread_by_postfix(&sorted.taken).await, [""; 0]);
    sorted.assert("to Postfix", 4 * 80, 4 * 120);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs aiosmtpd; run by tests/run"]
async fn every_address_that_is_taken_reaches_its_own_mailbox_at_aiosmtpd() {
    let sorted = Sorted::new(shapes::all());
    assert_eq!(misread_by_aiosmtpd(&sorted.taken).await, [""; 0]);
    sorted.assert("to aiosmtpd", 4 * 80, 4 * 120);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs CORPORA, Postfix and aiosmtpd; run by tests/run"]
async fn corpora_every_address_that_is_taken_reaches_its_own_mailbox() {
    let sorted = Sorted::new(shapes::corpora());
    assert_eq!(misread_by_postfix(&sorted.taken).await, [""; 0]);
    assert_eq!(misread_by_aiosmtpd(&sorted.taken).await, [""; 0]);
    sorted.assert("of the corpora", 4 * 100, 4 * 100);
}

/// From the form to the page: whoever reads the mail is who is signed in, or there is no mail.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Postfix; run by tests/run"]
async fn a_person_is_signed_in_as_the_mailbox_that_the_mail_reached() {
    let postfix = Postfix::start().await;
    let mailer = postfix.mailer();
    let configure = |builder: tower_magic_link::Builder| {
        let builder = builder.mailer(mailer).insecure_no_throttle();
        builder.email_domains(DOMAINS)
    };
    let world = World::with(configure).await;
    let cases = [
        ("ada@corp.example", true),
        ("Ada.Lovelace@Corp.Example", true),
        ("o'brien+news@relayed.example", true),
        ("jernej|s-wget@virtual.example", true),
        ("${x}/b@elsewhere.example", true),
        ("attacker%evil.example@corp.example", false),
        ("evil.example!attacker@corp.example", false),
        ("=?utf-8?q?ceo?=@corp.example", false),
    ];
    let mut count = 0;
    for (typed, is_taken) in cases {
        let mut browser = world.browser();
        let answer = browser.ask_for_link(typed, "/").await;
        assert_eq!(answer.status() == 200, is_taken, "{typed}");
        if !is_taken {
            continue;
        }
        count += 1;
        let mails = postfix.handed_on(count).await;
        let mail = &mails[count - 1];
        assert_eq!(open(&mut browser, &mail.link()).await, "/", "{typed}");
        let page = browser.get("/").await.text();
        assert_eq!(page, format!("/ for {}", mail.recipients[0]), "{typed}");
        assert_eq!(mail.recipients.len(), 1, "{typed}");
    }
    assert_eq!(postfix.handed_on(count).await.len(), count);
}
