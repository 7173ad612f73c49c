//! Secrets whose `Debug` shows nothing, so that no log can print one by accident.

/// Gives a type a `Debug` that prints `[redacted]`.
macro_rules! redacted {
    ($secret:ty) => {
        impl ::std::fmt::Debug for $secret {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

/// Gives a public newtype of a text its two methods: one wraps the text, one shows it.
macro_rules! secret_text {
    ($secret:ident, $what:literal) => {
        impl $secret {
            #[doc = concat!("Wraps a ", $what, ".")]
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            #[doc = concat!("Returns the ", $what, " itself. It must not reach a log.")]
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        $crate::secret::redacted!($secret);
    };
}

/// Has two secrets of a text compared without telling, by the time, where they differ.
macro_rules! compared_in_constant_time {
    ($secret:ident) => {
        impl PartialEq for $secret {
            fn eq(&self, other: &Self) -> bool {
                $crate::secret::is_same(&self.0, &other.0)
            }
        }

        impl Eq for $secret {}
    };
}

/// Says whether two texts are the same. Of two that have the same length it takes the same time.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let difference = pairs.fold(0, |difference, (one, other)| difference | (one ^ other));
    // Without the barrier the compiler may leave the loop at the first difference.
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

pub(crate) use {compared_in_constant_time, redacted, secret_text};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_only_byte_for_byte() {
        let cases = [
            ("424242", "424242", true),
            ("424242", "424243", false),
            ("424242", "42424", false),
            ("424242", "4242420", false),
            ("", "", true),
            ("", "4", false),
        ];
        for (one, other, want) in cases {
            assert_eq!(is_same(one, other), want, "{one} {other}");
        }
    }
}
