//! What a request says: its head, its audience and its client's address. Nothing here decides.

pub(crate) mod accept;
pub(crate) mod audience;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod forwarded_host;
pub(crate) mod head;
pub(crate) mod names;
pub(crate) mod peer;
mod routed;
pub(crate) mod said;
pub(crate) mod unnamed;
pub(crate) mod upgrade;
