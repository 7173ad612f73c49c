//! `Operation`: the kinds of request to WorkOS.

/// A kind of request to WorkOS. It decides whether a retry is allowed and what a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Authenticate,
    Create,
    CreateCode,
    Exchange,
    Profile,
    /// The choice of an organization, at the same endpoint as `Authenticate`.
    Select,
    Send,
}
