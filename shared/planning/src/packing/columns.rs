//! Column generation: the bound, the prices, and the columns worth using.

use super::Effort;
use super::greedy;
use super::knapsack::{Filled, fill};
use super::master::{Master, solve};
use super::model::{Column, Model, Packed};
use std::collections::BTreeSet;

/// What column generation leaves behind.
#[derive(Debug)]
pub(super) struct Generated {
    pub(super) columns: Vec<Column>,
    /// How often the linear program uses each column; empty when the library gave up.
    pub(super) usage: Vec<f64>,
    /// The worths of a pod of each shape that were tried, the last first, USD per hour.
    pub(super) worths: Vec<Vec<f64>>,
    /// Proved: no packing costs less, USD per hour.
    pub(super) bound: f64,
    /// The cheapest of the whole packings made on the way.
    pub(super) best: Option<Packed>,
    pub(super) rounds: u32,
}

/// How much of the next question comes from the worths with the best bound so far; the rest from the program's. Between 0.5 and
/// 0.9 the number of rounds hardly changes.
const STEADINESS: f64 = 0.7;

/// How many columns for each shape the program knows at most.
const KEPT: usize = 10;

/// Branches for one node when columns are made, and when the bound is proved: enough of them that what is left is for the grid.
const BRANCHES: u32 = 20;
const PROVING: u32 = 120;

/// Generates columns until the program is within the gap of the bound, or a whole packing is, or the effort is spent. `guess` is
/// the worth of a pod of each shape to begin with.
pub(super) fn generate(model: &Model, guess: Vec<f64>, effort: &Effort) -> Generated {
    let mut state = State::new(model, guess, effort);
    let guess = state.centre.clone();
    state.pack(&guess, 0.0);
    state.ask(&guess, &guess, &vec![0.0; model.kinds.len()]);
    let ceilings = ceilings(model);
    let (mut rounds, mut usage, mut worths) = (0, Vec::new(), vec![guess]);
    let mut tolerance = 1e-2;
    while rounds < effort.rounds && state.branches_left > 0 && !state.stuck {
        rounds += 1;
        let Some(now) = solve(model, &state.columns, &ceilings, tolerance) else { break };
        usage = now.usage.clone();
        usage.resize(state.columns.len(), 0.0);
        worths.push(now.worth.clone());
        // The longer it takes, the less is asked: the last tenths of the gap take most of the rounds.
        let patience = 1.0 + 2.0 * f64::from(rounds) / f64::from(effort.rounds);
        let gap = 1.0 + f64::from(effort.gap_ppm) / 1e6 * patience;
        let done = now.objective.min(state.best.as_ref().map_or(f64::INFINITY, |best| best.cost)) <= state.bound * gap;
        if done || rounds == effort.rounds {
            break;
        }
        state.round(&now, &mut usage);
        // A tenth of the gap: prices need not be sharper than what is known.
        tolerance = ((now.objective / state.bound.max(1e-9) - 1.0) * 0.1).clamp(1e-5, 1e-2);
    }
    worths.push(state.centre);
    worths.reverse();
    Generated { columns: state.columns, usage, worths, bound: state.bound, best: state.best, rounds }
}

struct State<'a> {
    model: &'a Model,
    columns: Vec<Column>,
    known: BTreeSet<Column>,
    /// The worths with the best bound.
    centre: Vec<f64>,
    bound: f64,
    best: Option<Packed>,
    branches: u32,
    branches_left: u64,
    /// All branches are allowed, and neither a column nor a better bound was found.
    stuck: bool,
    slack: f64,
}

impl<'a> State<'a> {
    fn new(model: &'a Model, mut guess: Vec<f64>, effort: &Effort) -> State<'a> {
        for (worth, ceiling) in guess.iter_mut().zip(ceilings(model)) {
            *worth = worth.min(ceiling);
        }
        State {
            model,
            columns: Vec::new(),
            known: BTreeSet::new(),
            centre: guess,
            bound: 0.0,
            best: None,
            branches: BRANCHES,
            branches_left: effort.branches,
            stuck: false,
            slack: f64::from(effort.gap_ppm) / 1e6 / 2.0,
        }
    }

    /// One round: columns from steady worths, from the program's, and from a whole packing; then the worst are forgotten.
    fn round(&mut self, now: &Master, usage: &mut Vec<f64>) {
        let steady: Vec<f64> =
            self.centre.iter().zip(&now.worth).map(|(centre, now)| STEADINESS * centre + (1.0 - STEADINESS) * now).collect();
        let before = self.bound;
        let mut added = self.ask(&steady, &now.worth, &now.toll);
        added += self.ask(&now.worth, &now.worth, &now.toll);
        // Proofs cost more than columns: they are asked for when no column is found without.
        self.stuck = added == 0 && self.branches == PROVING && self.bound <= before;
        self.branches = if added == 0 { PROVING } else { BRANCHES };
        self.pack(&now.worth, 0.9);
        self.forget(now, usage);
    }

    /// Keeps the columns in use and the nearest to it, a few for each shape: the program's time grows with all of them.
    fn forget(&mut self, now: &Master, usage: &mut Vec<f64>) {
        usage.resize(self.columns.len(), 0.0);
        let room = KEPT * self.model.counts.len() + 100;
        if self.columns.len() <= room {
            return;
        }
        let mut order: Vec<(bool, f64, usize)> = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            order.push((usage[at] > 1e-6, self.rate(column, &now.worth, &now.toll), at));
        }
        order.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        let mut kept: Vec<usize> = order.into_iter().take(room * 3 / 4).map(|(_, _, at)| at).collect();
        kept.sort_unstable();
        *usage = kept.iter().map(|at| usage[*at]).collect();
        self.columns = kept.iter().map(|at| self.columns[*at].clone()).collect();
        self.known = self.columns.iter().cloned().collect();
    }

    /// Worth of a column for each USD of its cost.
    fn rate(&self, column: &Column, worth: &[f64], toll: &[f64]) -> f64 {
        let worth: f64 = column.contents.iter().map(|(shape, times)| worth[*shape] * f64::from(*times)).sum();
        worth / (self.model.kinds[column.kind].price + toll[column.kind]).max(1e-9)
    }

    /// Fills a node of every kind as `asked` says: a bound, and the columns that pay at the worths and tolls of the program.
    fn ask(&mut self, asked: &[f64], worth: &[f64], toll: &[f64]) -> usize {
        let model = self.model;
        let mut filled = Vec::with_capacity(model.kinds.len());
        for kind in &model.kinds {
            let answer = fill(kind, &model.needs, asked, &model.counts, kind.price * (1.0 + self.slack), self.branches);
            self.branches_left = self.branches_left.saturating_sub(answer.branches);
            filled.push(answer);
        }
        let (bound, scale) = lagrangian(model, asked, &filled);
        if bound > self.bound {
            self.bound = bound;
            self.centre = asked.iter().map(|worth| worth * scale).collect();
        }
        let before = self.columns.len();
        for (kind, filled) in filled.into_iter().enumerate().filter(|(_, filled)| !filled.contents.is_empty()) {
            let column = Column { kind, contents: filled.contents };
            if self.rate(&column, worth, toll) > 1.0 + 1e-6 {
                self.learn(column);
            }
        }
        self.columns.len() - before
    }

    /// Packs everything as the worths say: columns that go together, which is what the program lacks most.
    fn pack(&mut self, worth: &[f64], least_rate: f64) {
        let model = self.model;
        let Some(packed) = greedy::pack_all(model, worth) else { return };
        let none = vec![0.0; model.kinds.len()];
        for (column, _) in &packed.nodes {
            if self.rate(column, worth, &none) > least_rate {
                self.learn(column.clone());
            }
        }
        if self.best.as_ref().is_none_or(|best| packed.cost < best.cost) {
            self.best = Some(packed);
        }
    }

    fn learn(&mut self, column: Column) {
        if self.known.insert(column.clone()) {
            self.columns.push(column);
        }
    }
}

/// The bound that these worths prove, and the factor they are multiplied with to prove it: no node of a kind without limit may
/// be worth more than its price; of the others each pays for what it holds beyond its price.
fn lagrangian(model: &Model, worth: &[f64], filled: &[Filled]) -> (f64, f64) {
    let total: f64 = worth.iter().zip(&model.counts).map(|(worth, count)| worth * f64::from(*count)).sum();
    let turn = |at: usize| model.kinds[at].price / filled[at].at_most.max(f64::MIN_POSITIVE);
    let (limited, free): (Vec<usize>, Vec<usize>) = (0..model.kinds.len()).partition(|at| model.kinds[*at].available.is_some());
    let highest = free.iter().map(|at| turn(*at)).fold(f64::INFINITY, f64::min);
    let proved = |scale: f64| {
        let beyond = |at: &usize| {
            let most = f64::from(model.kinds[*at].available.unwrap_or(0));
            most * (scale * filled[*at].at_most - model.kinds[*at].price).max(0.0)
        };
        total * scale - limited.iter().map(beyond).sum::<f64>()
    };
    // The bound is concave in the factor and bends only where a kind begins to pay.
    let turns = limited.iter().map(|at| turn(*at)).chain([1.0, highest]).filter(|scale| scale.is_finite() && *scale <= highest);
    turns.map(|scale| (proved(scale), scale)).fold((0.0, 1.0), |best, next| if next.0 > best.0 { next } else { best })
}

/// No pod is worth more than its share of a node full of its like; ten of the dearest nodes where no kind without limit takes it.
fn ceilings(model: &Model) -> Vec<f64> {
    let dearest = model.kinds.iter().map(|kind| kind.price).fold(1e-3, f64::max);
    let mut ceilings = vec![f64::INFINITY; model.counts.len()];
    for kind in model.kinds.iter().filter(|kind| kind.available.is_none()) {
        for fit in &kind.fits {
            ceilings[fit.shape] = ceilings[fit.shape].min(kind.price / f64::from(fit.most));
        }
    }
    for ceiling in &mut ceilings {
        *ceiling = if ceiling.is_finite() { ceiling.max(1e-9) } else { 10.0 * dearest };
    }
    ceilings
}
