//! A real Redis for as long as a test runs, and a wire to it that can be cut.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
    task::AbortHandle,
    time::{Instant, interval, timeout},
};

#[path = "port.rs"]
mod port;

pub(crate) use self::port::free_port;

/// How often [`until`] asks.
const TICK: Duration = Duration::from_millis(2);
/// A sleeper may come so late on a machine that is well.
const USUAL: Duration = Duration::from_millis(5);

/// Asks until the answer is yes, and returns how long that took without the machine's own lag. Real
/// programs need real time; nobody waits longer than for the answer.
///
/// A limit of what it returns is a limit of the program alone: half a second in which the whole
/// machine stands still does not count. A program that blocks its runtime is no faster for it,
/// since the lag is that of a thread outside.
pub(crate) async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) -> Duration {
    until_within(Duration::from_secs(20), what, is_so).await
}

/// Asks as [`until`] does, and gives up after this time in place of twenty seconds.
pub(crate) async fn until_within(
    limit: Duration,
    what: &str,
    mut is_so: impl AsyncFnMut() -> bool,
) -> Duration {
    let (began, lag) = (Instant::now(), Lag::watched());
    let mut often = interval(TICK);
    let all = async {
        while !is_so().await {
            often.tick().await;
        }
    };
    assert!(
        timeout(limit, all).await.is_ok(),
        "{what}: not in {limit:?}"
    );
    let took = began.elapsed();
    took.saturating_sub(lag.lock().unwrap().by_now())
}

/// By how much a thread that only sleeps has come too late.
struct Lag {
    so_far: Duration,
    /// When it comes next.
    due: Instant,
}

impl Lag {
    /// Starts the thread, which ends when what is returned is dropped.
    fn watched() -> Arc<Mutex<Self>> {
        let lag = Arc::new(Mutex::new(Self {
            so_far: Duration::ZERO,
            due: Instant::now() + TICK,
        }));
        let watched = Arc::downgrade(&lag);
        thread::spawn(move || {
            while let Some(lag) = watched.upgrade() {
                lag.lock().unwrap().comes();
                drop(lag);
                thread::sleep(TICK);
            }
        });
        lag
    }

    fn comes(&mut self) {
        self.so_far = self.by_now();
        self.due = Instant::now() + TICK;
    }

    /// Returns the lag, with that of a sleep that is not over.
    fn by_now(&self) -> Duration {
        self.so_far + self.due.elapsed().saturating_sub(USUAL)
    }
}

/// A Redis on a free port, without persistence: what it is told it forgets with its process.
pub(crate) struct RedisServer {
    child: Child,
    /// Of its own: what a server that follows another loads is left there, and loaded by whichever
    /// starts there next.
    folder: PathBuf,
    pub(crate) port: u16,
    arguments: Vec<String>,
    variables: Vec<(&'static str, PathBuf)>,
    _held: TcpSocket,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        Self::start_as(arguments, &[]).await
    }

    /// Starts it with more variables, such as those of a clock.
    pub(crate) async fn start_as(
        arguments: &[&str],
        variables: &[(&'static str, PathBuf)],
    ) -> Self {
        let (port, held) = free_port();
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let folder = std::env::temp_dir().join(format!("tower-magic-link-redis-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let mut server = Self {
            child: spawn(port, &folder, &arguments, variables),
            folder,
            port,
            arguments,
            variables: variables.to_vec(),
            _held: held,
        };
        server.is_up().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, with nothing in it.
    pub(crate) async fn restart(&mut self) {
        let _ = fs::remove_file(self.folder.join("dump.rdb"));
        self.child = spawn(self.port, &self.folder, &self.arguments, &self.variables);
        self.is_up().await;
    }

    /// Stops it in the middle of whatever it does: connections stay, and answers do not come.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Says something to it, and returns what it answers.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        let mut client = Command::new(program("cli"));
        client.args(["-p", &self.port.to_string(), "--raw"]);
        let output = client.args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    async fn is_up(&mut self) {
        until("redis-server answers", async || {
            let has_ended = self.child.try_wait().unwrap();
            assert!(has_ended.is_none(), "redis-server: {has_ended:?}");
            ["PONG", "NOAUTH"]
                .iter()
                .any(|up| self.say(&["ping"]).starts_with(up))
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `STORE_SERVER=valkey` takes that one's programs; a path may stand before the name.
fn program(which: &str) -> String {
    let family = std::env::var("STORE_SERVER").unwrap_or_else(|_| "redis".to_owned());
    format!("{family}-{which}")
}

fn spawn(
    port: u16,
    folder: &Path,
    arguments: &[String],
    variables: &[(&'static str, PathBuf)],
) -> Child {
    let port = port.to_string();
    let mut server = Command::new(program("server"));
    // A Sentinel's file comes first.
    let (file, arguments) = match arguments.split_first() {
        Some((file, rest)) if !file.starts_with("--") => (Some(file), rest),
        _ => (None, arguments),
    };
    server
        .args(file)
        .args(["--port", &port, "--bind", "127.0.0.1"]);
    if file.is_none() {
        server.args(["--save", "", "--appendonly", "no"]);
    }
    server.args(["--logfile", "/dev/null", "--dir"]);
    server.arg(folder).args(arguments);
    let variables = variables.iter().map(|(name, value)| (name, value));
    server.envs(variables);
    server.stdout(Stdio::null()).spawn().unwrap()
}

/// What a wire does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It loses everything and says nothing, as a firewall does.
    Dead,
    /// It keeps everything, and hands it on once it is whole.
    Held,
    /// It hands questions on, and keeps the answers.
    Mute,
    /// It closes what is there and takes nothing new.
    Cut,
    /// It closes what is there, and is whole for what is new.
    Broken,
    Whole,
}

/// A wire between two programs.
pub(crate) struct Wire {
    pub(crate) port: u16,
    /// How it is now, and how often it was cut: whoever looks late finds that it was.
    condition: watch::Sender<(Condition, u32)>,
    accept: AbortHandle,
}

impl Wire {
    /// Lays a wire to a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        Self::switched(Arc::new(AtomicU16::new(port))).await
    }

    /// Lays a wire to whichever port is the one when a connection is made.
    pub(crate) async fn switched(port: Arc<AtomicU16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (condition, told) = watch::channel((Condition::Whole, 0));
        let at = listener.local_addr().unwrap().port();
        let accept = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let port = port.load(Ordering::SeqCst);
                tokio::spawn(carry(near, port, told.clone()));
            }
        });
        Self {
            port: at,
            condition,
            accept: accept.abort_handle(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn is_now(&self, condition: Condition) {
        let is_cut = [Condition::Cut, Condition::Broken].contains(&condition);
        let then = if condition == Condition::Broken {
            Condition::Whole
        } else {
            condition
        };
        let cut = u32::from(is_cut);
        self.condition.send_modify(|now| *now = (then, now.1 + cut));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accept.abort();
        self.is_now(Condition::Cut);
    }
}

async fn carry(near: TcpStream, port: u16, mut told: watch::Receiver<(Condition, u32)>) {
    let cuts = told.borrow().1;
    let far = async {
        told.wait_for(|now| now.0 != Condition::Dead).await.ok()?;
        let is_cut = told.borrow().0 == Condition::Cut;
        (!is_cut).then_some(())?;
        TcpStream::connect(("127.0.0.1", port)).await.ok()
    };
    let Some(far) = far.await else { return };
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    let told = Arc::new(told);
    let pipe = |from, to, keeps| pass(from, to, cuts, watch::Receiver::clone(&told), keeps);
    let (all, answers) = ([Condition::Held; 2], [Condition::Held, Condition::Mute]);
    // The first to end ends both.
    tokio::select! {
        () = pipe(from_near, to_far, all) => {}
        () = pipe(from_far, to_near, answers) => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    cuts: u32,
    mut told: watch::Receiver<(Condition, u32)>,
    keeps: [Condition; 2],
) {
    let mut buffer = vec![0; 16_384];
    let mut cut = told.clone();
    let carried = async {
        loop {
            let Ok(count @ 1..) = from.read(&mut buffer).await else {
                return;
            };
            if told.borrow_and_update().0 == Condition::Dead {
                // What is lost is lost: the connection is of no use ever after.
                std::future::pending::<()>().await;
            }
            let is_free = told.wait_for(|now| !keeps.contains(&now.0)).await;
            // What was kept until the cut is lost with it.
            if !is_free.is_ok_and(|now| now.1 == cuts) {
                return;
            }
            if to.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = carried => {}
        _ = cut.wait_for(|now| now.1 > cuts) => {}
    }
}
