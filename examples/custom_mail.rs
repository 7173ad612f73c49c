//! The layer's own mail through an SMTP server, with the application's own words in German.
//!
//! `cargo run --example custom_mail` runs it with a WorkOS in the same process, and mails through
//! `SMTP_URL`: default `smtp://127.0.0.1:2525`, which `python3 -m aiosmtpd -n -l 127.0.0.1:2525`
//! answers and prints, link and all. With `WORKOS_API_KEY` and `WORKOS_CLIENT_ID` set it uses
//! WorkOS. `PORT` chooses the port: default 3000, 0 picks a free one.

#![expect(clippy::print_stdout, reason = "the terminal says where it listens")]

use std::{env, error::Error, net::SocketAddr};

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tower_magic_link::{
    ConfigError, KeyRing, MagicLinkLayer, Session, SigningKey,
    mailer::{Letter, Mail, SmtpMailer},
    workos::WorkOs,
};

const SENDER: &str = "Acme <sign-in@acme.example>";

/// The application, which greets the signed-in person.
pub(crate) fn app(
    workos: WorkOs,
    keys: KeyRing,
    mailer: SmtpMailer,
    public_url: &str,
) -> Result<Router, ConfigError> {
    let layer = MagicLinkLayer::builder(workos, keys)
        .public_url(public_url)
        .application_name("Acme")
        .mailer(mailer.letters(letter))
        .build()?;
    Ok(Router::new().route("/", get(home)).layer(layer))
}

/// Writes in the recipient's language. The layer's own words are English. A mail has a link, a code
/// or both: see `SignIn`.
fn letter(mail: &Mail<'_>) -> Letter {
    let is_german = mail
        .language()
        .and_then(|tag| tag.split('-').next())
        .is_some_and(|language| language.eq_ignore_ascii_case("de"));
    if !is_german {
        return Letter::of(mail);
    }
    let mut paragraphs = Vec::new();
    if let Some(link) = mail.link() {
        let minutes = mail.lifetime().as_secs() / 60;
        let link = link.expose();
        paragraphs.push(format!(
            "Dieser Link gilt einmal, {minutes} Minuten lang:\n\n{link}\n"
        ));
    }
    if let (Some(code), Some(lifetime)) = (mail.code(), mail.code_lifetime()) {
        let minutes = lifetime.as_secs() / 60;
        let code = code.expose();
        paragraphs.push(format!(
            "Dieser Code gilt einmal, {minutes} Minuten lang: {code}\n"
        ));
    }
    Letter::new("Anmelden bei Acme", paragraphs.join("\n"))
}

async fn home(session: Session) -> String {
    format!("hello {}\n", session.email())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);

    let smtp_url = env::var("SMTP_URL").unwrap_or_else(|_| "smtp://127.0.0.1:2525".to_owned());
    let mailer = SmtpMailer::new(smtp_url, SENDER)?;
    let keys = match KeyRing::from_env() {
        Err(ConfigError::Missing { .. }) => KeyRing::new(SigningKey::generate()?),
        keys => keys?,
    };
    // Without WorkOS's two variables it is emulated, for addresses of this machine alone.
    let workos = WorkOs::from_env_or_emulator().await?;

    println!("listening on {public_url}");
    let app = app(workos, keys, mailer, &public_url)?;
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
