//! Guarded services by real servers that are not Rust.

use std::{env, fs, process::Command};

use crate::{front::Folder, program::Program};

/// What [`Service`] keeps in its private file.
pub(crate) const SECRET: &str = "for those who are signed in";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Hypercorn,
    Node,
    Uvicorn,
}

/// A server of two files: `/about`, and `/private/secret.txt`.
pub(crate) struct Service {
    pub(crate) origin: String,
    program: Program,
    _folder: Folder,
}

/// One request as a server saw it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Seen {
    pub(crate) version: String,
    pub(crate) path: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Service {
    pub(crate) fn start(server: Server) -> Self {
        let folder = Folder::new();
        fs::write(folder.path().join("about"), "for everybody").unwrap();
        fs::create_dir(folder.path().join("private")).unwrap();
        fs::write(folder.path().join("private/secret.txt"), SECRET).unwrap();
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/forward");
        let python = |name: &str| {
            let python = env::var_os("TEST_PYTHON").unwrap_or_else(|| "python3".into());
            let mut command = Command::new(python);
            command.arg(format!("{scripts}/server.py")).arg(name);
            command
        };
        let mut command = match server {
            Server::Hypercorn => python("hypercorn"),
            Server::Node => {
                let mut command = Command::new("node");
                command.arg(format!("{scripts}/server.mjs"));
                command
            }
            Server::Uvicorn => python("uvicorn"),
        };
        let mut program = Program::start(command.arg(folder.path()));
        Self {
            origin: program.says("listening on "),
            program,
            _folder: folder,
        }
    }

    /// Ends the server.
    pub(crate) fn stop(&mut self) {
        self.program.child.kill().unwrap();
        self.program.child.wait().unwrap();
    }

    /// Returns what the server was asked so far.
    pub(crate) async fn seen(&self) -> Vec<Seen> {
        let seen = reqwest::get(format!("{}/seen", self.origin)).await.unwrap();
        seen.json().await.unwrap()
    }
}

impl Seen {
    /// Returns the values of a field, under any spelling that a gateway takes for its name.
    pub(crate) fn values<'s>(&'s self, name: &'s str) -> Vec<&'s str> {
        let fields = self.fields.iter();
        fields
            .filter(|field| field.0.replace('_', "-").eq_ignore_ascii_case(name))
            .map(|field| field.1.as_str())
            .collect()
    }
}
