//! The steps of signing in, beside a provider that answers at once.

use std::{
    convert::Infallible,
    future::Ready,
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceExt, service_fn, util::ServiceFn};
use tower_magic_link::{
    Builder, Email, KeyRing, MagicLink, MagicLinkLayer, PeerAddr, SigningKey,
    mailer::{Mail, MailError, Mailer},
    provider::{Identity, MailedLinks},
    testing::StubProvider,
    throttle::{Limits, Rate},
};

use crate::{
    Extent,
    paths::signed_part,
    requests::{ORIGIN, bare_answer, hosted, navigation},
    turns::{RUNS, TURN, Timed, footing, median, now, since},
};

type Answer = fn(Request<String>) -> Ready<Result<Response<String>, Infallible>>;

/// A site whose provider mails nothing, and the thread's runtime.
#[derive(Clone)]
struct Site {
    service: MagicLink<ServiceFn<Answer>>,
    layer: MagicLinkLayer,
    links: Links,
    runtime: Rc<Runtime>,
}

/// Where the newest link is found.
#[derive(Clone)]
enum Links {
    /// It leads to the callback.
    Provider(StubProvider),
    /// It is the layer's own, which leads to the callback.
    OwnMail(Post),
}

/// Keeps the newest link.
#[derive(Clone, Default)]
struct Post(Arc<Mutex<String>>);

impl Mailer for Post {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let link = mail.link().map_or("", |link| link.expose());
        link.clone_into(&mut self.0.lock().unwrap());
        Ok(())
    }
}

/// A step that is measured.
struct Step {
    name: &'static str,
    timed: Timed,
    allocations: u64,
}

pub(crate) fn measure(extent: Extent) {
    let (rounds, others) = match extent {
        Extent::Bench => (153, 5_000),
        Extent::Trial => (3, 50),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let runtime = Rc::new(runtime);
    let site = Site::new(runtime.clone());
    // Beside many others: what ended in the last minute is remembered.
    let busy = Site::new(runtime.clone());
    for _ in 0..others / TURN {
        for request in busy.callbacks() {
            drop(busy.answer(request));
        }
    }
    let always = |site: &Site| {
        let site = site.clone();
        move || site.clone()
    };
    let (ok, found) = (StatusCode::OK, StatusCode::SEE_OTHER);
    let own = Site::by_own_mail(runtime.clone());
    let another = runtime.clone();
    let mut steps = [
        Step::of("form page", always(&site), |site| vec![site.form()], ok),
        Step::of("begin", always(&site), |site| vec![site.post()], found),
        Step::of(
            "callback",
            move || Site::new(runtime.clone()),
            Site::callbacks,
            found,
        ),
        Step::of(
            "callback, a busy minute",
            always(&busy),
            Site::callbacks,
            found,
        ),
        Step::of(
            "begin, our own mail",
            always(&own),
            |site| vec![site.post()],
            found,
        ),
        Step::of(
            "callback, our own mail",
            move || Site::by_own_mail(another.clone()),
            Site::callbacks,
            found,
        ),
        site.mint(),
    ];
    let mut yardstick = Timed::hmac(signed_part());
    for _ in 0..rounds {
        yardstick.take_turn();
        for step in &mut steps {
            step.timed.take_turn();
        }
    }
    println!("sign_in: the whole step, beside a provider that answers at once");
    println!("{:<24}{:>10}{:>8}{:>14}", "", "time", "F", "allocations");
    let mut figures = Vec::new();
    for step in &steps {
        let runs = step.timed.runs();
        let mut multiples = runs.into_iter().zip(yardstick.runs());
        let multiples = [(); RUNS].map(|()| multiples.next().map_or(f64::NAN, |(a, f)| a / f));
        println!(
            "{:<24}{:>7.2} us{:>8.1}{:>14}",
            step.name,
            median(runs.to_vec()) / 1e3,
            median(multiples.to_vec()),
            step.allocations
        );
        figures.push(multiples);
    }
    println!("{}", footing(&yardstick, &figures));
}

impl Step {
    /// Measures the requests that are made for each turn, at the site of that turn. The making is
    /// not measured.
    fn of(
        name: &'static str,
        site: impl Fn() -> Site + 'static,
        make: fn(&Site) -> Vec<Request<String>>,
        want: StatusCode,
    ) -> Self {
        let first = site();
        for request in make(&first) {
            assert_eq!(first.answer(request).status(), want, "{name}");
        }
        // The least of a few: at one of them a table grows.
        let counted = (0..4).map(|_| {
            let request = make(&first).pop().unwrap();
            let mut status = None;
            let counted = allocation_counter::measure(|| {
                status = Some(first.answer(request).status());
            });
            assert_eq!(status, Some(want), "{name}");
            counted.count_total
        });
        let allocations = counted.min().unwrap();
        let timed = Timed::new(move || {
            let site = site();
            let mut requests = make(&site);
            let single = requests.first().unwrap().clone();
            requests.resize(usize::try_from(TURN).unwrap(), single);
            let mut service = site.service.clone();
            site.runtime.block_on(async {
                let start = now();
                for request in requests {
                    let answer = service.ready().await.unwrap().call(request).await.unwrap();
                    assert_eq!(answer.status(), want, "{name}");
                }
                since(start)
            })
        });
        Self {
            name,
            timed,
            allocations,
        }
    }
}

impl Site {
    fn new(runtime: Rc<Runtime>) -> Self {
        let provider = StubProvider::new();
        let builder = MagicLinkLayer::builder(provider.clone(), keys());
        Self::with(builder, Links::Provider(provider), runtime)
    }

    fn by_own_mail(runtime: Rc<Runtime>) -> Self {
        let post = Post::default();
        let builder = MagicLinkLayer::builder(MailedLinks::new(), keys()).mailer(post.clone());
        Self::with(builder, Links::OwnMail(post), runtime)
    }

    fn with(builder: Builder, links: Links, runtime: Rc<Runtime>) -> Self {
        // The limits are counted as everywhere, and are as wide as they may be.
        let wide = Rate::new(1_000_000, Duration::from_millis(1));
        let limits = Limits::default()
            .mails_per_address(wide)
            .mails_per_address_and_network(wide)
            .mails_per_network(wide)
            .mails(wide)
            .exchanges_per_attempt(wide)
            .exchanges_per_network(wide)
            .exchanges(wide)
            .known_browsers(wide)
            .quiet_networks(wide);
        let layer = builder
            .public_url(ORIGIN)
            .limits(limits)
            // Otherwise the answer waits for a fixed time.
            .insecure_answer_when_sent()
            .build()
            .unwrap();
        let answer: Answer = bare_answer;
        Self {
            service: layer.layer(service_fn(answer)),
            layer,
            links,
            runtime,
        }
    }

    /// Measures the minting of a session's token and cookie.
    fn mint(&self) -> Step {
        let issuer = self.layer.issuer();
        let ada = Identity::new("user_1", Email::parse("ada@example.com").unwrap());
        drop(issuer.issue(&ada).unwrap());
        let counted = allocation_counter::measure(|| drop(issuer.issue(&ada).unwrap()));
        Step {
            name: "mint",
            timed: Timed::new(move || {
                let start = now();
                for _ in 0..TURN {
                    drop(std::hint::black_box(issuer.issue(&ada).unwrap()));
                }
                since(start)
            }),
            allocations: counted.count_total,
        }
    }

    fn answer(&self, request: Request<String>) -> Response<impl Sized> {
        let service = self.service.clone();
        self.runtime.block_on(service.oneshot(request)).unwrap()
    }

    fn form(&self) -> Request<String> {
        self.at("/auth/login?return_to=/reports/2026%3Fmonth%3D11")
    }

    /// A person posts an address.
    fn post(&self) -> Request<String> {
        let mut request = self.form();
        *request.method_mut() = http::Method::POST;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        "email=ada%40example.com".clone_into(request.body_mut());
        request
    }

    /// Begins as many sign-ins as a turn has requests, and returns how each comes back.
    fn callbacks(&self) -> Vec<Request<String>> {
        let begin = |_| {
            let answer = self.answer(self.post());
            let cookie = answer.headers().get(header::SET_COOKIE).unwrap();
            let (cookie, _attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let cookie = HeaderValue::try_from(cookie).unwrap();
            let with_cookie = |path: &str| {
                let mut request = self.at(path.strip_prefix(ORIGIN).unwrap_or(path));
                request.headers_mut().insert(header::COOKIE, cookie.clone());
                request
            };
            match &self.links {
                Links::Provider(provider) => with_cookie(provider.last_link().unwrap().expose()),
                Links::OwnMail(post) => {
                    let link = post.0.lock().unwrap().clone();
                    let opened = self.answer(with_cookie(&link));
                    let to = opened.headers().get(header::LOCATION).unwrap();
                    with_cookie(to.to_str().unwrap())
                }
            }
        };
        (0..TURN).map(begin).collect()
    }

    fn at(&self, path: &str) -> Request<String> {
        let mut request = hosted(navigation(path, None));
        let peer = PeerAddr::from(SocketAddr::from(([203, 0, 113, 9], 50_000)));
        request.extensions_mut().insert(peer);
        request
    }
}

fn keys() -> KeyRing {
    KeyRing::new(SigningKey::generate().unwrap())
}
