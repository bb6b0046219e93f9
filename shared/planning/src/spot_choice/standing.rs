//! Standing advice, put in order by risk.

use domain::offering::{CapacityType, Offering, Pool};

/// Puts standing advice (see [`crate::replacement::standing_advice`]) in order by risk: within spot the calmer pools first,
/// in tenths, so that a hair of risk does not outweigh what the advice knows of sizes and zones; within a tenth the advice's own
/// order stays. Spot stays before on-demand, and on-demand is left as it is. `risk_of` answers the risk score in [0, 1]; the
/// pool that is being lost should get 1. A pool of unknown risk (`None`, or no number) comes after all others of its kind.
///
/// # Guarantees
/// The same offerings come back, each once.
pub fn standing_order(offerings: Vec<Offering>, risk_of: impl Fn(&Pool) -> Option<f64>) -> Vec<Offering> {
    let mut keyed: Vec<((CapacityType, u8), Offering)> = offerings
        .into_iter()
        .map(|offering| {
            let tenth = match offering.pool.capacity {
                CapacityType::OnDemand => 0,
                CapacityType::Spot => tenth(risk_of(&offering.pool)),
            };
            ((offering.pool.capacity, tenth), offering)
        })
        .collect();
    // Stable, and spot is the smaller of the two kinds.
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, offering)| offering).collect()
}

/// 0 to 10, and 11 for what nobody knows.
fn tenth(risk: Option<f64>) -> u8 {
    let known = risk.filter(|risk| (0.0..=1.0).contains(risk));
    let above = |risk: f64| (1..=10_u8).filter(|step| risk * 10.0 >= f64::from(*step)).count();
    known.map_or(11, |risk| u8::try_from(above(risk)).unwrap_or(10))
}
