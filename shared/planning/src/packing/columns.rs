//! Column generation: the bound, and the columns worth using.

use super::knapsack::{Filled, fill};
use super::master::{Master, solve};
use super::model::{Column, Model};
use std::collections::BTreeSet;

/// What column generation leaves behind.
#[derive(Debug)]
pub(super) struct Generated {
    pub(super) columns: Vec<Column>,
    /// The worth of one pod of each shape, USD per hour.
    pub(super) worth: Vec<f64>,
    /// Proved: no packing costs less, USD per hour.
    pub(super) bound: f64,
    /// The optimum over the columns.
    pub(super) objective: f64,
    pub(super) rounds: u32,
}
pub(super) static TIMES: [std::sync::atomic::AtomicU64; 4] = [const { std::sync::atomic::AtomicU64::new(0) }; 4];

pub(super) fn generate(model: &Model, start: Vec<Column>, guess: Vec<f64>) -> Generated {
    let ceilings = ceilings(model);
    let mut known: BTreeSet<Column> = start.iter().cloned().collect();
    let mut columns = start;
    let mut centre = guess;
    for (w, c) in centre.iter_mut().zip(&ceilings) { *w = w.min(*c); }
    let mut bound = 0.0f64;
    let mut objective = f64::INFINITY;
    let mut rounds = 0;
    let mut now = Master { worth: centre.clone(), toll: vec![0.0; model.kinds.len()], usage: vec![], objective: f64::INFINITY };
    let per: usize = std::env::var("PER").ok().and_then(|x| x.parse().ok()).unwrap_or(20);
    let alpha0: f64 = std::env::var("ALPHA").ok().and_then(|x| x.parse().ok()).unwrap_or(0.5);
    let effort: u32 = std::env::var("EFFORT").ok().and_then(|x| x.parse().ok()).unwrap_or(20);
    let eps: f64 = std::env::var("EPS").ok().and_then(|x| x.parse().ok()).unwrap_or(2e-4);
    let tolf: f64 = std::env::var("TOLF").ok().and_then(|x| x.parse().ok()).unwrap_or(0.1);
    let verbose = std::env::var("VERBOSE").is_ok();
    for round in 0..200 {
        rounds = round + 1;
        let alpha = if round == 0 { 1.0 } else { alpha0 };
        let ask: Vec<f64> = centre.iter().zip(&now.worth).map(|(c, n)| alpha * c + (1.0 - alpha) * n).collect();
        let t = std::time::Instant::now();
        let mut filled: Vec<Filled> = model.kinds.iter().map(|k| fill(k, &model.needs, &ask, &model.counts, k.price * (1.0 + eps*0.5), effort)).collect();
        TIMES[0].fetch_add(t.elapsed().as_micros() as u64, std::sync::atomic::Ordering::Relaxed);
        let b = lagrangian(model, &ask, &filled);
        if b.0 > bound { bound = b.0; centre = ask.iter().map(|w| w * b.1).collect(); }
        let mut new = pick(model, &filled, &now.worth, &mut known, per);
        let mut missed = false;
        if new.is_empty() && round > 0 {
            missed = true;
            let t = std::time::Instant::now();
            filled = model.kinds.iter().map(|k| fill(k, &model.needs, &now.worth, &model.counts, k.price * (1.0 + eps*0.5), effort)).collect();
        TIMES[0].fetch_add(t.elapsed().as_micros() as u64, std::sync::atomic::Ordering::Relaxed);
            let b = lagrangian(model, &now.worth, &filled);
            if b.0 > bound { bound = b.0; centre = now.worth.iter().map(|w| w * b.1).collect(); }
            new = pick(model, &filled, &now.worth, &mut known, per);
        }
        let added = new.len();
        columns.append(&mut new);
        let t = std::time::Instant::now();
        if added > 0 || round == 0 {
            let tol = ((objective / bound - 1.0).min(1.0) * tolf).max(1e-6);
            if let Some(p) = solve(model, &columns, &model.counts, &ceilings, tol) { now = p; objective = now.objective; } else { println!("LP failed"); }
        }
        TIMES[1].fetch_add(t.elapsed().as_micros() as u64, std::sync::atomic::Ordering::Relaxed);
        if verbose { println!("  round {round} cols {} added {added} obj {objective:.5} bound {bound:.5} gap {:.5} missed {missed}", columns.len(), objective / bound - 1.0); }
        if objective <= bound * (1.0 + eps) || (added == 0 && round > 0) { break; }
    }
    Generated { columns, worth: centre, bound, objective, rounds }
}

fn pick(model: &Model, filled: &[Filled], worth: &[f64], known: &mut BTreeSet<Column>, per: usize) -> Vec<Column> {
    let mut new: Vec<(f64, Column)> = Vec::new();
    for (kind, f) in filled.iter().enumerate() {
        if f.contents.is_empty() { continue; }
        let v: f64 = f.contents.iter().map(|(s, n)| worth[*s] * f64::from(*n)).sum();
        let ratio = v / model.kinds[kind].price;
        let c = Column { kind, contents: f.contents.clone() };
        if ratio > 1.0 + 1e-6 && !known.contains(&c) { new.push((ratio, c)); }
    }
    new.sort_by(|a, b| b.0.total_cmp(&a.0));
    new.truncate(per);
    new.into_iter().map(|(_, c)| { known.insert(c.clone()); c }).collect()
}

fn lagrangian(model: &Model, worth: &[f64], filled: &[Filled]) -> (f64, f64) {
    let total: f64 = worth.iter().zip(&model.counts).map(|(w, c)| w * f64::from(*c)).sum();
    let scale = model.kinds.iter().zip(filled).filter(|(k, _)| k.available.is_none()).map(|(k, f)| k.price / f.at_most).fold(1.05, f64::min);
    (total * scale, scale)
}

/// No pod is worth more than its share of a node full of its like.
fn ceilings(model: &Model) -> Vec<f64> {
    let dearest = model.kinds.iter().map(|kind| kind.price).fold(0.0, f64::max);
    let mut ceilings = vec![10.0 * dearest; model.counts.len()];
    for kind in model.kinds.iter().filter(|kind| kind.available.is_none()) {
        for fit in &kind.fits {
            let share = kind.price / f64::from(fit.most);
            ceilings[fit.shape] = ceilings[fit.shape].min(share);
        }
    }
    ceilings
}
/// Trial.
pub fn trial(shapes: &[super::Shape], bins: &[super::Bin]) -> String {
    let model = Model::new(shapes, bins, domain::money::MicroDollars(0)).unwrap();
    let ceil = ceilings(&model);
    for t in &TIMES { t.store(0, std::sync::atomic::Ordering::Relaxed); }
    let t = std::time::Instant::now();
    let g = generate(&model, Vec::new(), ceil);
    let us: Vec<u64> = TIMES.iter().map(|t| t.load(std::sync::atomic::Ordering::Relaxed)/1000).collect();
    format!("kinds {} rounds {} cols {} obj {:.4} bound {:.4} gap {:.5} time {:.3} price/lp ms {us:?}", model.kinds.len(), g.rounds, g.columns.len(), g.objective, g.bound, g.objective/g.bound-1.0, t.elapsed().as_secs_f64())
}
