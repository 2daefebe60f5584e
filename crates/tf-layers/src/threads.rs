//! The threads of rayon's pool, with the feature `parallel`; without it there is one.

#[cfg(feature = "parallel")]
pub(crate) use rayon::{current_num_threads, join};
#[cfg(not(feature = "parallel"))]
pub(crate) use serial::{current_num_threads, join};

/// What rayon has, for one thread.
#[cfg(not(feature = "parallel"))]
mod serial {
    pub(crate) fn current_num_threads() -> usize {
        1
    }

    pub(crate) fn join<A, B>(first: impl FnOnce() -> A, second: impl FnOnce() -> B) -> (A, B) {
        (first(), second())
    }
}
