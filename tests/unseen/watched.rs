//! A provider, a mailer or a store of an application's, of which a walk sees all that it is given
//! and answers.

use tower_magic_link::{
    Session,
    check::{Checking, Line},
    clock::Timestamp,
    event::Listener,
    mailer::{Mail, MailError, Mailer},
    provider::{
        Abilities, Finish, FinishChoice, FinishCode, Identity, IdentityProvider, ProviderError,
        Start, StartCode, Started, StartedCode,
    },
    revocation::{Lookup, Revocation, Revocations},
    store::StoreFuture,
};

use crate::{net::Source, secrets::Kind, walk::Walk};

pub(crate) struct Watched<P> {
    port: P,
    walk: Walk,
}

impl<P> Watched<P> {
    pub(crate) fn new(port: P, walk: &Walk) -> Self {
        let walk = walk.clone();
        Self { port, walk }
    }
}

impl<P: std::fmt::Debug> std::fmt::Debug for Watched<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.port.fmt(f)
    }
}

impl<P: IdentityProvider> IdentityProvider for Watched<P> {
    fn abilities(&self) -> Abilities {
        self.port.abilities()
    }

    async fn check(&self, now: Timestamp) -> Vec<Line> {
        self.port.check(now).await
    }

    async fn start(&self, start: &Start<'_>) -> Result<Started, ProviderError> {
        self.walk.show(start);
        self.walk.secrets.add(Kind::State, start.state);
        let started = self.port.start(start).await;
        if let Some(link) = started.as_ref().ok().and_then(Started::link) {
            self.walk.secrets.add_link(link.expose());
        }
        self.walk.keep(started)
    }

    async fn finish(&self, finish: &Finish<'_>) -> Result<Identity, ProviderError> {
        self.walk.show(finish);
        self.walk.secrets.add(Kind::OAuthCode, finish.code.expose());
        self.walk.keep(self.port.finish(finish).await)
    }

    async fn start_code(&self, start: &StartCode<'_>) -> Result<StartedCode, ProviderError> {
        self.walk.show(start);
        let started = self.port.start_code(start).await;
        if let Some(code) = started.as_ref().ok().and_then(StartedCode::code) {
            self.walk.secrets.add(Kind::Code, code.expose());
        }
        self.walk.keep(started)
    }

    async fn finish_code(&self, finish: &FinishCode<'_>) -> Result<Identity, ProviderError> {
        self.walk.show(finish);
        let finished = self.port.finish_code(finish).await;
        let choice = finished.as_ref().err().and_then(ProviderError::choice);
        if let Some(choice) = choice {
            let pending = choice.pending().expose();
            self.walk.secrets.add(Kind::ProviderToken, pending);
        }
        self.walk.keep(finished)
    }

    async fn finish_choice(&self, finish: &FinishChoice<'_>) -> Result<Identity, ProviderError> {
        self.walk.show(finish);
        self.walk.keep(self.port.finish_choice(finish).await)
    }
}

impl<M: Mailer> Mailer for Watched<M> {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        self.walk.show(mail);
        if let Some(link) = mail.link() {
            self.walk.show(link);
            self.walk.secrets.add_link(link.expose());
        }
        if let Some(code) = mail.code() {
            self.walk.show(code);
            self.walk.secrets.add(Kind::Code, code.expose());
        }
        let sent = self.port.send(mail).await;
        if let Err(error) = &sent {
            // Without its source, which is what the mail server said: `MailError` documents that.
            let text = format!("{error} {error:?} {}", error.reason());
            self.walk.put(&Source::Error, text);
        }
        sent
    }

    async fn check(&self, now: Timestamp) -> Vec<Line> {
        self.port.check(now).await
    }
}

impl<R: Revocations> Revocations for Watched<R> {
    fn look_up(&self, session: &Session) -> Lookup {
        self.walk.show(session);
        let found = self.port.look_up(session);
        self.walk.show(&found);
        found
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> StoreFuture<'a, ()> {
        Box::pin(async { self.walk.keep(self.port.revoke(revocation).await) })
    }

    fn check(&self, now: Timestamp) -> Checking<'_> {
        self.port.check(now)
    }

    fn tell_to(&self, listener: &Listener) {
        self.port.tell_to(listener);
    }
}
