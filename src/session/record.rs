//! `Record`: all of a session in one allocation.
//!
//! - The texts stand in one room, and `places` says where each of them stands. A token's claims are
//!   decoded into that room, and the session's texts stay where they were decoded.
//! - The room has one of a few sizes, because an allocation of any size cannot be made without
//!   unsafe code. What is longer than the largest has an allocation of its own.

use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32},
    },
    time::Duration,
};

use super::id::SessionId;
use crate::{
    clock::{Skew, Timestamp},
    provider::SignInMethod,
};

/// The bytes behind a session's texts.
pub(super) trait Room: AsRef<[u8]> + Send + Sync + UnwindSafe + RefUnwindSafe {}

impl<T: AsRef<[u8]> + Send + Sync + UnwindSafe + RefUnwindSafe> Room for T {}

pub(super) struct Record<R: ?Sized = dyn Room> {
    pub(super) facts: Facts,
    pub(super) places: Places,
    pub(super) is_left: Left,
    pub(super) orders: Orders,
    room: R,
}

/// What a session knows beside its texts.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) id: SessionId,
    pub(super) method: SignInMethod,
    pub(super) term: Term,
    pub(super) times: Times,
    /// How far the steady time of the replica that minted it was ahead of its date.
    pub(super) skew: Skew,
    /// How far the steady time of the replica that began it was ahead of `auth_time`. No renewal
    /// changes it: what counts from the sign-in is judged by it.
    pub(super) auth_skew: Skew,
    /// The latest revocation that was known when the person signed in: the sign-in comes after it.
    pub(super) after: Timestamp,
    /// When the session was read from a request, or made.
    pub(super) as_of: Timestamp,
    /// The key of the token from which it was read, or as which it was handed out.
    pub(super) key: KeyMark,
}

impl Facts {
    /// A constant: made anew for each record, it would be stored in parts and then moved.
    const BLANK: Self = Self {
        id: SessionId::from_bytes([0; 16]),
        method: SignInMethod::MagicAuth,
        term: Term::Usual,
        times: Times {
            issued_at: NEVER,
            expires_at: NEVER,
            auth_time: NEVER,
        },
        skew: Skew::new(Duration::ZERO, 0),
        auth_skew: Skew::new(Duration::ZERO, 0),
        after: NEVER,
        as_of: NEVER,
        key: KeyMark { ring: 0, key: 0 },
    };
}

const NEVER: Timestamp = Timestamp::from_secs(0);

/// The key of a token, and the ring in which it stood. The default is of no token.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyMark {
    pub(super) ring: usize,
    pub(super) key: u64,
}

/// How long a person wanted to stay signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Term {
    #[default]
    Usual,
    /// The person asked to be remembered.
    Remembered,
}

/// When a session was made and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) auth_time: Timestamp,
}

/// Where a text stands in the room.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Where each text stands.
pub(super) type Places = [Place; Field::COUNT];

/// Whether somebody who holds this session has ended it.
#[derive(Default)]
pub(super) struct Left(pub(super) AtomicBool);

/// How many ends that include this session its request has ordered, without those that failed.
/// Several may be under way at once.
#[derive(Default)]
pub(super) struct Orders(pub(super) AtomicU32);

#[derive(Clone, Copy)]
pub(super) enum Field {
    Subject,
    Email,
    Organization,
    Connection,
    FirstName,
    LastName,
    ProviderSession,
    /// The provider's id of the person, if the application granted other ids.
    ProviderSubject,
    ProviderOrganization,
    /// The application's own claims, as JSON.
    Claims,
}

impl Field {
    pub(super) const COUNT: usize = 10;
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Subject,
        Self::Email,
        Self::Organization,
        Self::Connection,
        Self::FirstName,
        Self::LastName,
        Self::ProviderSession,
        Self::ProviderSubject,
        Self::ProviderOrganization,
        Self::Claims,
    ];

    const fn index(self) -> usize {
        match self {
            Self::Subject => 0,
            Self::Email => 1,
            Self::Organization => 2,
            Self::Connection => 3,
            Self::FirstName => 4,
            Self::LastName => 5,
            Self::ProviderSession => 6,
            Self::ProviderSubject => 7,
            Self::ProviderOrganization => 8,
            Self::Claims => 9,
        }
    }
}

impl Record {
    /// Makes a record of texts that stand anywhere.
    pub(super) fn new(facts: Facts, texts: [&str; Field::COUNT]) -> Arc<Self> {
        match texts.iter().map(|text| text.len()).sum() {
            0..=128 => gathered(facts, texts, [0; 128]),
            129..=512 => gathered(facts, texts, [0; 512]),
            length => gathered(facts, texts, vec![0; length]),
        }
    }

    pub(super) fn text(&self, field: Field) -> &str {
        // Never invalid: each text was one before it came into the room.
        std::str::from_utf8(self.bytes(field)).unwrap_or_default()
    }

    pub(super) fn bytes(&self, field: Field) -> &[u8] {
        let place = self.places.get(field.index()).copied().unwrap_or_default();
        let bytes = self.room.as_ref().get(place.start..place.end);
        bytes.unwrap_or_default()
    }

    /// Makes a record of the same texts. Its request is another one.
    pub(super) fn again(&self, facts: Facts) -> Arc<Self> {
        let room = self.room.as_ref();
        match (
            room.len(),
            room.first_chunk::<128>(),
            room.first_chunk::<512>(),
        ) {
            (128, Some(room), _) => Arc::new(Record::with_room(facts, self.places, *room)),
            (512, _, Some(room)) => Arc::new(Record::with_room(facts, self.places, *room)),
            _ => Self::new(facts, self.texts()),
        }
    }

    pub(super) fn texts(&self) -> [&str; Field::COUNT] {
        Field::ALL.map(|field| self.text(field))
    }
}

impl<const N: usize> Default for Record<[u8; N]> {
    /// Makes a record of nothing, whose room is to be filled before its facts are known.
    fn default() -> Self {
        Self::with_room(Facts::BLANK, Places::default(), [0; N])
    }
}

impl<R: Room> Record<R> {
    /// Returns the room, and where the texts stand in it.
    pub(super) fn texts_mut(&mut self) -> (&mut R, &mut Places) {
        (&mut self.room, &mut self.places)
    }

    fn with_room(facts: Facts, places: Places, room: R) -> Self {
        Self {
            facts,
            places,
            is_left: Left::default(),
            orders: Orders::default(),
            room,
        }
    }
}

fn gathered<R>(facts: Facts, texts: [&str; Field::COUNT], mut room: R) -> Arc<Record>
where
    R: Room + AsMut<[u8]> + 'static,
{
    let mut at = 0;
    let places = texts.map(|text| {
        let start = at;
        at += text.len();
        if let Some(space) = room.as_mut().get_mut(start..at) {
            space.copy_from_slice(text.as_bytes());
        }
        Place { start, end: at }
    });
    Arc::new(Record::with_room(facts, places, room))
}
