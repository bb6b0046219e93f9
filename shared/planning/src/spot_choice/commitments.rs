//! What is paid for already: reserved instances and savings plans, and what an hour costs beside them.

use domain::ids::{InstanceType, Zone};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};

/// Reserved instances of one type, in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// The type. Size flexibility within a family is not counted: it makes more covered than is said here, never less.
    pub instance_type: InstanceType,
    /// The zone of a zonal reservation.
    pub zone: Option<Zone>,
    /// How many instances are reserved.
    pub count: u32,
    /// How many on-demand instances run that it applies to, covered or not. Each instance is counted in one reservation: the zonal
    /// one while it has room, as AWS does.
    pub running: u32,
}

/// A savings plan: so much an hour is paid, used or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavingsPlan {
    /// The family of an EC2 instance plan (`m6i`); `None` for a compute plan.
    pub family: Option<String>,
    /// What is paid an hour.
    pub committed_per_hour: MicroDollars,
    /// What runs that it applies to, at the plan's rates; may be more than is committed.
    pub running_per_hour: MicroDollars,
}

/// Everything that is paid for already. Empty where it is not known: then every price is full.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commitments {
    /// Reserved instances.
    pub reserved: Vec<Reserved>,
    /// Savings plans.
    pub plans: Vec<SavingsPlan>,
}

/// An on-demand hour: what it costs in full, and at the rate that a savings plan counts it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// The on-demand price.
    pub full: MicroDollars,
    /// The plan's rate where it is known. Where not, the full price: less is then said to be covered than is.
    pub rate: Option<MicroDollars>,
}

impl Hour {
    fn rate(self) -> MicroDollars {
        self.rate.filter(|rate| rate.0 > 0).unwrap_or(self.full)
    }

    /// The full price times `part` over the rate.
    fn share(self, part: MicroDollars) -> MicroDollars {
        let rate = self.rate().0.max(1);
        let micros = i128::from(self.full.0) * i128::from(part.0.clamp(0, rate)) / i128::from(rate);
        MicroDollars(i64::try_from(micros).unwrap_or(self.full.0))
    }
}

fn family(pool: &Pool) -> &str {
    pool.instance_type.as_str().split_once('.').map_or("", |(family, _)| family)
}

impl Commitments {
    /// What one more hour costs: nothing under an unused commitment, the full price beyond it, and the uncovered part on the edge.
    /// Spot is never covered.
    pub fn price_of_one_more(&self, pool: &Pool, hour: Hour) -> MicroDollars {
        if pool.capacity == CapacityType::Spot {
            return hour.full;
        }
        if self.reserved_for(pool).any(|reserved| reserved.running < reserved.count) {
            return MicroDollars(0);
        }
        let unused = self.plans_for(pool).map(|plan| MicroDollars((plan.committed_per_hour - plan.running_per_hour).0.max(0)));
        let uncovered = hour.rate() - unused.sum();
        hour.share(uncovered)
    }

    /// What ending one such instance saves: nothing where a commitment would then be paid for without use, the full price where
    /// enough others run that use it up.
    pub fn saved_by_one_less(&self, pool: &Pool, hour: Hour) -> MicroDollars {
        if pool.capacity == CapacityType::Spot {
            return hour.full;
        }
        let mut reserved = self.reserved_for(pool).peekable();
        if reserved.peek().is_some() && !reserved.any(|reserved| reserved.running > reserved.count) {
            return MicroDollars(0);
        }
        let beyond = self.plans_for(pool).map(|plan| plan.running_per_hour - plan.committed_per_hour).min();
        beyond.map_or(hour.full, |beyond| hour.share(beyond))
    }

    /// Counts one more instance.
    pub(super) fn take(&mut self, pool: &Pool, hour: Hour) {
        if pool.capacity == CapacityType::Spot {
            return;
        }
        let fits = |reserved: &&mut Reserved| reserved.applies(pool) && reserved.running < reserved.count;
        if let Some(reserved) = self.reserved.iter_mut().find(fits) {
            reserved.running += 1;
            return;
        }
        let mut rest = hour.rate();
        for plan in self.plans.iter_mut().filter(|plan| plan.applies(pool)) {
            let unused = MicroDollars((plan.committed_per_hour - plan.running_per_hour).0.clamp(0, rest.0));
            plan.running_per_hour = plan.running_per_hour + unused;
            rest = rest - unused;
        }
    }

    fn reserved_for<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = &'a Reserved> {
        self.reserved.iter().filter(|reserved| reserved.applies(pool))
    }

    fn plans_for<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = &'a SavingsPlan> {
        self.plans.iter().filter(|plan| plan.applies(pool))
    }
}

impl Reserved {
    fn applies(&self, pool: &Pool) -> bool {
        self.instance_type == pool.instance_type && self.zone.as_ref().is_none_or(|zone| *zone == pool.zone)
    }
}

impl SavingsPlan {
    fn applies(&self, pool: &Pool) -> bool {
        self.family.as_deref().is_none_or(|name| name == family(pool))
    }
}
