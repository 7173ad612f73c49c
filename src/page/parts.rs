//! The parts that several pages have.

/// Gives a page or form the part that says what is mailed.
macro_rules! has_sent {
    ($page:ident, $(#[$adds:meta])+ with_sent, $(#[$returns:meta])+ sent) => {
        impl $page<'_> {
            $(#[$adds])+
            #[must_use]
            pub const fn with_sent(mut self, sent: Sent) -> Self {
                self.sent = sent;
                self
            }

            $(#[$returns])+
            #[must_use]
            pub const fn sent(&self) -> Sent {
                self.sent
            }
        }
    };
}

/// Gives a page the form that asks for a new mail.
macro_rules! has_resend {
    ($page:ident, $(#[$adds:meta])+ with_resend, $(#[$returns:meta])+ resend) => {
        impl<'a> $page<'a> {
            $(#[$adds])+
            #[must_use]
            pub fn with_resend(mut self, resend: impl Into<Option<Resend<'a>>>) -> Self {
                self.resend = resend.into();
                self
            }

            $(#[$returns])+
            #[must_use]
            pub const fn resend(&self) -> Option<Resend<'a>> {
                self.resend
            }
        }
    };
}

/// Gives a page its language.
macro_rules! has_words {
    ($page:ident) => {
        impl<'a> $page<'a> {
            pub(crate) fn with_words(mut self, words: &'a Words) -> Self {
                self.words = Some(words);
                self
            }

            /// Returns what the page says; in English, unless it was given other words.
            pub(super) fn words(&self) -> &'a Words {
                match self.words {
                    Some(words) => words,
                    None => default_words(),
                }
            }
        }
    };
}

pub(super) use {has_resend, has_sent, has_words};
