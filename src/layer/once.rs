//! The one place where a future of the layer panics: polled after it has completed.

/// Takes what a future gives away once.
///
/// # Panics
///
/// If it is gone. A caller that polls a completed future breaks the contract of [`Future`], and no
/// response would be right.
#[track_caller]
#[expect(
    clippy::expect_used,
    reason = "the Future contract: not polled after completion"
)]
pub(crate) fn once<T>(slot: &mut Option<T>) -> T {
    slot.take().expect("polled after completion")
}
