//! Asking for memory before it is needed: with thousands of flows hardly anything that an event touches is in the cache, and a wait for
//! memory costs more than all else that the event does.

pub(crate) use prefetch_index::prefetch_index;

/// Asks for the cache line in which this begins, without waiting for it.
#[inline]
pub(crate) fn prefetch<T>(item: &T) {
    prefetch_index(std::slice::from_ref(item), 0);
}
