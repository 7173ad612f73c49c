//! Whole servers over loopback, by `wrk`: `cargo run --release --bin e2e` in this folder.
//!
//! - Each application is served by axum on one thread of its own; `wrk` takes another. It sends a
//!   browser's request, with 12 fields and 3 cookies, over 16 connections.
//! - The applications take turns in rounds of two seconds. A share is of what bare axum answered in
//!   the same round. Figures are medians of seven rounds; after a share stand the least and the
//!   most.
//! - The last three columns are of the time for which the server's thread ran on a CPU, as Linux
//!   counts it: what else the machine does is not in them.
//! - Where no Redis is installed, its row is left out, and that is said.
//! - `--trial` plays one short round, to see that everything works.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
};

use http::{Request, StatusCode};
use peers::{
    apps::{self, App, TARGET, browser},
    hand_written::{Redis, hand_written},
    login,
    turns::median,
};
use tokio::runtime::Builder;

const CONNECTIONS: &str = "16";

/// A kind of request to an application, and what came of it in each round.
struct Row {
    name: String,
    address: SocketAddr,
    request: Request<()>,
    /// Where Linux says how long the server's thread has run.
    schedule: PathBuf,
    rounds: Vec<Round>,
}

/// What `wrk` says of a round.
#[derive(Clone, Copy)]
struct Round {
    /// Requests a second.
    rate: f64,
    /// In microseconds.
    p50: f64,
    p99: f64,
    /// What the server's thread ran for one request, in microseconds.
    ran: f64,
}

fn main() -> ExitCode {
    let is_trial = env::args().any(|argument| argument == "--trial");
    let (rounds, seconds) = if is_trial { (1, "1s") } else { (7, "2s") };
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("this benchmark needs wrk: install the package of that name, as in Debian");
        return ExitCode::FAILURE;
    }
    let redis = RedisServer::start();
    let mut apps = vec![
        apps::unprotected(),
        apps::magic_link(1, 0),
        login::axum_login(1, 1),
        hand_written(None),
    ];
    match &redis {
        Some(redis) => apps.push(hand_written(Some(redis.client()))),
        None => println!("no redis-server is installed: the row with Redis is left out"),
    }
    let (mut rows, mut strangers) = (Vec::new(), Vec::new());
    for app in apps {
        let (admitted, refused) = serve(app);
        rows.push(admitted);
        strangers.extend(refused);
    }
    rows.extend(strangers);

    for round in 0..rounds {
        // Another one is first each time.
        let all = rows.len();
        for at in 0..all {
            let row = rows.get_mut((at + round) % all).unwrap();
            let measured = wrk(row, seconds);
            row.rounds.push(measured);
        }
    }
    print(&rows);
    ExitCode::SUCCESS
}

/// Serves an application for as long as this process runs, and returns what it is asked.
fn serve(app: App) -> (Row, Option<Row>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let service = app.service.clone();
    let (tell, schedule) = mpsc::channel();
    thread::spawn(move || {
        let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
        tell.send(Path::new("/proc").join(thread).join("schedstat"))
            .unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, service).await.unwrap();
        });
    });
    let schedule = schedule.recv().unwrap();
    let row = |name, request: Request<()>, want| {
        assert_eq!(status(address, &request), want, "{name}");
        Row {
            name,
            address,
            request,
            schedule: schedule.clone(),
            rounds: Vec::new(),
        }
    };
    let signed_in = app.signed_in.first().unwrap().clone();
    let refused = (app.refusal != StatusCode::OK).then(|| {
        let name = format!("{}, no cookie ({})", app.name, app.refusal.as_u16());
        row(name, browser(None), app.refusal)
    });
    (row(app.name, signed_in, StatusCode::OK), refused)
}

/// Asks once, and returns the status.
fn status(address: SocketAddr, request: &Request<()>) -> StatusCode {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut text = format!("GET {TARGET} HTTP/1.1\r\n");
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    stream.write_all((text + "\r\n").as_bytes()).unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    let line = String::from_utf8_lossy(&line).into_owned();
    line.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

fn wrk(row: &Row, seconds: &str) -> Round {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t", "1", "-c", CONNECTIONS, "-d", seconds, "--latency"]);
    for (name, value) in row.request.headers() {
        wrk.arg("-H");
        wrk.arg(format!("{name}: {}", value.to_str().unwrap()));
    }
    wrk.arg(format!("http://{}{TARGET}", row.address));
    let before = ran(&row.schedule);
    let output = wrk.output().unwrap();
    let ran = ran(&row.schedule) - before;
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(
        !told.contains("Non-2xx") && !told.contains("Socket errors"),
        "{}: {told}",
        row.name
    );
    let after = |label: &str| {
        let line = told
            .lines()
            .find_map(|line| line.trim().strip_prefix(label));
        line.unwrap().trim().to_owned()
    };
    let requests = told
        .lines()
        .find_map(|line| line.split_once(" requests in "));
    let requests: f64 = requests.unwrap().0.trim().parse().unwrap();
    Round {
        ran: ran / requests,
        rate: after("Requests/sec:").parse().unwrap(),
        p50: microseconds(&after("50%")),
        p99: microseconds(&after("99%")),
    }
}

/// Returns how long a thread has run on a CPU, in microseconds.
fn ran(schedule: &Path) -> f64 {
    let Ok(times) = fs::read_to_string(schedule) else {
        return f64::NAN;
    };
    let nanoseconds = times.split_whitespace().next().unwrap();
    nanoseconds.parse::<f64>().unwrap() / 1e3
}

fn microseconds(text: &str) -> f64 {
    let number = text.trim_end_matches(char::is_alphabetic);
    let unit = match text.strip_prefix(number).unwrap() {
        "us" => 1.0,
        "ms" => 1e3,
        _ => 1e6,
    };
    number.parse::<f64>().unwrap() * unit
}

fn print(rows: &[Row]) {
    let bare = rows.first().unwrap();
    println!(
        "{:<60} {:>9} {:>8} {:>15} {:>9} {:>9} {:>10} {:>9} {:>8} {:>15}",
        "",
        "req/s",
        "share",
        "least - most",
        "p50",
        "p99",
        "p99 share",
        "CPU/req",
        "share",
        "least - most"
    );
    for row in rows {
        let of = |figure: fn(&Round) -> f64| {
            let figures: Vec<_> = row.rounds.iter().map(figure).collect();
            median(&figures)
        };
        let share = |figure: fn(&Round) -> f64| {
            let shares = row.rounds.iter().zip(&bare.rounds);
            let shares = shares.map(|(row, bare)| figure(row) / figure(bare));
            let mut shares: Vec<_> = shares.collect();
            shares.sort_unstable_by(f64::total_cmp);
            shares
        };
        let (rates, tails) = (share(|round| round.rate), share(|round| round.p99));
        // As much as bare axum answers in the time.
        let work = share(|round| 1.0 / round.ran);
        let range = |shares: &[f64]| {
            let (least, most) = (shares.first().unwrap(), shares.last().unwrap());
            format!("{least:.3} - {most:.3}")
        };
        println!(
            "{:<60} {:>9.0} {:>8.3} {:>15} {:>6.0} us {:>6.0} us {:>10.2} {:>6.2} us {:>8.3} {:>15}",
            row.name,
            of(|round| round.rate),
            median(&rates),
            format!(
                "{:.3} - {:.3}",
                rates.first().unwrap(),
                rates.last().unwrap()
            ),
            of(|round| round.p50),
            of(|round| round.p99),
            median(&tails),
            of(|round| round.ran),
            median(&work),
            range(&work),
        );
    }
}

/// A Redis on a free port, without persistence.
struct RedisServer {
    child: Child,
    address: SocketAddr,
}

impl RedisServer {
    /// Returns `None` where none is installed.
    fn start() -> Option<Self> {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .args(["--port", &address.port().to_string()])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        while TcpStream::connect(address).is_err() {
            thread::yield_now();
        }
        Some(Self { child, address })
    }

    fn client(&self) -> Redis {
        Redis::new(&format!("redis://{}", self.address))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
