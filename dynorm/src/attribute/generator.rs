//! Fresh ULIDs: each greater than all that this process has made before.

use std::sync::{Mutex, PoisonError};

use ulid::Ulid;

/// A ULID that is greater than every one that this function has given, in whichever thread.
pub(super) fn next() -> Ulid {
    static LAST: Mutex<Ulid> = Mutex::new(Ulid::nil());
    // The clock and the random numbers are asked before the lock is taken, so that threads hardly meet there.
    let drawn = Ulid::generate();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = following(*last, drawn, std::process::id);
    *last
}

/// The bits by which an id is ahead of the one before it, if both are of one millisecond. The crate's own
/// generator adds 1, so that whoever has one id knows the next; this leaves 48 bits to guess. Half a million
/// ids of one millisecond together take less than a thousandth of its 80 bits.
const STEP: u128 = (1 << 48) - 1;

/// What comes after `last`, with the time and the random bits of `drawn`.
fn following(last: Ulid, drawn: Ulid, process: impl FnOnce() -> u32) -> Ulid {
    if drawn.timestamp_ms() > last.timestamp_ms() {
        // The random numbers of a forked process are those of its parent; its number is not.
        return Ulid(drawn.0 ^ u128::from(process()));
    }
    // In the same millisecond, or the clock was set back. What overflows the random bits goes on in the next
    // millisecond.
    match last.0.checked_add(1 + (drawn.0 & STEP)) {
        Some(next) => Ulid(next),
        // After the year 10889.
        None => drawn,
    }
}

#[cfg(test)]
mod tests {
    use super::{following, next};
    use ulid::Ulid;

    const RANDOM: u128 = (1 << 80) - 1;

    #[test]
    fn whatever_the_clock_does_the_next_is_greater() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut now: u64 = 1_800_000_000_000;
        let mut last = Ulid::nil();
        for _ in 0..20_000 {
            now = match random.u32(0..100) {
                0 => now - random.u64(0..100_000),
                1..10 => now + random.u64(0..1_000),
                _ => now,
            };
            // Now and then the random bits are the greatest that there are, so that the next id overflows
            // them.
            let bits = if random.u32(0..50) == 0 { RANDOM } else { random.u128(0..=RANDOM) };
            let drawn = Ulid::from_parts(now, bits);
            let next = following(last, drawn, || random.u32(..));
            assert!(next > last, "{last} {drawn} {next}");
            // A time that is in the future of the clock is one that an earlier id has, or its overflow.
            assert!(next.timestamp_ms() <= now.max(last.timestamp_ms() + 1));
            last = next;
        }
    }

    #[test]
    fn neighbours_are_not_told_by_each_other() {
        let ids: Vec<u128> = (0..10_000).map(|_| next().0).collect();
        let steps: std::collections::HashSet<u128> =
            ids.array_windows().map(|[one, other]| other - one).collect();
        assert_eq!(steps.len(), ids.len() - 1);
        assert!(steps.iter().min() > Some(&1_000));
    }

    #[test]
    fn a_forked_process_has_ids_of_its_own() {
        let (last, drawn) = (Ulid::from_parts(1, 7), Ulid::from_parts(2, 9));
        assert_ne!(following(last, drawn, || 100), following(last, drawn, || 101));
    }

    #[test]
    fn the_end_of_all_ids_is_no_panic() {
        let drawn = Ulid::from_parts(5, 5);
        assert_eq!(following(Ulid::max(), drawn, || 1), drawn);
    }
}
