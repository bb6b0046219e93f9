//! One operation on rows of numbers. Each row is reckoned by itself: no operation mixes two of them.

use super::trees::Forest;

/// Rows of so many columns, one row after the other. A constant has one row, which stands beside each.
#[derive(Debug, Clone, Default)]
pub(super) struct Matrix {
    pub(super) columns: usize,
    pub(super) numbers: Vec<f32>,
}

/// Where an operation takes its input from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// What an earlier operation made; 0 is the input of the model.
    Made(usize),
    /// One row, of as many columns as the result or of one.
    Constant(Vec<f32>),
}

/// What is done.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// The same to each number.
    Each(Each),
    /// The same to each pair of numbers, of two inputs, or of more from left to right.
    Pairs(Pair),
    /// The second where the first is not 0, the third elsewhere.
    Where,
    /// Times a matrix of so many rows, and plus a row.
    Linear { weights: Vec<f32>, plus: Vec<f32> },
    /// Each column times a number, plus a number.
    Affine { times: Vec<f32>, plus: Vec<f32> },
    /// Inputs side by side.
    Concat,
    /// Some columns.
    Gather(Vec<usize>),
    /// One number out of each row.
    Reduce(Reduce),
    /// Powers of e, that add up to one; or their logarithms.
    Softmax { log: bool },
    /// Over the sum of absolute values.
    Normalize,
    /// Trees.
    Forest(Forest),
}

/// What is done to one number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Each {
    Same,
    Abs,
    Ceil,
    Exp,
    Floor,
    Log,
    Neg,
    Not,
    Reciprocal,
    Relu,
    Sigmoid,
    Softplus,
    Sqrt,
    Tanh,
    Clip(f32, f32),
    Elu(f32),
    LeakyRelu(f32),
    Selu(f32, f32),
    HardSigmoid(f32, f32),
}

/// What is done to two numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pair {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Mean(f32),
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    And,
    Or,
    PRelu,
}

/// One number out of many.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reduce {
    Mean,
    Sum,
    Max,
    Min,
}

/// The logistic function.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Each {
    fn result(self, x: f32) -> f32 {
        match self {
            Each::Same => x,
            Each::Abs => x.abs(),
            Each::Ceil => x.ceil(),
            Each::Exp => x.exp(),
            Each::Floor => x.floor(),
            Each::Log => x.ln(),
            Each::Neg => -x,
            Each::Not => flag(x == 0.0),
            Each::Reciprocal => 1.0 / x,
            // `max` would turn what is no number into 0.
            Each::Relu if x < 0.0 => 0.0,
            Each::Relu => x,
            Each::Sigmoid => sigmoid(x),
            Each::Softplus => x.exp().ln_1p(),
            Each::Sqrt => x.sqrt(),
            Each::Tanh => x.tanh(),
            Each::Clip(low, _) if x < low => low,
            Each::Clip(_, high) if x > high => high,
            Each::Clip(_, _) => x,
            Each::Elu(alpha) => {
                if x < 0.0 {
                    alpha * x.exp_m1()
                } else {
                    x
                }
            }
            Each::LeakyRelu(alpha) => {
                if x < 0.0 {
                    alpha * x
                } else {
                    x
                }
            }
            Each::Selu(alpha, gamma) => gamma * if x < 0.0 { alpha * x.exp_m1() } else { x },
            Each::HardSigmoid(alpha, beta) => Each::Clip(0.0, 1.0).result(alpha * x + beta),
        }
    }
}

fn flag(yes: bool) -> f32 {
    if yes { 1.0 } else { 0.0 }
}

impl Pair {
    fn result(self, a: f32, b: f32) -> f32 {
        match self {
            Pair::Add => a + b,
            Pair::Sub => a - b,
            Pair::Mul => a * b,
            Pair::Div => a / b,
            Pair::Pow => a.powf(b),
            // What is no number stays none, as ONNX has it.
            Pair::Min => {
                if a.is_nan() || a < b {
                    a
                } else {
                    b
                }
            }
            Pair::Max => {
                if a.is_nan() || a > b {
                    a
                } else {
                    b
                }
            }
            Pair::Mean(_) => a + b,
            Pair::Equal => flag(a == b),
            Pair::Greater => flag(a > b),
            Pair::GreaterOrEqual => flag(a >= b),
            Pair::Less => flag(a < b),
            Pair::LessOrEqual => flag(a <= b),
            Pair::And => flag(a != 0.0 && b != 0.0),
            Pair::Or => flag(a != 0.0 || b != 0.0),
            Pair::PRelu => {
                if a < 0.0 {
                    a * b
                } else {
                    a
                }
            }
        }
    }
}

/// One row of an input: of what was made, or the constant.
fn row<'a>(source: &'a Source, made: &'a [Matrix], index: usize) -> &'a [f32] {
    match source {
        Source::Constant(numbers) => numbers,
        Source::Made(place) => made.get(*place).map_or(&[], |matrix| {
            let from = index * matrix.columns;
            matrix.numbers.get(from..from + matrix.columns).unwrap_or_default()
        }),
    }
}

/// A number of a row; a row of one stands for all columns.
fn cell(row: &[f32], column: usize) -> f32 {
    let place = if row.len() == 1 { 0 } else { column };
    row.get(place).copied().unwrap_or(f32::NAN)
}

impl Op {
    /// Does it for one row, and puts the result behind what is there.
    pub(super) fn reckon(&self, inputs: &[Source], made: &[Matrix], index: usize, columns: usize, into: &mut Vec<f32>) {
        let of = |number: usize| inputs.get(number).map_or(&[][..], |source| row(source, made, index));
        let first = of(0);
        match self {
            Op::Each(each) => into.extend(first.iter().map(|x| each.result(*x))),
            Op::Pairs(pair) => into.extend((0..columns).map(|column| {
                let sum = (1..inputs.len()).fold(cell(first, column), |all, number| pair.result(all, cell(of(number), column)));
                if let Pair::Mean(over) = pair { sum / over } else { sum }
            })),
            Op::Where => into.extend((0..columns).map(|column| {
                let chosen = if cell(first, column) == 0.0 { of(2) } else { of(1) };
                cell(chosen, column)
            })),
            Op::Linear { weights, plus } => {
                let from = into.len();
                into.extend((0..columns).map(|column| cell(plus, column)));
                for (x, weights) in first.iter().zip(weights.chunks(columns.max(1))) {
                    into.iter_mut().skip(from).zip(weights).for_each(|(sum, weight)| *sum += x * weight);
                }
            }
            Op::Affine { times, plus } => {
                into.extend(first.iter().enumerate().map(|(column, x)| x * cell(times, column) + cell(plus, column)));
            }
            Op::Concat => (0..inputs.len()).for_each(|number| into.extend_from_slice(of(number))),
            Op::Gather(places) => into.extend(places.iter().map(|place| first.get(*place).copied().unwrap_or(f32::NAN))),
            Op::Reduce(how) => into.push(how.result(first)),
            Op::Softmax { log } => {
                let most = first.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = first.iter().map(|x| (x - most).exp()).sum();
                into.extend(first.iter().map(|x| if *log { x - most - sum.ln() } else { (x - most).exp() / sum }));
            }
            Op::Normalize => {
                let sum: f32 = first.iter().map(|x| x.abs()).sum();
                into.extend(first.iter().map(|x| if sum == 0.0 { *x } else { x / sum }));
            }
            Op::Forest(forest) => forest.reckon(first, into),
        }
    }

    /// How much work one row is, in multiplications. What is no plain arithmetic counts as ten.
    pub(super) fn cost(&self, inputs: usize, columns: usize) -> usize {
        match self {
            Op::Linear { weights, .. } => weights.len(),
            Op::Forest(forest) => forest.cost(),
            Op::Each(Each::Same) | Op::Concat | Op::Gather(_) => columns,
            Op::Each(_) | Op::Softmax { .. } => 10 * columns,
            Op::Pairs(_) | Op::Where | Op::Affine { .. } | Op::Reduce(_) | Op::Normalize => columns * inputs.max(1),
        }
    }
}

impl Reduce {
    fn result(self, row: &[f32]) -> f32 {
        let count = f32::from(u16::try_from(row.len()).unwrap_or(u16::MAX));
        match self {
            Reduce::Mean => row.iter().sum::<f32>() / count,
            Reduce::Sum => row.iter().sum(),
            Reduce::Max => row.iter().copied().fold(f32::NEG_INFINITY, |a, b| Pair::Max.result(a, b)),
            Reduce::Min => row.iter().copied().fold(f32::INFINITY, |a, b| Pair::Min.result(a, b)),
        }
    }
}
