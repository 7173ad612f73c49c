//! Random bytes from the operating system, the crate's only source of randomness.

/// Returns fresh random bytes.
#[expect(
    clippy::expect_used,
    reason = "without entropy no secret can be made, and a guessable one must not be"
)]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

/// Random bytes that are drawn at once, for values that are made together. Each byte is handed out
/// once. A call of the operating system takes longer than most that is done with what it yields.
pub(crate) struct Drawn<const N: usize> {
    bytes: [u8; N],
    used: usize,
}

impl<const N: usize> Drawn<N> {
    /// Draws them.
    pub(crate) fn new() -> Self {
        Self {
            bytes: bytes(),
            used: 0,
        }
    }

    /// Returns the next bytes, or fresh ones if fewer are left.
    pub(crate) fn take<const M: usize>(&mut self) -> [u8; M] {
        let left = self.bytes.get(self.used..).unwrap_or_default();
        let taken = left.first_chunk::<M>().copied();
        self.used = self.used.saturating_add(M);
        taken.unwrap_or_else(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_handed_out_once_and_then_drawn_anew() {
        let mut drawn = Drawn::<40>::new();
        let all = drawn.bytes;
        let (one, two): ([u8; 16], [u8; 24]) = (drawn.take(), drawn.take());
        assert_eq!([one.as_slice(), &two].concat(), all);
        let (more, last): ([u8; 16], [u8; 16]) = (drawn.take(), drawn.take());
        assert!(![one, [0; 16], last].contains(&more));
        let mut short = Drawn::<20>::new();
        let first: [u8; 16] = short.take();
        let next: [u8; 16] = short.take();
        assert_ne!(first[12..], next[12..], "no byte is filled up with others");
        assert_ne!(next[4..], [0; 12]);
    }
}
