//! What the settings refuse: in a file, in a variable, in a flag.

use std::{ffi::OsString, fs, path::PathBuf};

use tower_magic_link::settings::Sources;

use crate::row::{Row, Value};

const KEY: (&str, &str) = (
    "MAGIC_LINK_KEY",
    "HDge+0f2qDskwpnolJZd3t2csYlILEfOKiyg0Q2Qvdk=",
);
/// The settings of a program that starts.
const GOOD: &str = "public_url = \"http://127.0.0.1:3000\"\nprovider = \"mailed-links\"\n\
                    mailer = \"console\"\n";

/// A folder of this test's own, until it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("tower-magic-link-misconfigured-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Returns what is read of a file with these lines after the good ones, and these variables.
    fn read(&self, lines: &str, variables: &[(&str, &str)], flags: &[&str]) -> String {
        let path = self.0.join("app.toml");
        fs::write(&path, format!("{GOOD}{lines}\n")).unwrap();
        self.read_at(path, variables, flags)
    }

    fn read_at(&self, path: PathBuf, variables: &[(&str, &str)], flags: &[&str]) -> String {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| (OsString::from(name), value.into()));
        let sources = Sources::new().file(path).environment(variables);
        let read = sources.flags(flags.iter().copied()).read();
        match read.and_then(|settings| settings.layer()) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{flags:?} is taken"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A mistake in a line of the file.
type Line = (
    &'static str,
    &'static str,
    (&'static str, &'static str, &'static str),
);

#[rustfmt::skip]
const LINES: [Line; 18] = [
    ("an unknown key", "session_lifetme = \"8h\"", ("app.toml", "session_lifetme", "do you mean session_lifetime?")),
    ("a key like no other", "colour = \"red\"", ("app.toml", "colour", "the docs of tower_magic_link::settings list all")),
    ("a key in a table", "[redis]\nurl = \"redis://127.0.0.1\"", ("app.toml", "redis", "all settings stand beside each other")),
    ("a wrong type", "no_store = \"yes\"", ("app.toml: no_store", "\"yes\"", "must be true or false")),
    ("a length without its unit", "session_lifetime = 12", ("app.toml: session_lifetime", "12", "such as 500ms, 30s")),
    ("a length out of range", "session_lifetime = \"10s\"", ("app.toml: session_lifetime", "\"10s\"", "must be 1 minute to 400 days")),
    ("a word that is none", "sign_in = \"password\"", ("app.toml: sign_in", "\"password\"", "must be one of code, link, link-and-code")),
    ("a rate without its time", "limit_mails = \"5\"", ("app.toml: limit_mails", "\"5\"", "such as 10/2m")),
    ("a rate of nothing", "limit_mails = \"0/1s\"", ("app.toml: limit_mails", "0 and one each 1s", "must have a burst of 1 to 1,000,000")),
    ("a list of nobody", "organization = []", ("app.toml: organization", "[]", "name one or more, or leave the setting out")),
    ("a method in small letters", "public_path = [\"post /hooks\"]", ("app.toml: public_path", "\"post /hooks\"", "do you mean POST?")),
    ("a method that is misspelt", "optional_prefix = [\"PSOT /hooks\"]", ("app.toml: optional_prefix", "\"PSOT /hooks\"", "do you mean POST?")),
    ("a language that is not shipped", "languages = [\"de\", \"nl\"]", ("app.toml: languages", "\"nl\"", "use en, ar, de, es, fr, ja")),
    ("a style sheet over http", "page_stylesheet = \"http://a.example/b.css\"", ("app.toml: page_stylesheet", "http://a.example/b.css", "must be a URL of https")),
    ("a logo without its text", "page_logo = \"/logo.svg\"", ("app.toml: page_logo", "", "needs application_name")),
    ("a file of keys beside a key", "key_file = \"/nowhere/keys\"", ("app.toml: key_file", "and key are both set", "remove one of them")),
    ("a file of a secret that is not there", "webhook_secret_file = \"/nowhere/x\"", ("app.toml: webhook_secret_file", "\"/nowhere/x\"", "check the path")),
    ("no TOML", "mount = = \"/auth\"", ("app.toml, line 4,", "", "is no TOML")),
];

pub(super) fn rows() -> Vec<Row> {
    let folder = Folder::new();
    let lines = LINES
        .iter()
        .map(|(name, line, (setting, value, cure))| Row {
            name,
            read: folder.read(line, &[KEY], &[]),
            setting,
            value: Value::Shown(value),
            cure,
        });
    let mut rows: Vec<_> = lines.collect();
    rows.extend(secrets(&folder));
    rows.extend(elsewhere(&folder));
    rows
}

#[rustfmt::skip]
fn secrets(folder: &Folder) -> Vec<Row> {
    let row = |name, read: String, setting, value, cure| Row { name, read, setting, value, cure };
    let secret = Value::Secret;
    let file = folder.0.join("secret");
    fs::write(&file, "hunter2").unwrap();
    let both = [KEY, ("MAGIC_LINK_WEBHOOK_SECRET", "hunter2"), ("MAGIC_LINK_WEBHOOK_SECRET_FILE", file.to_str().unwrap())];
    let prints = "`openssl rand -base64 32` prints a new one";
    let short = "aHVudGVyMg==";
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
    vec![
        row("a secret in the file", folder.read("webhook_secret = \"hunter2\"", &[KEY], &[]), "app.toml: webhook_secret", secret("hunter2"), "set the variable MAGIC_LINK_WEBHOOK_SECRET"),
        row("a secret as a flag", folder.read("", &[KEY], &["--webhook-secret=hunter2"]), "flag --webhook-secret", secret("hunter2"), "or webhook_secret_file to the path of a file"),
        row("a secret as another setting", folder.read("mount = \"sk_test_hunter2\"", &[KEY], &[]), "app.toml: mount", secret("hunter2"), "(its value is not shown)"),
        row("a secret twice", folder.read("", &both, &[]), "webhook_secret and webhook_secret_file", secret("hunter2"), "remove one"),
        row("no key", folder.read("", &[], &[]), "MAGIC_LINK_KEY", Value::Unset, prints),
        row("a key that is no base64", folder.read("", &[("MAGIC_LINK_KEY", "hunter2!")], &[]), "MAGIC_LINK_KEY", secret("hunter2"), prints),
        row("a key that is too short", folder.read("", &[("MAGIC_LINK_KEY", short)], &[]), "MAGIC_LINK_KEY", secret(short), "has 7 bytes, fewer than the 32 that HS256 needs: `openssl rand"),
        row("a key that is public", folder.read("", &[("MAGIC_LINK_KEY", public)], &[]), "MAGIC_LINK_KEY", secret("MCowBQYDK2Vw"), "`openssl genpkey -algorithm ed25519` prints one"),
        row("WorkOS without a key", folder.read("", &[KEY], &["--provider=workos"]), "workos_api_key", Value::Unset, "set the variable WORKOS_API_KEY"),
        row("WorkOS without a client id", folder.read("", &[KEY, ("WORKOS_API_KEY", "sk_test_hunter2")], &["--provider=workos"]), "workos_client_id", Value::Unset, "set it in the file, or the variable WORKOS_CLIENT_ID"),
        row("a URL with a password", folder.read("redis_url = [\"redis://ada:hunter2@127.0.0.1\"]", &[KEY], &[]), "app.toml: redis_url", secret("hunter2"), "set redis_user, and the password by the variable"),
    ]
}

#[rustfmt::skip]
fn elsewhere(folder: &Folder) -> Vec<Row> {
    let row = |name, read: String, setting, value, cure| Row { name, read, setting, value: Value::Shown(value), cure };
    let misspelt = [KEY, ("MAGIC_LINK_SESION_LIFETIME", "8h")];
    let odd = [KEY, ("MAGIC_LINK_COLOUR", "red")];
    let gone = folder.read_at(folder.0.join("gone.toml"), &[KEY], &[]);
    vec![
        row("a file that is not there", gone, "gone.toml", "cannot be read", "check the path"),
        row("a variable that is misspelt", folder.read("", &misspelt, &[]), "variable", "MAGIC_LINK_SESION_LIFETIME", "do you mean MAGIC_LINK_SESSION_LIFETIME?"),
        row("a variable like no other", folder.read("", &odd, &[]), "variable", "MAGIC_LINK_COLOUR", "the docs of tower_magic_link::settings list all"),
        row("a flag that is misspelt", folder.read("", &[KEY], &["--sesion-lifetime=8h"]), "flag", "--sesion-lifetime", "do you mean --session-lifetime?"),
        row("a flag without its value", folder.read("", &[KEY], &["--session-lifetime"]), "flag", "--session-lifetime", "lacks its value"),
        row("a file of keys that is not there", folder.read("key_file = \"/nowhere/keys\"", &[], &[]), "app.toml: key file", "\"/nowhere/keys\"", "cannot be read"),
        // What stands behind `=` may be a secret.
        row("a flag without dashes", folder.read("", &[KEY], &["session-lifetime=8h"]), "flag", "\"session-lifetime\"", "flags begin with --"),
        row("a wrong flag", folder.read("", &[KEY], &["--session-lifetime=8"]), "flag --session-lifetime", "\"8\"", "such as 500ms, 30s"),
        row("a wrong flag of the mailer", folder.read("", &[KEY], &["--mailer=post"]), "flag --mailer", "\"post\"", "must be one of none, smtp, console"),
    ]
}
