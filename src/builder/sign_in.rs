//! Settings of how people sign in.

use super::Builder;
use crate::page::CrossDevice;

/// What the builder was told of how people sign in.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) cross_device: CrossDevice,
}

impl Builder {
    /// Sets what opening the link in another browser than the one that began comes to. Default: [`CrossDevice::MatchCode`].
    ///
    /// In the browser that began, the link signs in at once, whatever is set here.
    pub fn cross_device(mut self, cross_device: CrossDevice) -> Self {
        self.sign_in.cross_device = cross_device;
        self
    }
}
