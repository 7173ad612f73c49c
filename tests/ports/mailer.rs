//! Mailers.

use std::{
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tower_magic_link::{
    clock::Timestamp,
    mailer::{ConsoleMailer, Mail, MailError, Mailer},
    provider::{Link, OneTimeCode},
    testing::suite::{
        self,
        mailer::{Delivered, Failure, Trial},
    },
};

use crate::{assert_fails, assert_holds};

const PAGE: &str = include_str!("../../src/testing/suite/mailer/mod.rs");

/// What is wrong with a mailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    CopiesToItself,
    /// It says that a mail was taken that was not.
    DropsInSilence,
    ForgetsTheCode,
    LogsLinks,
    /// It sends what it was given last to all that wait.
    MixesUp,
    None,
    /// After the first failure it sends nothing more.
    StaysBroken,
    /// It waits for mails that were dropped.
    StopsWhenDropped,
    TracksLinks,
}

/// A mailer that keeps its mails.
struct Faulty {
    fault: Fault,
    is_failing: AtomicBool,
    is_broken: AtomicBool,
    last: Mutex<String>,
    sent: Mutex<Vec<Delivered>>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            is_failing: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            last: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    fn text(&self, mail: &Mail<'_>) -> String {
        let mut text = String::new();
        if let Some(link) = mail.link() {
            let tracker = match self.fault {
                Fault::TracksLinks => "https://tracker.example/?to=",
                _ => "",
            };
            text = format!("{text}Open\n{tracker}{}\n", link.expose());
        }
        if let Some(code) = mail.code().filter(|_| self.fault != Fault::ForgetsTheCode) {
            text = format!("{text}Type {}.\n", code.expose());
        }
        text
    }
}

impl Mailer for Faulty {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        if self.fault == Fault::LogsLinks {
            tracing::debug!(link = mail.link().map(Link::expose), "sending");
        }
        if self.fault == Fault::StopsWhenDropped && self.is_broken.swap(true, Ordering::SeqCst) {
            return Err(MailError::because("a mail is under way"));
        }
        *self.last.lock().unwrap() = self.text(mail);
        tokio::task::yield_now().await;
        let text = match self.fault {
            Fault::MixesUp => self.last.lock().unwrap().clone(),
            Fault::StopsWhenDropped => {
                self.is_broken.store(false, Ordering::SeqCst);
                self.text(mail)
            }
            _ => self.text(mail),
        };
        let is_failing = self.is_failing.load(Ordering::SeqCst);
        if self.fault == Fault::StaysBroken && (is_failing || self.is_broken.load(Ordering::SeqCst))
        {
            self.is_broken.store(true, Ordering::SeqCst);
            return Err(MailError::because("broken"));
        }
        match (is_failing, self.fault) {
            (true, Fault::DropsInSilence) => return Ok(()),
            (true, _) => return Err(MailError::because("the service refused the mail")),
            (false, _) => {}
        }
        let mut recipients = vec![mail.to().as_str()];
        if self.fault == Fault::CopiesToItself {
            recipients.push("archive@example.com");
        }
        let delivered = Delivered::new(recipients, text);
        self.sent.lock().unwrap().push(delivered);
        Ok(())
    }
}

impl Trial for Faulty {
    type Mailer = Self;

    fn mailer(&self) -> &Self {
        self
    }

    async fn delivered(&self, _: usize) -> Vec<Delivered> {
        self.sent.lock().unwrap().clone()
    }

    async fn fail(&self, failure: Failure) -> bool {
        let is_failing = failure == Failure::Begins;
        self.is_failing.store(is_failing, Ordering::SeqCst);
        true
    }
}

#[tokio::test]
async fn a_mailer_that_is_broken_fails_the_cases_of_what_is_broken_and_no_others() {
    let cases: [(Fault, &[&str]); 9] = [
        (Fault::None, &[]),
        (
            Fault::CopiesToItself,
            &[
                "a mail reaches its recipient and nobody else",
                "mails that are sent at once each reach their own recipient",
                "a mail that is dropped half-way does not keep the next one",
                "after a failure the next mail is taken",
            ],
        ),
        (
            Fault::DropsInSilence,
            &["a mail that is not taken is an error"],
        ),
        (
            Fault::ForgetsTheCode,
            &[
                "mails that are sent at once each reach their own recipient",
                "a mail holds its code",
                "a mail holds its link and its code",
                "after a failure the next mail is taken",
            ],
        ),
        (
            Fault::LogsLinks,
            &["neither the link nor the code is logged"],
        ),
        (
            Fault::MixesUp,
            &["mails that are sent at once each reach their own recipient"],
        ),
        (
            Fault::StaysBroken,
            &["after a failure the next mail is taken"],
        ),
        (
            Fault::StopsWhenDropped,
            &[
                "mails that are sent at once each reach their own recipient",
                "a mail that is dropped half-way does not keep the next one",
            ],
        ),
        (Fault::TracksLinks, &["a link is delivered as it was given"]),
    ];
    for (fault, failed) in cases {
        let report = suite::mailer::run(async |_| Faulty::new(fault)).await;
        assert_fails(&format!("{fault:?}"), &report, failed);
        if fault == Fault::None {
            assert_holds(&report, PAGE);
        }
    }
}

/// What the program is told that prints one mail, and nothing else, by a `ConsoleMailer`.
const TOLD: [&str; 3] = ["PORTS_TO", "PORTS_LINK", "PORTS_CODE"];

/// Prints one mail: this test program, once more, is the terminal of `console_passes`.
#[tokio::test]
async fn the_console_prints_one_mail() {
    let [to, link, code] = TOLD.map(|name| std::env::var(name).ok());
    let to = to.unwrap_or_else(|| "ada@example.com".to_owned());
    let (to, link, code) = (
        to.parse().unwrap(),
        link.map(Link::new),
        code.map(OneTimeCode::new),
    );
    let mut mail = Mail::new(&to, Timestamp::from_secs(0));
    if let Some(link) = &link {
        mail = mail.with_link(link, Duration::ZERO);
    }
    if let Some(code) = &code {
        mail = mail.with_code(code, Duration::ZERO);
    }
    let sent = ConsoleMailer::new().send(&mail).await;
    eprintln!("sent: {}", sent.is_ok());
}

/// A [`ConsoleMailer`] in a program of its own, whose output is read.
#[derive(Default)]
struct Console {
    is_full: AtomicBool,
    printed: Mutex<Vec<Delivered>>,
}

impl Mailer for Console {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let mut program = Command::new(std::env::current_exe().unwrap());
        let name = "mailer::the_console_prints_one_mail";
        program.args(["--exact", name, "--nocapture", "--quiet"]);
        let link = mail.link().map(Link::expose);
        let code = mail.code().map(OneTimeCode::expose);
        for (name, value) in TOLD.iter().zip([Some(mail.to().as_str()), link, code]) {
            program
                .env_remove(name)
                .envs(value.map(|value| (name, value)));
        }
        let full = || std::fs::File::create("/dev/full").unwrap();
        program.stdout(match self.is_full.load(Ordering::SeqCst) {
            true => Stdio::from(full()),
            false => Stdio::piped(),
        });
        let output = program.stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        if !String::from_utf8_lossy(&output.stderr).contains("sent: true") {
            return Err(MailError::because("the console did not print"));
        }
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines = printed.lines().filter_map(|line| {
            let line = line.strip_prefix("sign-in ")?;
            let (_, line) = line.split_once(" for ")?;
            line.split_once(": ")
        });
        let (mut to, shown): (Vec<_>, Vec<_>) = lines.unzip();
        to.dedup();
        let delivered = Delivered::new(to, shown.join("\n"));
        self.printed.lock().unwrap().push(delivered);
        Ok(())
    }
}

impl Trial for Console {
    type Mailer = Self;

    fn mailer(&self) -> &Self {
        self
    }

    async fn delivered(&self, _: usize) -> Vec<Delivered> {
        self.printed.lock().unwrap().clone()
    }

    async fn fail(&self, failure: Failure) -> bool {
        let is_full = failure == Failure::Begins;
        self.is_full.store(is_full, Ordering::SeqCst);
        true
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn console_passes() {
    let report = suite::mailer::run(async |_| Console::default()).await;
    assert_holds(&report, PAGE);
}

/// A [`ConsoleMailer`] in this program, whose output nobody reads.
struct Here;

impl Trial for Here {
    type Mailer = ConsoleMailer;

    fn mailer(&self) -> &ConsoleMailer {
        &ConsoleMailer
    }

    async fn delivered(&self, _: usize) -> Vec<Delivered> {
        Vec::new()
    }
}

#[tokio::test]
async fn the_console_logs_nothing_of_a_mail() {
    let report = suite::mailer::run(async |_| Here).await;
    let logged = "neither the link nor the code is logged";
    assert!(report.held().any(|case| case == logged), "{report}");
}
