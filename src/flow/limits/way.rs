//! `Way`: what is charged together, by one way to pay for an action.

use crate::{
    event::LimitScope,
    flow::Flow,
    throttle::{Charge, Rate, ThrottleKey},
};

/// The charges of one way to pay.
pub(super) type Way = Vec<Item>;

/// One charge of a way.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) scope: LimitScope,
    pub(super) charge: Charge,
    pub(super) after: AfterFailure,
}

/// What becomes of a charge if the provider or the mailer fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// It guards what is for one person. Nothing came of the action, so it is given back.
    GivenBack,
    /// It guards the provider too: nobody may ask one that fails without end.
    Kept,
}

impl Item {
    pub(super) const fn new(
        scope: LimitScope,
        key: ThrottleKey,
        rate: Rate,
        after: AfterFailure,
    ) -> Self {
        Self {
            scope,
            charge: Charge::new(key, rate),
            after,
        }
    }

    /// Charges what everybody has together, or a share of it.
    pub(super) fn of_all(flow: &Flow, label: &'static str, rate: Rate) -> Self {
        let keys = flow.shared.gate.tokens.keys();
        let key = ThrottleKey::from_bytes(keys.pseudonym_of_nothing(label));
        Self::new(LimitScope::Everybody, key, rate, AfterFailure::Kept)
    }
}
