//! The fault of each request, which depends only on the seed and the number of the request.

use std::time::Duration;

use fastrand::Rng;

use super::faults::{Fault, Faults, Shares};

/// What to do with one request.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    pub(super) unprocessed: Unprocessed,
    pub(super) delay: Duration,
    pub(super) chance: Rng,
}

/// Which items of a batch are left unprocessed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unprocessed {
    Share(f64),
    Exactly(usize),
}

impl Faults {
    pub(super) fn plan(&self, number: usize) -> Plan {
        let mut chance = chance(self.seed, number);
        let (fault_draw, delay_draw) = (chance.f64(), chance.f64());
        let (shortest, longest) = self.delay;
        let delay = shortest.saturating_add(longest.saturating_sub(shortest).mul_f64(delay_draw));
        let scripted = self.script.get(number).copied();
        let fault = scripted.unwrap_or_else(|| self.shares.pick(fault_draw));
        let (unprocessed, delay) = match fault {
            Fault::Unprocessed(count) => (Unprocessed::Exactly(count), delay),
            Fault::Delay(more) => (Unprocessed::Exactly(0), delay.saturating_add(more)),
            _ if scripted.is_some() => (Unprocessed::Exactly(0), delay),
            _ => (Unprocessed::Share(self.unprocessed), delay),
        };
        Plan { fault, unprocessed, delay, chance }
    }
}

impl Shares {
    fn pick(&self, draw: f64) -> Fault {
        let shares = [
            (self.throttle, Fault::Throttle),
            (self.hot_key_range, Fault::HotKeyRange),
            (self.server_error, Fault::ServerError),
            (self.refused, Fault::Refused),
            (self.cut_before, Fault::CutBefore),
            (self.cut_after, Fault::CutAfter),
            (self.conflict, Fault::Conflict),
            (self.in_progress, Fault::InProgress),
        ];
        let mut limit = 0.0;
        for (share, fault) in shares {
            limit += share;
            if draw < limit {
                return fault;
            }
        }
        Fault::None
    }
}

/// Returns the random numbers of one request.
fn chance(seed: u64, number: usize) -> Rng {
    // The seed is mixed first, so that neighbouring seeds do not give shifted sequences.
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    Rng::with_seed(Rng::with_seed(seed).u64(..).wrapping_add(number))
}

impl Unprocessed {
    /// Returns which of `count` items are executed.
    pub(super) fn keep(self, count: usize, chance: &mut Rng) -> Vec<bool> {
        match self {
            Self::Share(share) => (0..count).map(|_| chance.f64() >= share).collect(),
            Self::Exactly(hand_back) => {
                let mut left = hand_back.min(count);
                let pick = |position: usize| {
                    let picked = chance.f64() * ((count - position) as f64) < left as f64;
                    left -= usize::from(picked);
                    !picked
                };
                (0..count).map(pick).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, Unprocessed, chance};

    #[test]
    fn the_shares_of_many_requests_are_those_that_were_asked_for() {
        let faults = Faults::seeded(3).throttle(0.05).cut_after(0.01).unprocessed(0.2);
        let faults: Vec<Fault> = (0..100_000).map(|number| faults.plan(number).fault).collect();
        let share = |of: Fault| faults.iter().filter(|fault| **fault == of).count() as f64 / 100_000.0;
        assert!((share(Fault::Throttle) - 0.05).abs() < 0.003);
        assert!((share(Fault::CutAfter) - 0.01).abs() < 0.002);
        assert!((share(Fault::None) - 0.94).abs() < 0.003);
    }

    #[test]
    fn what_is_no_share_counts_as_the_nearer_end() {
        let fault = |share: f64| Faults::seeded(3).throttle(share).plan(0).fault;
        assert_eq!([-1.0, f64::NAN, 0.0].map(fault), [Fault::None; 3]);
        assert_eq!([1.0, 7.0, f64::INFINITY].map(fault), [Fault::Throttle; 3]);
    }

    #[test]
    fn an_exact_number_of_items_is_handed_back_and_not_always_the_same_ones() {
        for hand_back in [0, 1, 7, 24, 25, 99] {
            let mut different = std::collections::HashSet::new();
            for seed in 0..50 {
                let keep = Unprocessed::Exactly(hand_back).keep(25, &mut chance(seed, 0));
                assert_eq!(keep.iter().filter(|keep| !**keep).count(), hand_back.min(25));
                different.insert(keep);
            }
            assert_eq!(different.len() > 1, (1..25).contains(&hand_back));
        }
    }
}
