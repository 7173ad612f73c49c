//! A program that runs for as long as a test does.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A running program, ended when it is dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts an example, which cargo has built beside this test, on a free port and with an
    /// emulator of its own.
    pub(crate) fn example(name: &str, variables: &[(&str, &str)]) -> Self {
        let mut path = env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push(format!("examples/{name}{}", env::consts::EXE_SUFFIX));
        let mut example = Command::new(path);
        example
            .env_remove("WORKOS_API_KEY")
            .env_remove("MAGIC_LINK_KEY");
        example.env("PORT", "0").envs(variables.iter().copied());
        Self::start(&mut example)
    }

    /// Starts any program.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{error}: {command:?}; `cargo build --examples` makes the examples")
            });
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
