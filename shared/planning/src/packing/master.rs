//! The linear program over the columns found so far, solved by a library's interior point method. Its prices lie in the middle of
//! the optimal face, where the ones of the simplex method lie at a corner: fewer rounds are needed, and one solve gives both the
//! prices and how often to use each column.

use super::model::{Column, Model};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};

/// The program over some columns, solved.
#[derive(Debug, Clone)]
pub(super) struct Master {
    /// The worth of one pod of each shape, USD per hour.
    pub(super) worth: Vec<f64>,
    /// What a node of each kind costs beyond its price because there are only so many, USD per hour.
    pub(super) toll: Vec<f64>,
    /// How often to use each column.
    pub(super) usage: Vec<f64>,
    /// What that costs, USD per hour.
    pub(super) objective: f64,
}

/// Solves the dual: the highest worth of all pods such that no column is worth more than it costs and no pod more than its
/// ceiling, to a relative `tolerance`.
///
/// `None`: the library gave up on the numbers.
pub(super) fn solve(model: &Model, columns: &[Column], ceilings: &[f64], tolerance: f64) -> Option<Master> {
    let shapes: Vec<usize> = (0..model.counts.len()).filter(|shape| model.counts[*shape] > 0).collect();
    let limited: Vec<usize> = (0..model.kinds.len()).filter(|kind| model.kinds[*kind].available.is_some()).collect();
    let program = Program::new(model, columns, ceilings, &shapes, &limited);
    let settings = settings(tolerance)?;
    let rows = program.right.len();
    let variables = program.goal.len();
    let nothing = CscMatrix::zeros((variables, variables));
    let cones = [SupportedConeT::NonnegativeConeT(rows)];
    let mut solver = DefaultSolver::new(&nothing, &program.goal, &program.matrix(), &program.right, &cones, settings).ok()?;
    solver.solve();
    let answer = &solver.solution;
    let near = matches!(answer.status, SolverStatus::Solved | SolverStatus::AlmostSolved)
        || matches!(answer.status, SolverStatus::InsufficientProgress | SolverStatus::MaxIterations);
    if !near || answer.x.iter().chain(&answer.z).any(|value| !value.is_finite()) {
        return None;
    }
    let mut worth = vec![0.0; model.counts.len()];
    for (at, shape) in shapes.iter().enumerate() {
        worth[*shape] = answer.x[at].clamp(0.0, 1.0) * ceilings[*shape];
    }
    let mut toll = vec![0.0; model.kinds.len()];
    for (at, kind) in limited.iter().enumerate() {
        toll[*kind] = answer.x[shapes.len() + at].max(0.0);
    }
    let usage = columns.iter().zip(&answer.z).map(|(column, z)| z.max(0.0) * scale(model, column)).collect();
    Some(Master { worth, toll, usage, objective: -answer.obj_val })
}

fn settings(tolerance: f64) -> Option<DefaultSettings<f64>> {
    DefaultSettingsBuilder::default()
        .verbose(false)
        .max_threads(1)
        .direct_solve_method("qdldl".to_owned())
        .presolve_enable(false)
        .tol_gap_rel(tolerance)
        .tol_gap_abs(1e-9)
        .tol_feas(1e-5)
        // Twenty are the rule.
        .max_iter(60)
        .build()
        .ok()
}

/// Rows are divided by the price of their column, so that all are of one size.
fn scale(model: &Model, column: &Column) -> f64 {
    let price = model.kinds[column.kind].price;
    if price > 0.0 { 1.0 / price } else { 1.0 }
}

/// Minimise `goal * x` with `matrix * x <= right`: the worths as parts of their ceilings, then the tolls.
struct Program {
    goal: Vec<f64>,
    right: Vec<f64>,
    /// For each variable its rows and their factors, by row.
    entries: Vec<Vec<(usize, f64)>>,
}

impl Program {
    fn new(model: &Model, columns: &[Column], ceilings: &[f64], shapes: &[usize], limited: &[usize]) -> Program {
        let variables = shapes.len() + limited.len();
        let mut entries: Vec<Vec<(usize, f64)>> = vec![Vec::new(); variables];
        let mut right = Vec::with_capacity(columns.len() + variables + shapes.len());
        for (row, column) in columns.iter().enumerate() {
            let scale = scale(model, column);
            for (shape, times) in &column.contents {
                if let Ok(at) = shapes.binary_search(shape) {
                    entries[at].push((row, f64::from(*times) * ceilings[*shape] * scale));
                }
            }
            if let Ok(at) = limited.binary_search(&column.kind) {
                entries[shapes.len() + at].push((row, -scale));
            }
            right.push(model.kinds[column.kind].price * scale);
        }
        for variable in &mut entries {
            variable.push((right.len(), -1.0));
            right.push(0.0);
        }
        for variable in entries.iter_mut().take(shapes.len()) {
            variable.push((right.len(), 1.0));
            right.push(1.0);
        }
        let worth = shapes.iter().map(|shape| -f64::from(model.counts[*shape]) * ceilings[*shape]);
        let toll = limited.iter().map(|kind| f64::from(model.kinds[*kind].available.unwrap_or(0)));
        Program { goal: worth.chain(toll).collect(), right, entries }
    }

    fn matrix(&self) -> CscMatrix<f64> {
        let mut starts = vec![0];
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for variable in &self.entries {
            rows.extend(variable.iter().map(|(row, _)| *row));
            values.extend(variable.iter().map(|(_, value)| *value));
            starts.push(rows.len());
        }
        CscMatrix::new(self.right.len(), self.entries.len(), starts, rows, values)
    }
}
