//! The wall clock of a real program, and not its monotonic one (libfaketime).

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tower_magic_link::clock::Timestamp;

/// The clock of a program, set by a file that libfaketime reads at every reading.
pub(crate) struct Wall {
    file: PathBuf,
    stands: Mutex<Option<Timestamp>>,
}

impl Wall {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("magic-link-{}-clock-{count}", std::process::id());
        let wall = Self {
            file: env::temp_dir().join(name),
            stands: Mutex::default(),
        };
        wall.set(0);
        wall
    }

    /// Sets the clock to so many seconds ahead of the machine's.
    pub(crate) fn set(&self, ahead: i64) {
        *self.stands.lock().unwrap() = None;
        self.write(&format!("{ahead:+}\n"));
    }

    /// Returns the variables with which the program has this clock.
    pub(crate) fn variables(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("LD_PRELOAD", preloaded()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
            ("TZ", "UTC".into()),
        ]
    }

    /// Stops the clock at a moment, from 1970 to 2100.
    pub(crate) fn stand(&self, at: Timestamp) {
        // A thousand calls at one moment write one file.
        let mut stands = self.stands.lock().unwrap();
        if stands.replace(at) == Some(at) {
            return;
        }
        let secs = at.as_secs().min(4_102_444_799);
        let (mut days, second) = (secs / 86_400, secs % 86_400);
        let mut year = 1970;
        let length = |year: u64| if year.is_multiple_of(4) { 366 } else { 365 };
        while days >= length(year) {
            days -= length(year);
            year += 1;
        }
        let mut month = 0;
        let lengths = [
            31,
            length(year) - 337,
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        for length in lengths {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        let (month, day) = (month + 1, days + 1);
        let [hour, minute, second] = [second / 3_600, second / 60 % 60, second % 60];
        self.write(&format!(
            "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}\n"
        ));
    }

    /// Writes what libfaketime reads: a distance, or a date at which the clock stands.
    fn write(&self, what: &str) {
        // Renamed into place: the program must not read half a file.
        let new = self.file.with_extension("new");
        fs::write(&new, what).unwrap();
        fs::rename(new, &self.file).unwrap();
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// Returns the variables of a program whose clock is always so many seconds ahead of the machine's.
pub(crate) fn ahead_by(seconds: i64) -> [(&'static str, PathBuf); 3] {
    [
        ("LD_PRELOAD", preloaded()),
        ("FAKETIME", format!("{seconds:+}").into()),
        ("DONT_FAKE_MONOTONIC", "1".into()),
    ]
}

/// Returns what is loaded before a program's own libraries. Redis's allocator, jemalloc, reads the
/// clock before libfaketime can tell it, so the C library allocates instead.
fn preloaded() -> PathBuf {
    let mut both = library().into_os_string();
    both.push(":libc.so.6");
    both.into()
}

/// Returns where Debian has libfaketime for programs with threads.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap();
    let mut libraries = folders.map(|folder| {
        let folder = folder.unwrap().path();
        folder.join(Path::new("faketime/libfaketimeMT.so.1"))
    });
    libraries
        .find(|library| library.exists())
        .expect("libfaketime, of Debian's package faketime")
}
