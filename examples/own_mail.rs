//! An axum application behind email sign-in, with no provider but the layer's own mail.
//!
//! `cargo run --example own_mail` prints the link and the digits. With `SMTP_URL`
//! (`smtps://user:password@mail.example.com`) and `MAIL_FROM` it mails them; one of the two alone
//! is an error. `PORT` chooses the port: default 3000, 0 picks a free one.

#![expect(
    clippy::print_stdout,
    reason = "the terminal is where the link is read"
)]

use std::{
    env::{self, VarError::NotPresent},
    error::Error,
    net::SocketAddr,
};

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, Session, SignIn, SigningKey,
    mailer::{ConsoleMailer, SmtpMailer},
    provider::MailedLinks,
};

/// A person who reads the mail signs in, by its link or by its digits.
fn app(builder: Builder) -> Result<Router, Box<dyn Error>> {
    let layer = match (env::var("SMTP_URL"), env::var("MAIL_FROM")) {
        (Ok(url), Ok(from)) => builder.mailer(SmtpMailer::new(url, from)?),
        (Err(NotPresent), Err(NotPresent)) => builder.mailer(ConsoleMailer::new()),
        // One name is misspelled: the mail would be printed where nobody looks for it.
        _ => return Err("SMTP_URL and MAIL_FROM go together: set both or neither".into()),
    };
    let layer = layer.sign_in(SignIn::LinkAndCode).build()?;
    Ok(Router::new().route("/", get(home)).layer(layer))
}

async fn home(session: Session) -> String {
    format!("Hello {}", session.email())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    // Sessions end with the process. A key from `KeyRing::from_env` outlives it.
    let keys = KeyRing::new(SigningKey::generate()?);

    let app = app(MagicLinkLayer::builder(MailedLinks::new(), keys).public_url(&public_url))?;
    println!("listening on {public_url}");
    // Serve with connect info: sign-in limits are counted per client network.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
