//! `Quiet`: the way of quiet networks, before the keys of its counts are made.

use std::net::IpAddr;

use super::{
    ask::key_of,
    networks::Network,
    way::{AfterFailure, Item, Way},
};
use crate::{event::LimitScope, flow::Flow, throttle::Rate};

/// What an action costs besides, if a quiet network pays for it.
pub(super) struct Quiet {
    /// The name of one quiet network's count.
    pub(super) one: &'static str,
    /// The name of the share's count.
    pub(super) all: &'static str,
    pub(super) client: Option<IpAddr>,
    /// What one customer's network may do as a quiet one.
    pub(super) rate: Rate,
    pub(super) share: Rate,
}

impl Quiet {
    /// Charges the client's networks as quiet ones, and their share. Unknown clients have no
    /// network to be charged: where they are, all are.
    pub(super) fn charge_to(self, flow: &Flow, way: &mut Way) {
        let networks = self.client.into_iter().flat_map(Network::of);
        way.extend(networks.map(|network| {
            let key = key_of(flow, self.one, network.name());
            let rate = network.rate(self.rate);
            Item::new(LimitScope::Network, key, rate, AfterFailure::GivenBack)
        }));
        way.push(Item::of_all(flow, self.all, self.share));
    }
}
