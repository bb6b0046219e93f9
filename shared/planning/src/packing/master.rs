//! The linear program over the columns found so far, solved by a library's interior point method. Its prices lie in the middle of
//! the optimal face, where the ones of the simplex method lie at a corner: a third as many rounds are needed, and one solve
//! gives the prices and how often to use each column.

use super::model::{Column, Model};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};

/// The program over some columns, solved.
#[derive(Debug, Clone)]
pub(super) struct Master {
    /// The worth of one pod of each shape, USD per hour.
    pub(super) worth: Vec<f64>,
    /// The toll on each kind of node of which there are only so many, USD per hour.
    pub(super) toll: Vec<f64>,
    /// How often to use each column.
    pub(super) usage: Vec<f64>,
    /// What that costs, USD per hour.
    pub(super) objective: f64,
}

/// Solves the dual: the highest worth of all `counts` such that no column is worth more than it costs and no pod more than its
/// ceiling, to a relative `tolerance`.
///
/// `None`: the library gave up on the numbers.
pub(super) fn solve(model: &Model, columns: &[Column], counts: &[u32], ceilings: &[f64], tolerance: f64) -> Option<Master> {
    let shapes: Vec<usize> = (0..counts.len()).filter(|shape| counts[*shape] > 0).collect();
    let limited: Vec<usize> = (0..model.kinds.len()).filter(|kind| model.kinds[*kind].available.is_some()).collect();
    let mut place = vec![usize::MAX; counts.len()];
    for (at, shape) in shapes.iter().enumerate() {
        place[*shape] = at;
    }
    let variables = shapes.len() + limited.len();
    // Row by row: the columns; then every variable not below zero; then no worth above its ceiling.
    let mut entries: Vec<Vec<(usize, f64)>> = vec![Vec::new(); variables];
    let mut right = Vec::with_capacity(columns.len() + 2 * variables);
    for (row, column) in columns.iter().enumerate() {
        let price = model.kinds[column.kind].price;
        let scale = if price > 0.0 { 1.0 / price } else { 1.0 };
        for (shape, times) in column.contents.iter().filter(|(shape, _)| counts[*shape] > 0) {
            entries[place[*shape]].push((row, f64::from(*times) * ceilings[*shape] * scale));
        }
        if let Ok(at) = limited.binary_search(&column.kind) {
            entries[shapes.len() + at].push((row, -1.0));
        }
        right.push(price * scale);
    }
    for variable in 0..variables {
        entries[variable].push((right.len(), -1.0));
        right.push(0.0);
    }
    for variable in 0..shapes.len() {
        entries[variable].push((right.len(), 1.0));
        right.push(1.0);
    }
    let mut goal: Vec<f64> = shapes.iter().map(|shape| -f64::from(counts[*shape]) * ceilings[*shape]).collect();
    goal.extend(limited.iter().map(|kind| f64::from(model.kinds[*kind].available.unwrap_or(0)) * model.kinds[*kind].price));
    let matrix = csc(right.len(), &entries);
    let settings = DefaultSettingsBuilder::default()
        .verbose(false).max_threads(1)
        .presolve_enable(false)
        .direct_solve_method("qdldl".to_string())
        .tol_gap_rel(tolerance).tol_gap_abs(1e-9).tol_feas(1e-7)
        .max_iter(60)
        .build().ok()?;
    let cones = [SupportedConeT::NonnegativeConeT(right.len())];
    let mut solver = DefaultSolver::new(&CscMatrix::zeros((variables, variables)), &goal, &matrix, &right, &cones, settings).ok()?;
    solver.solve();
    let ok = matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved | SolverStatus::InsufficientProgress | SolverStatus::MaxIterations);
    if !ok { println!("{:?}", solver.solution.status); return None; }
    super::columns::TIMES[2].fetch_add(solver.solution.iterations as u64 * 1000, std::sync::atomic::Ordering::Relaxed);
    let mut worth = vec![0.0; counts.len()];
    for (at, shape) in shapes.iter().enumerate() {
        worth[*shape] = solver.solution.x[at].clamp(0.0, 1.0) * ceilings[*shape];
    }
    let toll = vec![0.0; model.kinds.len()];
    let usage: Vec<f64> = columns.iter().zip(&solver.solution.z).map(|(c, z)| z.max(0.0) / model.kinds[c.kind].price).collect();
    Some(Master { worth, toll, usage, objective: -solver.solution.obj_val })
}

fn csc(rows: usize, entries: &[Vec<(usize, f64)>]) -> CscMatrix<f64> {
    let mut starts = vec![0];
    let (mut indices, mut values) = (Vec::new(), Vec::new());
    for column in entries {
        for (row, value) in column {
            indices.push(*row);
            values.push(*value);
        }
        starts.push(indices.len());
    }
    CscMatrix::new(rows, entries.len(), starts, indices, values)
}
