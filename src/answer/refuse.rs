//! Refuses a request: reports the event, counts it, and answers.

use bytes::Bytes;
use http::Response;

use super::answer_to;
use crate::{
    event::Event,
    rejection::Rejection,
    request::{audience::Audience, head::RequestHead},
    session::Session,
    shared::Shared,
};

impl Shared {
    /// Answers a request that may not pass.
    pub(crate) fn refuse(&self, rejection: Rejection, head: &RequestHead<'_>) -> Response<Bytes> {
        // Whose session it was is read for a listener alone. Few kinds have a session that is good.
        let reading = || self.clock.at(self.clock.now());
        let is_told = self.listener.is_set();
        let session = is_told.then(|| self.gate.session(head, reading()).ok());
        self.refuse_of(session.flatten().as_ref(), rejection, head)
    }

    /// Does the same for a request whose session is known, and whose cookie perhaps is not.
    pub(crate) fn refuse_of(
        &self,
        session: Option<&Session>,
        rejection: Rejection,
        head: &RequestHead<'_>,
    ) -> Response<Bytes> {
        let kind = rejection.kind();
        let context = self.context(*head).with_session(session);
        self.listener.tell_in(context, &Event::Refused { kind });
        // Read once: this is what a stranger can have the layer do.
        let said = &head.said();
        let audience = Audience::of_head(head, said);
        self.meters.count_refused(kind.code(), audience.name());
        answer_to(head.method(), rejection.respond(audience, self, head, said))
    }

    /// Answers a request that was refused before, and reported and counted then.
    pub(crate) fn refuse_again(
        &self,
        rejection: Rejection,
        head: &RequestHead<'_>,
    ) -> Response<Bytes> {
        let said = &head.said();
        let audience = Audience::of_head(head, said);
        answer_to(head.method(), rejection.respond(audience, self, head, said))
    }
}
