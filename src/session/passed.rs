//! The mark of a request that the layer handed on without a session. It tells a public path from a
//! missing layer.

use http::Extensions;

use crate::session::Session;

/// The mark of a request that passed the layer without a session. It has no size.
#[derive(Clone, Copy)]
struct Passed;

/// A second mark, if the store could not tell whether the session is revoked. It has no size.
#[derive(Clone, Copy)]
struct Unsettled;

/// A third mark, if the client came with a bearer token: the ring by which a layer read it.
#[derive(Clone, Copy)]
struct Bearer(usize);

/// The request has not come through the layer.
pub(crate) struct NoLayer;

/// The request has come through another layer before this one.
pub(crate) struct AnotherLayer;

/// Puts the session into a request that the layer hands on. What stood there was another layer's.
pub(crate) fn admit(extensions: &mut Extensions, session: Session) -> Option<AnotherLayer> {
    extensions.insert(session).map(|_| AnotherLayer)
}

/// Marks a request that the layer hands on without a session. What stood there was another layer's,
/// and so was its session: that layer may take people whom this one does not.
pub(crate) fn mark(extensions: &mut Extensions) -> Option<AnotherLayer> {
    let session = extensions.remove::<Session>().map(|_| AnotherLayer);
    let mark = extensions.insert(Passed).map(|Passed| AnotherLayer);
    session.or(mark)
}

/// Finds the mark of another layer, in a request that this one does not hand on.
pub(crate) fn another_layer(extensions: &Extensions) -> Option<AnotherLayer> {
    session(extensions).is_ok().then_some(AnotherLayer)
}

/// Marks a request whose session is in doubt, because the store failed.
pub(crate) fn mark_unsettled(extensions: &mut Extensions) {
    extensions.insert(Unsettled);
}

/// Says whether a request's session is in doubt.
pub(crate) fn is_unsettled(extensions: &Extensions) -> bool {
    extensions.get::<Unsettled>().is_some()
}

/// Marks a request whose bearer token a layer of this ring keeps from the inner service. A refusal
/// behind the layer names an error of the token all the same.
pub(crate) fn mark_bearer(extensions: &mut Extensions, ring: usize) {
    extensions.insert(Bearer(ring));
}

/// Says whether a layer of this ring was given a bearer token, which the request may no longer
/// show.
pub(crate) fn is_bearer(extensions: &Extensions, ring: usize) -> bool {
    let mark = extensions.get::<Bearer>();
    mark.is_some_and(|Bearer(of)| *of == ring)
}

/// Returns the session of a request that has come through the layer, if it has one.
pub(crate) fn session(extensions: &Extensions) -> Result<Option<&Session>, NoLayer> {
    match (extensions.get::<Session>(), extensions.get::<Passed>()) {
        (Some(session), _) => Ok(Some(session)),
        (None, Some(Passed)) => Ok(None),
        (None, None) => Err(NoLayer),
    }
}
