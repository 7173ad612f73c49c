//! `Edits`: a test's changes to the profiles or users of later codes.

use std::{collections::VecDeque, sync::Arc};

type Edit<T> = Box<dyn FnOnce(T) -> T + Send>;
type EveryEdit<T> = Arc<dyn Fn(T) -> T + Send + Sync>;

/// A test's changes to the profiles or users of later codes.
pub(super) struct Edits<T> {
    every: Option<EveryEdit<T>>,
    next: VecDeque<Edit<T>>,
}

impl<T: 'static> Edits<T> {
    pub(super) fn push(&mut self, edit: Edit<T>) {
        self.next.push_back(edit);
    }

    pub(super) fn set_every(&mut self, edit: EveryEdit<T>) {
        self.every = Some(edit);
    }

    /// Returns the edit of everybody. Call it outside the lock, too.
    pub(super) fn every(&self) -> impl FnOnce(T) -> T + use<T> {
        let every = self.every.clone();
        move |person| match every {
            Some(edit) => edit(person),
            None => person,
        }
    }

    /// Takes the edit of the next one. Call it outside the lock: it runs the test's code.
    pub(super) fn take(&mut self) -> impl FnOnce(T) -> T + use<T> {
        let (every, next) = (self.every.clone(), self.next.pop_front());
        move |mut person| {
            if let Some(edit) = every {
                person = edit(person);
            }
            match next {
                Some(edit) => edit(person),
                None => person,
            }
        }
    }
}

impl<T> Default for Edits<T> {
    fn default() -> Self {
        Self {
            every: None,
            next: VecDeque::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_everybody_come_before_those_of_the_next() {
        let mut edits = Edits::default();
        edits.set_every(Arc::new(|name: String| name + " of all"));
        edits.push(Box::new(|name| name + ", the next"));
        assert_eq!(edits.take()("ada".to_owned()), "ada of all, the next");
        assert_eq!(edits.take()("eve".to_owned()), "eve of all");
        edits.push(Box::new(|name| name + ", the next"));
        assert_eq!(edits.every()("bob".to_owned()), "bob of all");
    }
}
