//! Which parts of a cluster one scan looks at: those that are due, the longest waiting first, as long as its requests allow.
//!
//! Ghosts are looked for in every scan. The rest changes slowly and takes its turn, so that no scan asks more of an account or of an
//! API server than it may, however many parts there are, and whoever asks for a scan by hand asks no more than the schedule does.

use domain::watch::{PARTS, Part, Watchbook};
use domain::{SignedDuration, Timestamp};

/// Requests of EC2 and of Kubernetes that one scan of a cluster may make: the law of the house (200 clusters of an account, each
/// hour, stay far below half of what EC2 gives the account).
pub const BUDGET: Requests = Requests { ec2: 4, kubernetes: 6 };
/// What looking for ghosts takes of it: one list of instances, one of nodes.
pub const GHOSTS: Requests = Requests { ec2: 1, kubernetes: 1 };
/// Pods of a cluster of fifty nodes come on two pages; more pages of a larger cluster are no more per node.
pub const PAGES_OF_PODS: u32 = 2;
/// A part that could not be looked at is tried again after this, but never before one that has waited longer.
const AGAIN: SignedDuration = SignedDuration::from_mins(55);
/// Scans come once an hour, some minutes early or late.
const EARLY: SignedDuration = SignedDuration::from_mins(10);

/// How many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// Of EC2. Load balancers and Auto Scaling have rates of their own.
    pub ec2: u32,
    /// Of the cluster's API server.
    pub kubernetes: u32,
}

impl Requests {
    fn plus(self, other: Requests) -> Requests {
        Requests { ec2: self.ec2 + other.ec2, kubernetes: self.kubernetes + other.kubernetes }
    }

    fn fits(self) -> bool {
        self.ec2 <= BUDGET.ec2 && self.kubernetes <= BUDGET.kubernetes
    }
}

/// How often a part is looked at. Grace of volumes is counted in days; what lies idle in the network changes more slowly still.
pub fn every(part: Part) -> SignedDuration {
    match part {
        Part::Volumes | Part::Addresses => SignedDuration::from_hours(6),
        Part::Gateways | Part::Balancers | Part::Zones => SignedDuration::from_hours(24),
    }
}

/// What a part takes at the most, in a cluster of fifty nodes.
pub fn takes(part: Part) -> Requests {
    match part {
        // Volumes, and PersistentVolumes.
        Part::Volumes => Requests { ec2: 1, kubernetes: 1 },
        Part::Addresses => Requests { ec2: 1, kubernetes: 0 },
        // Gateways, and the routes that lead to them.
        Part::Gateways => Requests { ec2: 2, kubernetes: 0 },
        // Services.
        Part::Balancers => Requests { ec2: 0, kubernetes: 1 },
        // Services, EndpointSlices, pods, and what a source of traffic says.
        Part::Zones => Requests { ec2: 0, kubernetes: 3 + PAGES_OF_PODS },
    }
}

/// Whether only what is due is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The schedule asks.
    Due,
    /// A person asks: everything that there are requests for, whatever was seen an hour ago.
    Whole,
}

/// The parts of this scan, out of those that are wanted at all.
pub fn turn(book: &Watchbook, wanted: &[Part], asked: Asked, now: Timestamp) -> Vec<Part> {
    let next = |part: &Part| book.next.get(part).copied().unwrap_or(Timestamp::MIN);
    let mut waiting: Vec<Part> = PARTS
        .into_iter()
        .filter(|part| wanted.contains(part))
        .filter(|part| asked == Asked::Whole || next(part) <= now.saturating_add(EARLY).unwrap_or(now))
        .collect();
    // A stable sort: of those that have waited equally long, the first of PARTS comes first.
    waiting.sort_by_key(next);
    let mut spent = GHOSTS;
    waiting.retain(|part| {
        let then = spent.plus(takes(*part));
        if then.fits() {
            spent = then;
        }
        then.fits()
    });
    waiting
}

/// Notes that a part was looked at, or could not be.
pub fn looked(book: &mut Watchbook, part: Part, seen: bool, now: Timestamp) {
    let after = if seen { every(part) } else { AGAIN };
    book.next.insert(part, now.saturating_add(after).unwrap_or(now));
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{ClusterId, CustomerId};
    use std::collections::BTreeMap;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn book() -> Watchbook {
        Watchbook::new(CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap())
    }

    fn sum(parts: &[Part]) -> Requests {
        parts.iter().fold(GHOSTS, |sum, part| sum.plus(takes(*part)))
    }

    #[test]
    fn every_part_fits_into_a_scan_by_itself() {
        for part in PARTS {
            assert!(sum(&[part]).fits(), "{part:?} would never be looked at");
        }
    }

    #[test]
    fn a_scan_by_hand_stays_within_its_requests_and_the_next_one_looks_at_the_rest() {
        let (mut book, now) = (book(), Timestamp::UNIX_EPOCH);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let parts = turn(&book, &PARTS, Asked::Whole, now);
            assert!(sum(&parts).fits(), "{parts:?}");
            parts.iter().for_each(|part| looked(&mut book, *part, true, now));
            seen.extend(parts);
        }
        assert!(PARTS.iter().all(|part| seen.contains(part)), "{seen:?}");
    }

    #[test]
    fn every_part_is_looked_at_as_often_as_it_should_be() {
        let (mut book, mut now) = (book(), Timestamp::UNIX_EPOCH);
        let mut times: BTreeMap<Part, Vec<Timestamp>> = BTreeMap::new();
        for _ in 0..24 * 7 {
            let parts = turn(&book, &PARTS, Asked::Due, now);
            assert!(sum(&parts).fits(), "{parts:?}");
            for part in parts {
                looked(&mut book, part, true, now);
                times.entry(part).or_default().push(now);
            }
            now += HOUR;
        }
        for part in PARTS {
            for pair in times[&part].windows(2) {
                assert!(pair[1].duration_since(pair[0]) <= every(part) + HOUR * 3, "{part:?}: {pair:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_looked_at_keeps_nothing_else_from_its_turn() {
        for broken in PARTS {
            let (mut book, mut now) = (book(), Timestamp::UNIX_EPOCH);
            let mut count: BTreeMap<Part, u32> = BTreeMap::new();
            for _ in 0..48 {
                for part in turn(&book, &PARTS, Asked::Due, now) {
                    looked(&mut book, part, part != broken, now);
                    *count.entry(part).or_default() += 1;
                }
                now += HOUR;
            }
            assert!(PARTS.iter().all(|part| count[part] >= 2), "{broken:?} is in the way: {count:?}");
        }
    }

    #[test]
    fn what_is_switched_off_is_not_looked_at() {
        assert_eq!(turn(&book(), &[Part::Volumes], Asked::Whole, Timestamp::UNIX_EPOCH), [Part::Volumes]);
        assert_eq!(turn(&book(), &[], Asked::Due, Timestamp::UNIX_EPOCH), []);
    }
}
