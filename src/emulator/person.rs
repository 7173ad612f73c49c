//! What an emulated profile and an emulated user have in common: an id, an address and names.

/// Gives a person the methods of the fields `id`, `email`, `first_name` and `last_name`.
macro_rules! person {
    ($person:ident, $prefix:literal) => {
        impl $person {
            #[doc = concat!("Returns the id: `", $prefix, "` and 26 characters, unless changed.")]
            #[must_use]
            pub fn id(&self) -> &str {
                &self.id
            }

            /// Returns the address.
            #[must_use]
            pub fn email(&self) -> &str {
                &self.email
            }

            /// Changes the id.
            pub fn with_id(mut self, id: impl Into<String>) -> Self {
                self.id = id.into();
                self
            }

            /// Changes only the address: the id stays.
            #[doc = concat!("[`", stringify!($person), "::of`] creates another person.")]
            pub fn with_email(mut self, email: impl Into<String>) -> Self {
                self.email = email.into();
                self
            }

            /// Adds the person's names.
            pub fn with_names(mut self, first: impl Into<String>, last: impl Into<String>) -> Self {
                self.first_name = Some(first.into());
                self.last_name = Some(last.into());
                self
            }

            /// Returns the `name` of an answer.
            fn whole_name(&self) -> Option<String> {
                let names = self.first_name.as_deref().zip(self.last_name.as_deref());
                names.map(|(first, last)| format!("{first} {last}"))
            }
        }
    };
}

pub(super) use person;
