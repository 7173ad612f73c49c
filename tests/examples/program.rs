//! An example as a running program, and what it prints.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A running example, ended when it is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts an example, which cargo has built beside this test.
    pub(crate) fn start(name: &str) -> Self {
        let mut path = env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push(format!("examples/{name}{}", env::consts::EXE_SUFFIX));
        let mut child = Command::new(&path)
            .env("PORT", "0")
            .env_remove("WORKOS_API_KEY")
            .env_remove("MAGIC_LINK_KEY")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}; `cargo build --examples` makes {name}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
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
