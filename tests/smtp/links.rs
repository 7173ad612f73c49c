//! Whether mail programs find the mailed link whole: three parsers of MIME, each of another
//! language and with a linkifier of that language, read mails as servers on the way write them
//! anew.
//!
//! - Python's `email`, `formatflowed` and `linkify-it-py`; Node's `postal-mime` and `linkify-it`;
//!   Rust's `mail-parser` and `linkify`.
//! - Whole means byte for byte, and alone: the linkifier finds one link in the text. The layer's
//!   tolerance of changed links is not needed.
//! - None of these linkifiers leaves a `-` or `_` at the end out. Thunderbird's leaves out the one,
//!   GitHub's the other, so that the end of each link is asserted by itself.
//! - A line break in the middle of a link, without an encoding that takes it out again, ends the
//!   link for every linkifier. What a person gets then is measured too.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use linkify::{LinkFinder, LinkKind};
use mail_parser::{MessageParser, MimeHeaders};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, RejectionKind, SigningKey, mailer::SmtpMailer, testing::StubProvider,
};

use crate::{
    anew::{BROKEN, WAYS, Way, anew, pieces},
    names::{ADA, ORIGIN},
    postbox::SENDER,
    scripted::{Mood, Scripted},
    support::{Answer, Browser, app_of},
};

/// Mails of the layer, as they went over the wire, and who asked for them.
#[derive(Default)]
struct Mailed {
    browsers: Vec<Browser>,
    mails: Vec<String>,
    links: Vec<String>,
}

/// How many browsers ask for links at once. Each waits for the acknowledgements of its connection.
const BROWSERS: usize = 20;

impl Mailed {
    /// Asks for so many links, a multiple of [`BROWSERS`], in the name of an application.
    async fn new(count: usize, application: &str) -> Self {
        let one = async |_| Self::to_one(count / BROWSERS, application).await;
        let mut all = Self::default();
        for one in join_all((0..BROWSERS).map(one)).await {
            all.browsers.extend(one.browsers);
            all.mails.extend(one.mails);
            all.links.extend(one.links);
        }
        assert_eq!(all.links.len(), count);
        all
    }

    async fn to_one(count: usize, application: &str) -> Self {
        let server = Scripted::start(Mood::Good).await;
        let mailer = SmtpMailer::new(format!("smtp://{}", server.address), SENDER).unwrap();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
            .public_url(ORIGIN)
            .mailer(mailer)
            .application_name(application)
            .insecure_no_throttle()
            .insecure_answer_when_sent()
            .build()
            .unwrap();
        let mut browser = Browser::new(app_of(&layer), ORIGIN);
        browser.get("/auth/login").await;
        let mut one = Self::default();
        for number in 0..count {
            // Ways back of every length modulo three, on which the last character depends.
            let way_back = "x".repeat(number % 7);
            let form = format!("/auth/login?return_to=/{way_back}");
            let posted = browser.post(&form, &format!("email={ADA}")).await;
            assert_eq!(posted.status(), 303);
            let taken = server.taken.lock().unwrap().pop().expect("a mail");
            one.links.push(taken.link());
            one.mails.push(taken.raw);
            server.heard.lock().unwrap().iter_mut().for_each(Vec::clear);
        }
        one.browsers.push(browser);
        one
    }

    /// Returns the mails with their text written anew.
    fn anew(&self, way: Way, width: usize) -> Vec<String> {
        self.mails
            .iter()
            .map(|mail| anew(mail, way, width))
            .collect()
    }

    /// Asserts that each parser finds the link of each mail, whole and alone.
    fn assert_found(&self, name: &str, mails: &[String]) {
        for (parser, links_of) in PARSERS {
            let found = links_of(mails);
            assert_eq!(found.len(), self.links.len(), "{name}: {parser}");
            let pairs = found.iter().zip(&self.links);
            let wrong: Vec<_> = pairs
                .filter(|(found, link)| *found != &[&***link])
                .collect();
            let (wrong, all) = (&wrong[..wrong.len().min(3)], wrong.len());
            println!("{name}: {parser}: {all} of {} not whole", mails.len());
            assert!(
                wrong.is_empty(),
                "{name}: {parser}: {all}, such as {wrong:#?}"
            );
        }
    }

    /// Opens what was made of a link in the browser that asked for it.
    async fn open(&mut self, number: usize, link: &str) -> Answer {
        let browser = number * self.browsers.len() / self.links.len();
        let path = link.strip_prefix(ORIGIN).unwrap();
        self.browsers[browser].get(path).await
    }

    async fn assert_open(&mut self) {
        for (number, link) in self.links.clone().iter().enumerate() {
            assert_eq!(self.open(number, link).await.status(), 303, "{link}");
        }
    }
}

/// Returns the links in the text of each mail.
type Parser = fn(&[String]) -> Vec<Vec<String>>;

const PARSERS: [(&str, Parser); 3] = [("Python", by_python), ("Node", by_node), ("Rust", by_rust)];

fn by_python(mails: &[String]) -> Vec<Vec<String>> {
    let python = env::var_os("TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/links.py");
    by_program(Command::new(python).arg(script), mails)
}

fn by_node(mails: &[String]) -> Vec<Vec<String>> {
    let modules = env::var_os("TEST_NODE");
    let modules =
        modules.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/target/node").into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/links.mjs");
    by_program(Command::new("node").arg(script).arg(modules), mails)
}

/// Has one process read all mails, a line of JSON each.
fn by_program(command: &mut Command, mails: &[String]) -> Vec<Vec<String>> {
    static READ: AtomicUsize = AtomicUsize::new(0);
    let count = READ.fetch_add(1, Ordering::Relaxed);
    let file = format!("tower-magic-link-mails-{}-{count}", std::process::id());
    let file = env::temp_dir().join(file);
    let lines = mails
        .iter()
        .map(|mail| serde_json::to_string(mail).unwrap() + "\n");
    fs::write(&file, lines.collect::<String>()).unwrap();
    let said = command.stdin(File::open(&file).unwrap()).output().unwrap();
    fs::remove_file(&file).unwrap();
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{command:?}: {errors}");
    let lines = std::str::from_utf8(&said.stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn by_rust(mails: &[String]) -> Vec<Vec<String>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let links_of = |mail: &String| {
        let mail = MessageParser::default().parse(mail.as_bytes()).unwrap();
        let kind = mail
            .text_part(0)
            .and_then(|part| part.content_type())
            .unwrap();
        let mut text = mail.body_text(0).unwrap().into_owned();
        if kind.attribute("format") == Some("flowed") {
            text = unflowed(&text, kind.attribute("delsp") == Some("yes"));
        }
        let links = finder.links(&text);
        links.map(|link| link.as_str().to_owned()).collect()
    };
    mails.iter().map(links_of).collect()
}

/// Reads format=flowed, which `mail-parser` leaves to its user (RFC 3676, section 4.4).
fn unflowed(text: &str, deletes_space: bool) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line.strip_suffix(' ') {
            Some(start) if deletes_space => whole.push_str(start),
            Some(_) => whole.push_str(line),
            None => whole.extend([line, "\n"]),
        }
    }
    whole
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python and Node with packages; run by tests/run"]
async fn ten_thousand_mailed_links_are_found_whole_by_three_mail_parsers() {
    let mut mailed = Mailed::new(10_000, "Acme").await;
    mailed.assert_found("as sent", &mailed.mails);
    let links: BTreeSet<_> = mailed.links.iter().collect();
    assert_eq!(links.len(), 10_000);
    for link in links {
        let end = link.chars().last().unwrap();
        assert!(end.is_ascii_alphanumeric(), "{link}");
    }
    mailed.assert_open().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python and Node with packages; run by tests/run"]
async fn a_link_in_a_mail_that_was_written_anew_is_found_whole_by_three_mail_parsers() {
    let mut mailed = Mailed::new(300, "Acme").await;
    for (name, way, widths) in WAYS {
        for width in widths {
            let mails = mailed.anew(way, *width);
            mailed.assert_found(&format!("{name} at {width}"), &mails);
        }
    }
    mailed.assert_open().await;
    // The mailer itself encodes a text that is not of ASCII.
    let mut mailed = Mailed::new(300, "Acme & Söhne").await;
    assert!(mailed.mails.iter().all(|mail| mail.contains("open?t=3D")));
    mailed.assert_found("as sent in quoted-printable", &mailed.mails);
    mailed.assert_open().await;
}

/// No linkifier can know that such a link goes on. Each finds its first line alone, which leads to
/// a page that says that the link was cut. All its lines, pasted, open by the layer's tolerance.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python and Node with packages; run by tests/run"]
async fn a_link_that_was_broken_without_an_encoding_leads_to_the_page_of_a_cut_link() {
    let mut mailed = Mailed::new(300, "Acme").await;
    for width in [60, 72, 76, 78] {
        let mails = mailed.anew(BROKEN, width);
        for (parser, links_of) in PARSERS {
            let found = links_of(&mails);
            assert_eq!(found.len(), mails.len(), "{width}: {parser}");
            for (number, found) in found.iter().enumerate() {
                let [start] = &found[..] else {
                    panic!("{width}: {parser}: {found:?}");
                };
                assert_eq!(*start, mailed.links[number][..width], "{width}: {parser}");
                let page = mailed.open(number, start).await;
                let (status, page) = (page.status(), page.text());
                assert_eq!(status, 400, "{start}: {page}");
                assert!(page.contains(RejectionKind::Malformed.heading()), "{page}");
                assert!(!page.contains("<form"), "no empty form: {page}");
            }
        }
        for (number, link) in mailed.links.clone().iter().enumerate() {
            let pasted = pieces(link, width).join("%0D%0A");
            assert_eq!(mailed.open(number, &pasted).await.status(), 303, "{pasted}");
        }
    }
}
