//! A program that runs for as long as a test does.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A running program, ended when it is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts the guard in front of a service.
    pub(crate) fn guard(upstream: &str) -> Self {
        let mut path = env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push(format!("examples/guard{}", env::consts::EXE_SUFFIX));
        let mut guard = Command::new(path);
        guard.env("PORT", "0").env("UPSTREAM", upstream);
        guard
            .env_remove("WORKOS_API_KEY")
            .env_remove("MAGIC_LINK_KEY");
        Self::start(&mut guard)
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{error}: {command:?}; `cargo build --examples` makes the guard")
            });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Returns what follows `start` on the next line.
    pub(crate) fn says(&mut self, start: &str) -> String {
        let line = self.lines.next().expect("a line").unwrap();
        line.strip_prefix(start)
            .unwrap_or_else(|| panic!("{line:?} is not {start:?}"))
            .to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
