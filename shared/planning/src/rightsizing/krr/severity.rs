//! How far off a container is, and what mark a cluster gets.

use domain::sizing::{Resource, Severity};

/// From these differences on: thousandths of a core, and MiB.
const CPU: [(f64, Severity); 3] = [(500.0, Severity::Critical), (250.0, Severity::Warning), (100.0, Severity::Ok)];
const MEMORY: [(f64, Severity); 3] = [(500.0, Severity::Critical), (250.0, Severity::Warning), (100.0, Severity::Ok)];

/// How far what is set is from what is recommended: thousandths of a core, or bytes.
pub fn severity(of: Resource, current: Option<u64>, recommended: Option<u64>) -> Severity {
    let (current, recommended) = match (current, recommended) {
        (None, None) => return Severity::Good,
        (Some(current), Some(recommended)) => (current, recommended),
        (Some(_), None) | (None, Some(_)) => return Severity::Warning,
    };
    let difference = current.abs_diff(recommended) as f64;
    let (steps, difference) = match of {
        Resource::Cpu => (CPU, difference),
        Resource::Memory => (MEMORY, difference / super::MIB),
    };
    steps.into_iter().find(|(from, _)| difference >= *from).map_or(Severity::Good, |(_, severity)| severity)
}

/// A mark for a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Of a hundred.
    pub points: u32,
    /// `A` to `F`.
    pub letter: char,
}

/// The mark of a cluster whose containers have these severities.
pub fn score(all: &[Severity]) -> Score {
    let count = |wanted| all.iter().filter(|severity| **severity == wanted).count() as f64;
    let sum = all.len() as f64;
    let points = if all.is_empty() { 0.0 } else { (sum - (count(Severity::Critical) + 0.7 * count(Severity::Warning))) / sum * 100.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100, cut off")]
    let points = points as u32;
    let letter = match points {
        0..30 => 'F',
        30..55 => 'D',
        55..70 => 'C',
        70..90 => 'B',
        _ => 'A',
    };
    Score { points, letter }
}
