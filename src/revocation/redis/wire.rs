//! How revocations are encoded in Redis, and the script that records them.
//!
//! - A revocation is a member of one sorted set: a letter for its kind, then the session's 16
//!   bytes, or `at:name` for a revocation that ends many sessions. Its score is the second in which
//!   it may be forgotten.
//! - An order of a kind that only a later version knows is skipped and logged.

use ::redis::{Cmd, Script, cmd};

use crate::{
    clock::Timestamp,
    random,
    revocation::{
        Revocation,
        target::{Target, membership, read_membership},
    },
    session::SessionId,
    store::redis::Redis,
};

/// About how many revocations the stream keeps. A replica that has missed more loads all.
const STREAM_LENGTH: u32 = 10_000;
/// The largest second that a score, which is a double, holds exactly.
pub(super) const LAST_SECOND: u64 = 1 << 53;

/// The keys, and the scripts.
pub(super) struct Wire {
    pub(super) keys: [String; 4],
    pub(super) state: Script,
    pub(super) arrive: Script,
    pub(super) put: Script,
    pub(super) restore: Script,
}

/// Returns a script of the folder, with what all of them share.
macro_rules! script {
    ($name:literal) => {
        Script::new(concat!(
            include_str!("lua/shared.lua"),
            include_str!(concat!("lua/", $name, ".lua"))
        ))
    };
}

impl Wire {
    pub(super) fn of(redis: &Redis) -> Self {
        Self {
            keys: ["ended", "groups", "state", "stream"].map(|name| redis.key(name)),
            state: script!("state"),
            arrive: script!("arrive"),
            put: script!("put"),
            restore: script!("restore"),
        }
    }

    /// Reads the next page of all revocations.
    pub(super) fn scan(&self, cursor: &str, count: u32) -> Cmd {
        let [entries, ..] = &self.keys;
        let mut scan = cmd("ZSCAN");
        scan.arg(entries).arg(cursor).arg("COUNT").arg(count);
        scan
    }

    /// Reads the revocations after one, and waits up to `block` for the next if there is none.
    pub(super) fn read(&self, behind: u64, block: Option<std::time::Duration>) -> Cmd {
        let [.., stream] = &self.keys;
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(1_000);
        if let Some(block) = block {
            let millis = u64::try_from(block.as_millis()).unwrap_or(u64::MAX);
            read.arg("BLOCK").arg(millis);
        }
        read.arg("STREAMS").arg(stream).arg(format!("{behind}-0"));
        read
    }
}

/// The reply of `XREAD`: each stream's entries, and each entry's id and fields.
pub(super) type Entries = Option<Vec<(Vec<u8>, Vec<(String, Vec<Vec<u8>>)>)>>;

/// The reply of `ZSCAN` after the next cursor: members and their scores.
pub(super) type Page = Vec<(Vec<u8>, Vec<u8>)>;

/// Returns the arguments of the script that puts revocations on a server of this history.
pub(super) fn put_arguments<'a>(
    revocations: impl Iterator<Item = &'a Revocation>,
    now: Timestamp,
    history: &str,
) -> Vec<Vec<u8>> {
    let mut arguments = vec![
        seconds(now).into_bytes(),
        name().into_bytes(),
        STREAM_LENGTH.to_string().into_bytes(),
        history.as_bytes().to_vec(),
    ];
    arguments.extend(revocations.flat_map(words));
    arguments
}

/// Returns the arguments of the script that puts revocations back without the stream.
pub(super) fn restore_arguments(revocations: &[Revocation], id: &str) -> Vec<Vec<u8>> {
    let mut arguments = vec![id.as_bytes().to_vec()];
    arguments.extend(revocations.iter().flat_map(words));
    arguments
}

fn words(revocation: &Revocation) -> [Vec<u8>; 4] {
    let (kind, name) = parts(revocation.target());
    [
        vec![kind],
        name,
        seconds(revocation.at()).into_bytes(),
        seconds(revocation.until()).into_bytes(),
    ]
}

/// Returns a random name, for a data set or a replica.
pub(super) fn name() -> String {
    format!("{:016x}", u64::from_be_bytes(random::bytes()))
}

/// Returns the member that stands for a revocation.
pub(super) fn member(revocation: &Revocation) -> Vec<u8> {
    let (kind, name) = parts(revocation.target());
    let mut member = vec![kind];
    if !matches!(revocation.target(), Target::Session(_)) {
        member.extend(seconds(revocation.at()).bytes());
        member.push(b':');
    }
    member.extend(name);
    member
}

fn parts(target: &Target) -> (u8, Vec<u8>) {
    match target {
        Target::Address(address) => (b'a', address.to_ascii_lowercase().into_bytes()),
        Target::Connection(id) => (b'c', id.clone().into_bytes()),
        Target::Membership {
            subject,
            organization,
        } => (b'm', membership(subject, organization).into_bytes()),
        Target::Organization(id) => (b'o', id.clone().into_bytes()),
        Target::ProviderSession(id) => (b'p', id.clone().into_bytes()),
        Target::Session(id) => (b's', id.to_bytes().to_vec()),
        Target::Subject(subject) => (b'u', subject.clone().into_bytes()),
    }
}

fn seconds(moment: Timestamp) -> String {
    moment.as_secs().min(LAST_SECOND).to_string()
}

/// Decodes a member. A session's revocation does not keep when it was given: no look-up needs it.
pub(super) fn revocation(member: &[u8], until: &[u8]) -> Option<Revocation> {
    let until = moment(until)?;
    let (kind, rest) = member.split_first()?;
    if *kind == b's' {
        let id = SessionId::from_bytes(rest.try_into().ok()?);
        return Some(Revocation::new(
            Target::Session(id),
            Timestamp::from_secs(0),
            until,
        ));
    }
    let (at, name) = std::str::from_utf8(rest).ok()?.split_once(':')?;
    let name = name.to_owned();
    let target = match kind {
        b'a' => Target::Address(name),
        b'c' => Target::Connection(name),
        b'm' => {
            let (subject, organization) = read_membership(&name)?;
            Target::Membership {
                subject: subject.to_owned(),
                organization: organization.to_owned(),
            }
        }
        b'o' => Target::Organization(name),
        b'p' => Target::ProviderSession(name),
        b'u' => Target::Subject(name),
        _ => return None,
    };
    Some(Revocation::new(target, moment(at.as_bytes())?, until))
}

/// Parses a second, as this file wrote it or as Redis prints a double.
fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(secs) = text.parse() {
        return Some(Timestamp::from_secs(secs));
    }
    // Redis prints seconds up to 2^53 as integers, except those that end in many zeros: `1e+15`.
    let secs = text.parse::<f64>().ok()?;
    format!("{secs:.0}").parse().ok().map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_is_read_as_it_was_written() {
        let named = |name: &str| name.to_owned();
        let targets = [
            Target::Session(SessionId::from_bytes([b':'; 16])),
            Target::Address(named("ada@example.com")),
            Target::Connection(named("conn:1")),
            Target::Membership {
                subject: named("user:1"),
                organization: named("org_1"),
            },
            Target::Organization(named("")),
            Target::ProviderSession(named("session_1")),
            Target::Subject(named("\u{e4}:\n")),
        ];
        for target in targets {
            let at = Timestamp::from_secs(match target {
                Target::Session(_) => 0,
                _ => 20,
            });
            let written = Revocation::new(target, at, Timestamp::from_secs(1_767_225_600));
            for until in ["1767225600", "1.7672256e9"] {
                let read = revocation(&member(&written), until.as_bytes());
                assert_eq!(read.as_ref(), Some(&written), "{until}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_read() {
        for member in [
            &b""[..],
            b"s",
            b"sshort",
            b"u",
            b"u20",
            b"ux:y",
            b"z20:y",
            b"u20:\xff",
            b"m20:user_1org_1",
            b"m20:9:user_1",
        ] {
            assert_eq!(revocation(member, b"1"), None, "{member:?}");
        }
        assert_eq!(revocation(b"u20:y", b"x"), None);
    }

    #[test]
    fn a_second_that_no_double_holds_is_the_last_that_one_does() {
        assert_eq!(seconds(Timestamp::from_secs(u64::MAX)), "9007199254740992");
        assert_eq!(
            moment(b"9.007199254740992e15"),
            Some(Timestamp::from_secs(LAST_SECOND))
        );
        assert_eq!(moment(b"-1"), None);
        assert_eq!(moment(b"nan"), None);
    }
}
