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

pub(crate) use {redacted, secret_text};
