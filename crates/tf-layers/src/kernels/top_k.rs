//! The first of some order, without sorting the rest.

use std::cmp::Ordering;

/// Writes the first of `items` by `order`, as many as `y` has; equal ones keep their order.
///
/// # Panics
/// If there are fewer.
pub(crate) fn first<T: Copy>(
    items: impl ExactSizeIterator<Item = T>,
    y: &mut [T],
    order: impl Fn(&T, &T) -> Ordering,
) {
    assert!(items.len() >= y.len(), "{} of {} items", y.len(), items.len());
    let mut count = 0;
    for item in items {
        if count == y.len() {
            match y.last() {
                Some(last) if order(&item, last).is_lt() => count -= 1,
                _ => continue,
            }
        }
        let place = y[..count].partition_point(|other| order(other, &item).is_le());
        y.copy_within(place..count, place + 1);
        y[place] = item;
        count += 1;
    }
}
