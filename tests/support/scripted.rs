//! A mail server that does what it is told, in this process.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::taken::Taken;

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers this command in this way, or hangs up if there is nothing to say. `.` is the end
    /// of a mail.
    Answers(&'static str, &'static [u8]),
    /// It answers this command as `Answers` does, from the third one on a connection.
    AnswersThird(&'static str, &'static [u8]),
    /// It says that it is busy instead of greeting.
    Busy,
    /// It closes the connection when it has the mail.
    Cuts,
    /// It takes every mail.
    Good,
    /// It says nothing at all.
    Hangs,
    /// It says nothing to this command. `.` is the end of a mail.
    HangsAt(&'static str),
    /// It greets with words that no mail server says.
    Nonsense,
    /// It refuses the mail, and repeats it.
    RefusesMail,
    /// It refuses the recipient, and repeats it.
    RefusesRecipient,
    /// It stops before it answers the recipient, until it is let go.
    Stops,
}

/// The server. Clones are the same.
#[derive(Clone)]
pub(crate) struct Scripted {
    /// Where it listens.
    pub(crate) address: String,
    /// What it was told, line by line, on each connection.
    pub(crate) heard: Arc<Mutex<Vec<Vec<String>>>>,
    /// The mails that it has taken, in turn.
    pub(crate) taken: Arc<Mutex<Vec<Taken>>>,
    /// How many connections are open.
    pub(crate) open: Arc<AtomicUsize>,
    mood: Arc<Mutex<Mood>>,
    /// Told when it has stopped.
    pub(crate) stopped: Arc<Notify>,
    /// Lets it go.
    pub(crate) go: Arc<Notify>,
}

impl Scripted {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            heard: Arc::default(),
            taken: Arc::default(),
            open: Arc::default(),
            mood: Arc::new(Mutex::new(mood)),
            stopped: Arc::default(),
            go: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                tokio::spawn(async move {
                    serving.open.fetch_add(1, Ordering::SeqCst);
                    let _ = serving.converse(stream).await;
                    serving.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    /// Returns how many lines it was told that begin so.
    pub(crate) fn count(&self, start: &str) -> usize {
        let heard = self.heard.lock().unwrap();
        let lines = heard.iter().flatten();
        lines.filter(|line| line.starts_with(start)).count()
    }

    /// Returns how many lines it was told on one connection that begin so.
    fn count_on(&self, connection: usize, start: &str) -> usize {
        let heard = self.heard.lock().unwrap();
        let lines = heard[connection].iter();
        lines.filter(|line| line.starts_with(start)).count()
    }

    /// Talks. That the other side has gone is no failure.
    async fn converse(&self, stream: TcpStream) -> Option<()> {
        let number = {
            let mut heard = self.heard.lock().unwrap();
            heard.push(Vec::new());
            heard.len() - 1
        };
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let greeting = match self.mood() {
            Mood::Busy => "421 4.3.2 busy",
            Mood::Hangs => std::future::pending().await,
            Mood::Nonsense => "HTTP/1.1 400 Bad Request",
            _ => "220 scripted",
        };
        write
            .write_all(format!("{greeting}\r\n").as_bytes())
            .await
            .ok()?;
        let mut recipients = Vec::new();
        let mut mail = Option::<Vec<String>>::None;
        while let Some(line) = lines.next_line().await.ok()? {
            self.heard.lock().unwrap()[number].push(line.clone());
            let mood = self.mood();
            let verb = line.split([' ', ':']).next().unwrap().to_owned();
            let step = match &mut mail {
                Some(kept) if line != "." => {
                    kept.push(line);
                    continue;
                }
                Some(_) => ".",
                None => &*verb,
            };
            let mood = match mood {
                Mood::AnswersThird(to, reply) if self.count_on(number, to) > 2 => {
                    Mood::Answers(to, reply)
                }
                mood => mood,
            };
            match mood {
                Mood::Answers(to, []) if to == step => return None,
                Mood::Answers(to, reply) if to == step => {
                    mail = None;
                    write.write_all(&[reply, b"\r\n"].concat()).await.ok()?;
                    continue;
                }
                Mood::HangsAt(command) if command == step => std::future::pending().await,
                _ => {}
            }
            let reply = if mail.is_some() {
                match (mood, mail.take().unwrap_or_default()) {
                    (Mood::Cuts, _) => return None,
                    (Mood::RefusesMail, kept) => format!("552 5.3.4 {}", &kept.concat()[..200]),
                    (_, kept) => {
                        let taken = Taken::new(&recipients, &kept);
                        self.taken.lock().unwrap().push(taken);
                        "250 OK".to_owned()
                    }
                }
            } else {
                match verb.as_str() {
                    "MAIL" => recipients.clear(),
                    "RCPT" => recipients.push(line.clone()),
                    _ => {}
                }
                match (verb.as_str(), mood) {
                    ("EHLO", _) => "250-scripted\r\n250 AUTH PLAIN".to_owned(),
                    ("AUTH", _) => format!("535 5.7.8 hunter2 is not the password of ada: {line}"),
                    ("RCPT", Mood::RefusesRecipient) => format!("550 5.1.1 no such user: {line}"),
                    ("RCPT", Mood::Stops) => {
                        self.stopped.notify_one();
                        self.go.notified().await;
                        "250 OK".to_owned()
                    }
                    ("DATA", _) => {
                        mail = Some(Vec::new());
                        "354 go on".to_owned()
                    }
                    _ => "250 OK".to_owned(),
                }
            };
            write
                .write_all(format!("{reply}\r\n").as_bytes())
                .await
                .ok()?;
        }
        Some(())
    }
}
