//! A real Prometheus scrapes the example, and a layer of which everything fails that can. It is
//! asked each query of the board, and has each alert of the guide fire.

use std::{
    convert::Infallible,
    fs::{self, File},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use http::{Request, Response, StatusCode};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};
use tower::{Layer, ServiceExt, service_fn};
use tower_magic_link::{
    KeyRing, MagicLinkLayer, SigningKey,
    clock::Timestamp,
    emulator::{Emulator, Endpoint, Fault},
    mailer::{Mail, MailError, Mailer},
    revocation::{RedisRevocations, Target},
    store::{Redis, StoreError},
    testing::{Browser, StubProvider},
    throttle::{Charge, Charged, Limits, MemoryThrottle, Rate, Take, Throttle, ThrottleKey},
};

use crate::{
    metrics::{alerts, board},
    names::{ADA, EVE, ORIGIN},
    person::{Person, location},
    program::Program,
};

/// How long everything may take. It usually takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A throttle that fails while it is told to.
#[derive(Debug)]
struct Breaking(Arc<AtomicBool>, MemoryThrottle);

impl Throttle for Breaking {
    async fn charge(&self, charges: &[Charge], now: Timestamp) -> Result<Charged, StoreError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("away"));
        }
        self.1.charge(charges, now).await
    }

    async fn take_try(
        &self,
        key: ThrottleKey,
        most: u32,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Take, StoreError> {
        self.1.take_try(key, most, until, now).await
    }

    async fn give_try_back(&self, key: ThrottleKey, now: Timestamp) -> Result<(), StoreError> {
        self.1.give_try_back(key, now).await
    }
}

/// A mailer that takes no mail to one person.
struct Picky;

impl Mailer for Picky {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        match mail.to().as_str() == EVE {
            true => Err(MailError::because("the relay is down")),
            false => Ok(()),
        }
    }
}

/// Has each port of a layer in this process fail. Returns a browser there.
async fn break_everything() -> Browser {
    let is_away = Arc::new(AtomicBool::new(false));
    // Nobody listens there.
    let redis = Redis::new("redis://127.0.0.1:1").unwrap();
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
        .public_url(ORIGIN)
        .mailer(Picky)
        .revocations(RedisRevocations::connect_later(&redis))
        .throttle(Breaking(is_away.clone(), MemoryThrottle::default()))
        .limits(Limits::default().mails(Rate::new(5, Duration::from_secs(3_600))))
        .insecure_answer_when_sent()
        .build()
        .unwrap();
    let inner = async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new()));
    let service = layer.layer(service_fn(inner));

    let mut request = Request::get("/").body(String::new()).unwrap();
    layer.sign_in(&mut request, ADA);
    let answer: Response<_> = service.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let ended = layer
        .end_sessions(Target::Subject("user_1".to_owned()))
        .await;
    assert!(ended.is_err(), "{ended:?}");

    let mut browser = Browser::new(service, ORIGIN);
    assert_eq!(ask(&mut browser, EVE).await, StatusCode::BAD_GATEWAY);
    let mut answers = Vec::new();
    for number in 0..7 {
        answers.push(ask(&mut browser, &format!("person{number}@example.com")).await);
    }
    assert_eq!(
        answers.last(),
        Some(&StatusCode::TOO_MANY_REQUESTS),
        "{answers:?}"
    );
    is_away.store(true, Ordering::SeqCst);
    assert_eq!(ask(&mut browser, ADA).await, StatusCode::OK);
    browser
}

/// Asks for mail by the form. Returns the status of the page that this leads to.
async fn ask(browser: &mut Browser, email: &str) -> StatusCode {
    browser.get("/auth/login").await;
    browser.submit_login(email).await.status()
}

/// Signs in and out at the example, and comes back with a wrong code.
async fn walk(program: &mut Program, origin: &str) {
    let mut person = Person::at(origin);
    let login = location(&person.get("/").await);
    let home = person.sign_in(program, &login).await;
    assert_eq!(person.get(&home).await.status(), 200);
    let wrong = person.get("/auth/callback?code=wrong&state=wrong").await;
    assert!(wrong.status().is_client_error(), "{}", wrong.status());
    location(&person.post("/auth/logout", "").await);
}

/// Asks the example for too many mails, and while the provider refuses it or is away.
async fn ask_in_vain(origin: &str, emulator: &Emulator) {
    let mut stranger = Person::at(origin);
    let mut last = 0;
    for _ in 0..3 {
        let answer = stranger
            .post("/auth/login", "email=ada%40example.com")
            .await;
        last = answer.status().as_u16();
    }
    assert_eq!(last, 429);
    for (status, times) in [(StatusCode::UNAUTHORIZED, 1), (StatusCode::BAD_GATEWAY, 4)] {
        emulator.order_always(Endpoint::Create, Fault::Status(status));
        for _ in 0..times {
            let answer = stranger
                .post("/auth/login", "email=eve%40example.com")
                .await;
            assert!(answer.status().is_server_error(), "{}", answer.status());
        }
        emulator.clear_orders(Endpoint::Create);
    }
}

/// A running Prometheus, ended and forgotten when it is dropped.
struct Prometheus {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Prometheus {
    /// Starts one that scrapes these addresses and knows these alerts.
    async fn start(addresses: &[String], alerts: &[String]) -> Self {
        let name = format!("tower-magic-link-prometheus-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let rules = alerts.iter().enumerate();
        let rules = rules.map(|(n, query)| json!({"alert": format!("alert_{n}"), "expr": query}));
        let rules = json!({"groups": [{"name": "guide", "rules": rules.collect::<Vec<_>>()}]});
        // JSON is YAML.
        fs::write(folder.join("rules.yml"), rules.to_string()).unwrap();
        let often = "500ms";
        let settings = json!({
            "global": {
                "scrape_interval": often, "scrape_timeout": often, "evaluation_interval": often,
            },
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {"job_name": "sign-in", "static_configs": [{"targets": addresses}]},
            ],
        });
        fs::write(folder.join("prometheus.yml"), settings.to_string()).unwrap();
        let log = folder.join("log");
        let child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg("--web.listen-address=127.0.0.1:0")
            .current_dir(&folder)
            .stderr(File::create(&log).unwrap())
            .spawn()
            .expect("the package prometheus");
        let mut started = Self {
            child,
            folder,
            url: String::new(),
        };
        until("Prometheus says where it listens", async || {
            let log = fs::read_to_string(&log).unwrap();
            let (_, said) = log
                .split_once("msg=\"Listening on\" address=")
                .ok_or_else(|| log.clone())?;
            let (address, _) = said.split_once('\n').ok_or_else(|| log.clone())?;
            started.url = format!("http://{address}/api/v1");
            Ok(())
        })
        .await;
        started
    }

    /// Asks a query. Returns the series that it has, each with its value.
    async fn ask(&self, query: &str) -> Vec<(Value, f64)> {
        let query = query
            .replace("$__rate_interval", "1m")
            .replace("$job", ".*");
        let answer = reqwest::Client::new()
            .post(format!("{}/query", self.url))
            .form(&[("query", &query)])
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let series = answer["data"]["result"].as_array().unwrap().iter();
        series
            .map(|one| {
                let value = one["value"][1].as_str().unwrap();
                (one["metric"].clone(), value.parse().unwrap())
            })
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Tries until it is so. What is not so is said when the patience is over.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<(), String>) {
    let began = tokio::time::Instant::now();
    while let Err(missing) = is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what}: {missing}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Serves what is counted in this process.
async fn page() -> SocketAddr {
    let seconds = metrics_exporter_prometheus::Matcher::Suffix("_seconds".to_owned());
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &[0.1, 1.0, 10.0])
        .unwrap()
        .install_recorder()
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = Router::new().route("/metrics", get(async move || metrics.render()));
    tokio::spawn(async { axum::serve(listener, page).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs prometheus; run by tests/run"]
async fn a_real_prometheus_answers_the_board_and_fires_each_alert_of_the_guide() {
    let emulator = Emulator::builder().build();
    let server = emulator.serve(0).await.unwrap();
    let mut program = Program::example(
        "metrics",
        &[
            ("METRICS_PORT", "0"),
            ("WORKOS_API_KEY", "sk_test_example"),
            ("WORKOS_CLIENT_ID", "client_example"),
            ("WORKOS_BASE_URL", server.base_url()),
        ],
    );
    let origin = program.says("listening on ");
    let example = program.says("metrics on ");
    let example = example.strip_prefix("http://").unwrap();
    let example = example.strip_suffix("/metrics").unwrap().to_owned();
    let here = page().await.to_string();
    // Its counters begin here, before anything is scraped.
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let idle = MagicLinkLayer::builder(StubProvider::new(), keys);
    let _idle = idle.public_url(ORIGIN).build().unwrap();
    let alerts = alerts();
    let prometheus = Prometheus::start(&[example, here], &alerts).await;
    until("both are scraped before the walk", async || {
        let seen = prometheus
            .ask("count_over_time(up[1m]) > 1 and up == 1")
            .await;
        let counted = prometheus.ask("tower_magic_link_forwarded_total").await;
        (seen.len() == 2 && counted.len() == 4)
            .then_some(())
            .ok_or_else(|| format!("{seen:?} {counted:?}"))
    })
    .await;
    for alert in &alerts {
        assert_eq!(prometheus.ask(alert).await, [], "{alert}");
    }

    walk(&mut program, &origin).await;
    let mut here = break_everything().await;
    // What is labelled by who came or by what a mailer says has no counter before it happens, so it
    // has to happen twice before there is a rate.
    until("the first of each kind are scraped", async || {
        for series in [
            "tower_magic_link_refusals_total",
            "tower_magic_link_events_total{event=\"mail_failed\"}",
            "tower_magic_link_call_duration_seconds_count{call=\"provider.finish\"}",
        ] {
            if prometheus.ask(series).await.is_empty() {
                return Err(series.to_owned());
            }
        }
        Ok(())
    })
    .await;
    walk(&mut program, &origin).await;
    ask_in_vain(&origin, &emulator).await;
    assert_eq!(ask(&mut here, EVE).await, StatusCode::BAD_GATEWAY);

    // A query with nothing to show here: nobody renews, and no cookie or mail is lost on the way.
    let idle = ["renewed", "cookie_lost", "link_withheld", "_up{"];
    for query in board() {
        let is_idle = idle.iter().any(|name| query.contains(name));
        until(&query, async || {
            let series = prometheus.ask(&query).await;
            let has_data = series.iter().any(|(_, value)| *value > 0.0);
            (has_data || is_idle && !series.is_empty())
                .then_some(())
                .ok_or_else(|| format!("{series:?}"))
        })
        .await;
    }
    until("every alert fires", async || {
        let firing = prometheus.ask("ALERTS{alertstate=\"firing\"}").await;
        let is_firing = |n: usize| {
            let name = format!("alert_{n}");
            firing
                .iter()
                .any(|(labels, _)| labels["alertname"] == *name)
        };
        let silent: Vec<_> = (0..alerts.len()).filter(|n| !is_firing(*n)).collect();
        let silent: Vec<_> = silent.into_iter().map(|n| &alerts[n]).collect();
        silent
            .is_empty()
            .then_some(())
            .ok_or_else(|| format!("{silent:#?}"))
    })
    .await;
}
