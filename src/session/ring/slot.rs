//! The slot of a swapped value. `tests/models` replaces it with a double.

use arc_swap::ArcSwap;

pub(crate) type Slot<T> = ArcSwap<T>;
pub(crate) type Guard<T> = arc_swap::Guard<std::sync::Arc<T>>;

pub(crate) fn new<T>(value: T) -> Slot<T> {
    ArcSwap::from_pointee(value)
}
