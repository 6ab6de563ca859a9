//! The place that a reply holds among the calls in flight until it is kept.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Whatever gives a place back when it is dropped. A reply carries it until the journal has kept
/// the reply, so that what a kill loses is never more than the calls that may be in flight. It is no
/// part of what was answered: all places are equal.
#[derive(Clone, Default)]
pub struct HeldPlace(Option<Arc<dyn Any + Send + Sync>>);

impl HeldPlace {
    /// Holds a place until the last clone of this is dropped.
    pub fn new(place: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Some(place))
    }

    /// Gives the place back, unless a clone holds it.
    pub fn give_back(&mut self) {
        self.0 = None;
    }
}

impl PartialEq for HeldPlace {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for HeldPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "held" } else { "none" })
    }
}
