//! A local WorkOS on `127.0.0.1:$PORT`: default 4200, 0 picks a free port.
//!
//! ```console
//! $ cargo run --example emulator
//! listening on http://127.0.0.1:4200
//! sign-in link for ada@example.com: http://127.0.0.1:4200/passwordless/01…/confirm
//! sign-in code for ada@example.com: 500013
//! ```
//!
//! If the application has a mailer, set `MAIL_CODES=no`, or each code is printed twice. It does
//! what a switch in WorkOS's dashboard does.
//!
//! It accepts any API key that begins with `sk_`, and any client id. Point an application at it
//! with `WORKOS_BASE_URL=http://127.0.0.1:4200`. `grace@several.example` belongs to two
//! organizations, so its code asks for a choice.

use std::{
    env,
    error::Error,
    io::{self, Write},
};

use tower_magic_link::emulator::{Emulator, EmulatorBuilder};

/// Makes an emulator that prints what it mails.
pub(crate) fn app(
    builder: EmulatorBuilder,
    say: impl Fn(&str) + Send + Sync + 'static,
) -> Emulator {
    let emulator = builder
        .on_mail(move |mail| {
            let to = mail.address();
            if let Some(link) = mail.link() {
                say(&format!("sign-in link for {to}: {link}"));
            }
            if let Some(code) = mail.code() {
                say(&format!("sign-in code for {to}: {code}"));
            }
        })
        .build();
    emulator.add_membership("grace@several.example", "org_01ACME", "Acme");
    emulator.add_membership("grace@several.example", "org_01GLOBEX", "Globex");
    emulator
}

/// Prints a line and flushes it, for pipes. A closed pipe does not stop the emulator.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match env::var("PORT") {
        Ok(port) => port.parse()?,
        Err(_) => 4200,
    };
    let builder = match env::var("MAIL_CODES").as_deref() {
        Ok("no") => Emulator::builder(),
        Ok("yes") | Err(_) => Emulator::builder().mail_codes(),
        Ok(_) => return Err("MAIL_CODES must be yes or no".into()),
    };
    let server = app(builder, say).serve(port).await?;
    say(&format!("listening on {}", server.base_url()));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
