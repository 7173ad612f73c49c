//! chromedriver, and the folder that it and its browsers write to.

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{self, Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// A running chromedriver. Dropped, it ends with every browser that it started.
pub(crate) struct Driver {
    child: Child,
    /// Held, since chromedriver ends when nobody reads what it says.
    _lines: Lines<BufReader<ChildStdout>>,
    port: u16,
    profiles: AtomicUsize,
    folder: Folder,
}

/// A folder, gone when it is dropped.
struct Folder(PathBuf);

impl Driver {
    /// Starts chromedriver on a free port.
    pub(crate) fn start() -> Self {
        // It takes one port for IPv4 and IPv6, and ends when the one that it found free in the
        // first is taken in the second.
        let mut tries = (0..10).filter_map(|_| Self::try_start());
        tries.next().expect("a chromedriver that listens")
    }

    fn try_start() -> Option<Self> {
        let folder = Folder::new();
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", &folder.0)
            .stdout(Stdio::piped())
            // The browsers stay in this group, by which they are ended too.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: chromedriver; tests/run installs it"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once(" started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let Some(port) = port else {
            child.wait().unwrap();
            return None;
        };
        Some(Self {
            child,
            _lines: lines,
            port,
            profiles: AtomicUsize::new(0),
            folder,
        })
    }

    /// Returns where WebDriver's commands go.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the folder of a profile that nobody has used.
    pub(crate) fn fresh_profile(&self) -> PathBuf {
        let number = self.profiles.fetch_add(1, Ordering::Relaxed);
        self.folder.0.join(format!("profile-{number}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The shell's own `kill` is there on every machine.
        let end = format!("kill -KILL -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &end]).status();
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        // Not in cargo's folder: Chromium makes a socket below, whose path has 107 characters at
        // most.
        let name = format!("tower-magic-link-chromium-{}-{number}", process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The last of the browsers' processes may still be writing.
        let _ = (0..100).any(|_| fs::remove_dir_all(&self.0).is_ok());
    }
}
