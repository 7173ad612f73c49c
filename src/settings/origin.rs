//! `Origin`: where a value stands.

use std::{fmt, mem::discriminant};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In a table that an application has read itself.
    Embedded,
    File(String),
    Flag(String),
    Variable(String),
}

impl Origin {
    /// Says whether both are the same source: the flags, the environment, the file or the table.
    pub(super) fn is_of_same_source(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("a table of settings"),
            Self::File(path) => f.write_str(path),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Variable(name) => write!(f, "variable {name}"),
        }
    }
}
