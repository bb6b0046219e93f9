//! From the linear program to whole nodes: round down, pack the rest, then take the worst nodes apart and pack them again.

use super::columns::Generated;
use super::greedy::{Rest, pack};
use super::model::{Column, Model, Packed};

/// How often the rest is packed with corrected worths before the best is taken.
const CORRECTIONS: u32 = 4;

/// Which parts of the nodes are taken apart, the worst first, in hundredths.
const APART: [usize; 4] = [5, 12, 30, 60];

/// The usage of each column rounded down, and the rest packed as well as the corrections find.
pub(super) fn round(model: &Model, generated: &Generated, worth: &[f64], effort: u32) -> Option<Packed> {
    let mut order: Vec<usize> = (0..generated.usage.len()).filter(|at| generated.usage[*at] >= 1.0).collect();
    order.sort_by(|a, b| generated.usage[*b].total_cmp(&generated.usage[*a]).then(a.cmp(b)));
    let mut rest = Rest::all(model);
    let mut nodes = Vec::new();
    for at in order {
        let column = &generated.columns[at];
        // A millionth: the noise of the interior point.
        let times = rest.take(column, whole(generated.usage[at] + 1e-6));
        if times > 0 {
            nodes.push((column.clone(), times));
        }
    }
    let (more, _) = corrected(model, worth, &rest, effort * CORRECTIONS)?;
    nodes.extend(more);
    Some(model.packed(nodes))
}

/// Packs the rest again and again; after each time, pods that lay in bad nodes are worth more, so that they are thought of
/// earlier. The best packing, and its cost. `None` when none had room for all.
fn corrected(model: &Model, worth: &[f64], rest: &Rest, times: u32) -> Option<(Vec<(Column, u32)>, f64)> {
    let mut worth = worth.to_vec();
    let mut best: Option<(Vec<(Column, u32)>, f64)> = None;
    for _ in 0..times {
        let mut left = rest.clone();
        let nodes = pack(model, &worth, &mut left);
        let packed = model.packed(nodes);
        worth = corrections(model, &worth, &packed.nodes);
        if left.pods.iter().all(|pods| *pods == 0) && best.as_ref().is_none_or(|(_, cost)| packed.cost < *cost) {
            best = Some((packed.nodes, packed.cost));
        }
    }
    best
}

/// Moves the worth of each pod half-way to its part of what its nodes cost.
fn corrections(model: &Model, worth: &[f64], nodes: &[(Column, u32)]) -> Vec<f64> {
    let (mut paid, mut pods) = (vec![0.0; worth.len()], vec![0.0; worth.len()]);
    for (column, times) in nodes {
        let factor = 1.0 / rate(model, worth, column).max(1e-3);
        for (shape, each) in &column.contents {
            let many = f64::from(*each) * f64::from(*times);
            paid[*shape] += worth[*shape] * factor * many;
            pods[*shape] += many;
        }
    }
    let next = |at: usize| if pods[at] > 0.0 { f64::midpoint(worth[at], paid[at] / pods[at]) } else { worth[at] };
    (0..worth.len()).map(next).collect()
}

/// Takes the worst nodes apart and packs their pods again, as long as that is cheaper and the effort lasts.
pub(super) fn improve(model: &Model, worth: &[f64], mut packed: Packed, enough: f64, effort: u32) -> Packed {
    for _ in 0..effort {
        let before = packed.cost;
        for part in APART {
            if packed.cost <= enough {
                return packed;
            }
            packed = repack(model, worth, packed, part);
        }
        if packed.cost >= before * (1.0 - 1e-5) {
            break;
        }
    }
    packed
}

fn repack(model: &Model, worth: &[f64], packed: Packed, part: usize) -> Packed {
    let mut nodes = packed.nodes.clone();
    nodes.sort_by(|(a, _), (b, _)| rate(model, worth, a).total_cmp(&rate(model, worth, b)).then_with(|| a.cmp(b)));
    let all: usize = nodes.iter().map(|(_, times)| *times as usize).sum();
    let mut apart = (all * part / 100).max(2);
    let mut rest = Rest { pods: vec![0; model.counts.len()], free: model.free() };
    let mut kept = Vec::new();
    for (column, times) in nodes {
        let gone = u32::try_from(apart).map_or(times, |apart| apart.min(times));
        apart -= gone as usize;
        for (shape, each) in &column.contents {
            rest.pods[*shape] += each * gone;
        }
        let stays = times - gone;
        rest.free[column.kind] = rest.free[column.kind].map(|free| free.saturating_sub(stays));
        if stays > 0 {
            kept.push((column, stays));
        }
    }
    let before: f64 = model.packed(kept.clone()).cost;
    match corrected(model, worth, &rest, CORRECTIONS) {
        Some((more, cost)) if before + cost < packed.cost * (1.0 - 1e-9) => {
            kept.extend(more);
            model.packed(kept)
        }
        Some(_) | None => packed,
    }
}

/// Gives every node the cheapest kind without limit that holds what lies in it.
pub(super) fn shrink(model: &Model, packed: Packed) -> Packed {
    let mut nodes = packed.nodes;
    for (column, _) in &mut nodes {
        let cheaper = model.kinds.iter().enumerate().filter(|(_, kind)| kind.available.is_none() && model.holds(kind, &column.contents));
        if let Some((kind, _)) = cheaper.min_by_key(|(at, kind)| (kind.micros, *at))
            && model.kinds[kind].micros < model.kinds[column.kind].micros
        {
            column.kind = kind;
        }
    }
    model.packed(nodes)
}

/// Worth of a column for each USD it costs.
fn rate(model: &Model, worth: &[f64], column: &Column) -> f64 {
    let worth: f64 = column.contents.iter().map(|(shape, times)| worth[*shape] * f64::from(*times)).sum();
    worth / model.kinds[column.kind].price.max(1e-9)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below zero; beyond a u32 there are no pods to fill it")]
fn whole(usage: f64) -> u32 {
    usage.max(0.0) as u32
}
