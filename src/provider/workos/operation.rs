//! `Operation`: what is asked of WorkOS.

/// What is asked of WorkOS. It decides what may be repeated and what a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Authenticate,
    Create,
    CreateCode,
    Exchange,
    Profile,
    Send,
}
