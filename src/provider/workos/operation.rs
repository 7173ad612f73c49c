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

impl Operation {
    /// Returns its name in a span.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "workos.authenticate",
            Self::Create => "workos.create",
            Self::CreateCode => "workos.create_code",
            Self::Exchange => "workos.exchange",
            Self::Profile => "workos.profile",
            Self::Select => "workos.select",
            Self::Send => "workos.send",
        }
    }
}
