//! Measures that the time of an answer tells nothing about the address that mail is asked for.
//!
//! Welch's t-test over 10,000 answers for each kind of address, drawn at random, one after the
//! other. It takes two minutes at most, and wants the machine for itself.

#![expect(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{task::JoinSet, time::Instant};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SignIn, SigningKey,
    emulator::{Emulator, EmulatorServer},
    mailer::{Mail, MailError, Mailer},
    provider::{
        Finish, FinishChoice, FinishCode, Identity, IdentityProvider, ProviderError,
        ProviderErrorKind, Start, StartCode, Started, StartedCode,
    },
    workos::WorkOs,
};

/// The kinds of addresses, by one of each, all of one length.
const KINDS: [(&str, &str); 4] = [
    ("good", "ada@goodgood.example"),
    ("domain not taken", "ada@nottaken.example"),
    ("not known to WorkOS", "ada@notknown.example"),
    ("refused by its server", "ada@answr550.example"),
];
const ANSWERS: usize = 10_000;
/// How many people ask at once.
const PEOPLE: usize = 20;
/// Longer than the emulator and the mailer of this test take.
const ANSWER_AFTER: Duration = Duration::from_millis(40);
/// As in dudect: a larger one is no chance (Reparaz et al., DATE 2017).
const BOUND: f64 = 4.5;

/// WorkOS over HTTP, which does not know one of the addresses.
struct Choosy(WorkOs);

impl IdentityProvider for Choosy {
    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.0.start(start).await
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.0.finish(finish).await
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        let started = self.0.start_code(start).await?;
        match start.email.as_str().contains("notknown") {
            true => Err(ProviderErrorKind::NotAllowed.into()),
            false => Ok(started),
        }
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.0.finish_code(finish).await
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        self.0.finish_choice(finish).await
    }
}

/// A mail server that refuses a recipient sooner than it takes a mail.
struct Courier;

impl Mailer for Courier {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if mail.to().as_str().contains("answr550") {
            return Err(MailError::because("refused").with_status(550));
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
        Ok(())
    }
}

type App = BoxCloneSyncService<Request<Full<Bytes>>, u16, Infallible>;

fn app(workos: &EmulatorServer, configure: impl FnOnce(Builder) -> Builder) -> App {
    let client = WorkOs::new("sk_test_timing", "client_test");
    let client = client.and_then(|client| client.base_url(workos.base_url()));
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let builder = MagicLinkLayer::builder(Choosy(client.unwrap()), keys)
        .public_url("https://app.example.com")
        .sign_in(SignIn::Code)
        .mailer(Courier)
        .email_domains(["goodgood.example", "notknown.example", "answr550.example"])
        .insecure_no_throttle();
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = configure(builder).build().unwrap().layer(inner);
    BoxCloneSyncService::new(service.map_response(|answer| answer.status().as_u16()))
}

/// Asks for mail, and returns how long the answer took, in microseconds.
async fn ask(app: &mut App, email: &str) -> f64 {
    let request = Request::post("/auth/login")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(format!("email={}", email.replace('@', "%40"))));
    let request = request.unwrap();
    let begun = Instant::now();
    let status = app.ready().await.unwrap().call(request).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(status, 303, "{email}");
    took.as_secs_f64() * 1e6
}

/// Draws kinds at random until each has enough answers. A turn in a fixed order would have each
/// kind follow the others, and never itself.
async fn measure(app: &App, answers: usize) -> [Vec<f64>; KINDS.len()] {
    let times: Arc<Mutex<[Vec<f64>; KINDS.len()]>> = Arc::default();
    let seed = AtomicU64::new(1);
    let mut people = JoinSet::new();
    for _ in 0..PEOPLE {
        let (mut app, times) = (app.clone(), times.clone());
        let mut state = seed
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        people.spawn(async move {
            loop {
                // xorshift64
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let kind = usize::try_from(state >> 62).unwrap();
                let took = ask(&mut app, KINDS[kind].1).await;
                let mut times = times.lock().unwrap();
                times[kind].push(took);
                if times.iter().all(|times| times.len() >= answers) {
                    return;
                }
            }
        });
    }
    people.join_all().await;
    let mut times = std::mem::take(&mut *times.lock().unwrap());
    for times in &mut times {
        times.truncate(answers);
    }
    times
}

/// Returns Welch's t of two samples.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let of = |sample: &[f64]| {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean, squares / (count - 1.0) / count)
    };
    let ((one, one_error), (other, other_error)) = (of(one), of(other));
    (one - other) / (one_error + other_error).sqrt()
}

/// Returns the larger t of a pair: of all answers, and of those under the 95th percentile of both
/// together, among which a difference is not hidden by a few late ones.
fn largest(one: &[f64], other: &[f64]) -> f64 {
    let mut both = [one, other].concat();
    both.sort_by(f64::total_cmp);
    let cut = both[both.len() * 95 / 100];
    let kept = |sample: &[f64]| {
        sample
            .iter()
            .copied()
            .filter(|x| *x < cut)
            .collect::<Vec<_>>()
    };
    let (all, most) = (welch(one, other), welch(&kept(one), &kept(other)));
    if all.abs() > most.abs() { all } else { most }
}

/// Prints t for each pair of kinds, and returns the largest.
fn compare(times: &[Vec<f64>; KINDS.len()]) -> f64 {
    let mut worst = 0.0_f64;
    for (first, one) in times.iter().enumerate() {
        let mean = one.iter().sum::<f64>() / one.len() as f64;
        println!("{:>22}: {mean:.0} µs on average", KINDS[first].0);
        for (second, other) in times.iter().enumerate().skip(first + 1) {
            let t = largest(one, other);
            println!(
                "{:>22} and {:<22} t = {t:+.2}",
                KINDS[first].0, KINDS[second].0
            );
            worst = worst.max(t.abs());
        }
    }
    worst
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute and wants the machine for itself; run by tests/run"]
async fn nothing_in_the_time_of_an_answer_tells_one_kind_of_address_from_another() {
    let workos = Emulator::builder().build().serve(0).await.unwrap();
    println!("an answer that waits for the mail, 500 for each kind:");
    let telling = app(&workos, Builder::insecure_answer_when_sent);
    let told = compare(&measure(&telling, 500).await);
    assert!(told > BOUND, "this test would not see a difference: {told}");

    println!("an answer after {ANSWER_AFTER:?}, {ANSWERS} for each kind:");
    let begun = Instant::now();
    let app = app(&workos, |builder| builder.answer_after(ANSWER_AFTER));
    let worst = compare(&measure(&app, ANSWERS).await);
    println!("{:?} in all", begun.elapsed());
    assert!(worst < BOUND, "{worst}");
}
