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
