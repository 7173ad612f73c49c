//! The members of a JSON object that the webhook reads, out of a text that may hold any others.
//!
//! - A value is judged when it is read and not before. So a member that the webhook does not read
//!   may hold any JSON (RFC 8259): half of a surrogate pair, a number beyond `f64`, any depth.
//!   serde_json's `Value` refuses these three. serde_json skips a value without recursion.
//! - Of several members with one name, the last counts.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text of one JSON value.
#[derive(Clone, Copy)]
pub(super) struct Unread<'t>(&'t str);

impl<'t> Unread<'t> {
    pub(super) const fn of(text: &'t str) -> Self {
        Self(text)
    }

    /// Returns the values of an object's members. `None` if this is no object.
    pub(super) fn members<const N: usize>(self, names: [&str; N]) -> Option<[Option<Self>; N]> {
        let mut json = serde_json::Deserializer::from_str(self.0);
        let members = Members(names).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(members.map(|member| member.map(Self::raw)))
    }

    /// Returns an array's values. `None` if this is no array.
    pub(super) fn list(self) -> Option<Vec<Self>> {
        let values: Vec<&'t RawValue> = serde_json::from_str(self.0).ok()?;
        Some(values.into_iter().map(Self::raw).collect())
    }

    /// Returns a string's text. `None` if this is no string, or holds half of a surrogate pair: no
    /// text stands for that half.
    pub(super) fn text(self) -> Option<String> {
        serde_json::from_str(self.0).ok()
    }

    fn raw(value: &'t RawValue) -> Self {
        Self(value.get())
    }
}

/// Reads the members of these names, in this order, and skips all others.
struct Members<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        // Not as a struct: serde would also accept an array of the members' values.
        json.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [None; N];
        while let Some(at) = map.next_key_seed(Name(&self.0))? {
            match at.and_then(|at| members.get_mut(at)) {
                Some(member) => *member = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

/// Finds a member's name among these. Names are compared as bytes, because a name that nobody reads
/// may hold half of a surrogate pair too.
struct Name<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|one| one.as_bytes() == name))
    }
}
