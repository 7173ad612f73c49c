//! `Users`: since when each address is a user.

use std::collections::HashMap;

use crate::clock::Timestamp;

/// How many users are remembered. One more, and all others are forgotten: an emulator may run in a
/// load test for hours.
const LIMIT: usize = 65_536;

/// When each address became a user, by its lower case.
#[derive(Debug, Default)]
pub(super) struct Users(HashMap<String, Timestamp>);

impl Users {
    /// Returns when an address became a user: now, if it was none.
    pub(super) fn since(&mut self, address: &str, now: Timestamp) -> Timestamp {
        let address = address.to_ascii_lowercase();
        if self.0.len() >= LIMIT && !self.0.contains_key(&address) {
            self.0.clear();
        }
        *self.0.entry(address).or_insert(now)
    }

    /// Forgets a user, and returns since when the address was one.
    pub(super) fn delete(&mut self, address: &str) -> Option<Timestamp> {
        self.0.remove(&address.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_user_since_its_first_code_until_it_is_deleted() {
        let (first, later) = (Timestamp::from_secs(10), Timestamp::from_secs(20));
        let mut users = Users::default();
        assert_eq!(users.since("ada@example.com", first), first);
        assert_eq!(users.since("ADA@example.com", later), first);
        assert_eq!(users.delete("ada@EXAMPLE.com"), Some(first));
        assert_eq!(users.since("ada@example.com", later), later);
    }
}
