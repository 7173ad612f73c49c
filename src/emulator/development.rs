//! `WorkOs::from_env_or_emulator`: a WorkOS without an account, for the first five minutes.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{Emulator, EmulatorServer, Mail};
use crate::{
    email::Email,
    error::ConfigError,
    provider::{
        OneTimeCode,
        workos::{WorkOs, emulated::Emulates},
    },
};

impl WorkOs {
    /// Creates a client as [`from_env`](Self::from_env) does. If neither `WORKOS_API_KEY` nor
    /// `WORKOS_CLIENT_ID` is set, it starts an [`Emulator`] in this process instead, which prints
    /// each link and code to standard output, except those that the layer's
    /// [mailer](crate::Builder::mailer) mails. Needs the feature `emulator`.
    ///
    /// The emulator checks nothing, so anyone who reads the output can sign in as anyone. With it,
    /// `build()` refuses a public URL that is not of this machine (`http://127.0.0.1:3000`,
    /// `http://localhost:3000`). It listens on a free port of `127.0.0.1`, and stops with the last
    /// clone of the client.
    ///
    /// ```
    /// use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, workos::WorkOs};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let workos = WorkOs::from_env_or_emulator().await?;
    /// let layer = MagicLinkLayer::builder(workos, KeyRing::new(SigningKey::generate()?))
    ///     .public_url("http://127.0.0.1:3000")
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env), but for both variables missing; and when no port of this
    /// machine is free.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with IO and time.
    pub async fn from_env_or_emulator() -> Result<Self, ConfigError> {
        match Self::from_env() {
            Err(ConfigError::Missing { setting }) if setting == Self::BOTH => {}
            known => return known,
        }
        let emulator = Emulator::builder().on_mail(print).build();
        let server = emulator.serve(0).await.map_err(|error| {
            let problem = format!("has no free port for an emulator of WorkOS: {error}");
            ConfigError::invalid("127.0.0.1", "port 0", problem)
        })?;
        tracing::warn!(
            target: "tower_magic_link",
            "WorkOS is emulated in this process, which prints links and codes: {} are not set",
            Self::BOTH
        );
        let client = Self::new("sk_emulator", "client_emulator")?.base_url(server.base_url())?;
        Ok(client.emulated_by(server))
    }
}

impl Emulates for EmulatorServer {
    fn mail_code(&self, to: &Email, code: &OneTimeCode, lifetime: Duration) {
        let mail = Mail::with_code(to.as_str().to_owned(), code.clone(), lifetime);
        self.emulator().put_into_mail(&mail);
    }
}

fn print(mail: &Mail) {
    let mut out = io::stdout().lock();
    // Without a standard output there is nobody to tell.
    let _ = match (mail.link(), mail.code()) {
        (Some(link), _) => writeln!(out, "sign-in link for {}: {link}", mail.address()),
        (None, Some(code)) => writeln!(out, "sign-in code for {}: {code}", mail.address()),
        (None, None) => Ok(()),
    };
    // A pipe would hold the lines back until a buffer is full.
    let _ = out.flush();
}
