//! A WorkOS of one's own on `127.0.0.1:$PORT`: 4200 by default, any free port for 0.
//!
//! ```console
//! $ cargo run --example emulator
//! listening on http://127.0.0.1:4200
//! sign-in link for ada@example.com: http://127.0.0.1:4200/passwordless/01…/confirm
//! sign-in code for ada@example.com: 500013
//! ```
//!
//! It takes any API key that begins with `sk_` and any client id. An application is pointed at it
//! by `WORKOS_BASE_URL=http://127.0.0.1:4200`.

use std::{
    env,
    error::Error,
    io::{self, Write},
};

use tower_magic_link::emulator::Emulator;

/// Makes an emulator that says what its mails hold.
pub(crate) fn app(say: impl Fn(&str) + Send + Sync + 'static) -> Emulator {
    Emulator::builder()
        .mail_codes()
        .on_mail(move |mail| {
            let to = mail.address();
            if let Some(link) = mail.link() {
                say(&format!("sign-in link for {to}: {link}"));
            }
            if let Some(code) = mail.code() {
                say(&format!("sign-in code for {to}: {code}"));
            }
        })
        .build()
}

/// Prints a line at once, also into a pipe. That nobody reads it is no reason to stop.
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
    let server = app(say).serve(port).await?;
    say(&format!("listening on {}", server.base_url()));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
