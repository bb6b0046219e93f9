//! Operators, by name. What is not here is not run.

use super::{Builder, Known};
use crate::models::fault::Fault;
use crate::models::file::{BOOL, FLOAT, Node, Numbers};
use crate::models::step::{Each, Op, Pair, Reduce, Source};
use crate::models::trees::Forest;

impl Builder {
    /// Adds the operation of a node.
    pub(super) fn node(&mut self, node: &Node, name: &str) -> Result<(), Fault> {
        if let Some(each) = self.each(node, name)? {
            let (source, columns, flat) = self.rows(node, 0)?;
            return self.step(node, 0, Op::Each(each), vec![source], columns, flat);
        }
        if let Some(pair) = pair(name, node.input.len()) {
            return self.beside(node, Op::Pairs(pair));
        }
        match name {
            "Constant" => self.constant(node),
            "Where" => self.beside(node, Op::Where),
            "Gemm" | "MatMul" => self.linear(node, name == "Gemm"),
            "BatchNormalization" => self.batch_normalization(node),
            "ai.onnx.ml.Scaler" => self.affine(node, node.floats("scale").to_vec(), |scale, offset| -offset * scale, node.floats("offset")),
            "ai.onnx.ml.Normalizer" => self.normalizer(node),
            "ai.onnx.ml.LinearRegressor" => self.regressor(node),
            "ai.onnx.ml.LinearClassifier" => self.classifier(node),
            "ai.onnx.ml.TreeEnsembleRegressor" => {
                let (source, columns, _) = self.wide(node, 0)?;
                let forest = Forest::regressor(node, columns)?;
                self.step(node, 0, Op::Forest(forest), vec![source], 1, false)
            }
            "ai.onnx.ml.TreeEnsembleClassifier" => {
                let (source, columns, _) = self.wide(node, 0)?;
                let forest = Forest::classifier(node, columns)?;
                let answers = forest.columns();
                self.name(node, 0, Known::Label);
                self.step(node, 1, Op::Forest(forest), vec![source], answers, false)
            }
            "Softmax" | "LogSoftmax" => {
                let (source, columns, _) = self.wide(node, 0)?;
                self.along(node, node.int("axis", if self.opset < 13 { 1 } else { -1 }))?;
                self.step(node, 0, Op::Softmax { log: name == "LogSoftmax" }, vec![source], columns, false)
            }
            "Concat" => self.concat(node),
            "Gather" => self.gather(node),
            "ReduceMean" => self.reduce(node, Reduce::Mean),
            "ReduceSum" => self.reduce(node, Reduce::Sum),
            "ReduceMax" => self.reduce(node, Reduce::Max),
            "ReduceMin" => self.reduce(node, Reduce::Min),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape(node, name),
            other => Err(Fault::Operator(format!("the operator {other} is not run here"))),
        }
    }

    /// Rows with a second dimension.
    fn wide(&self, node: &Node, index: usize) -> Result<(Source, usize, bool), Fault> {
        let (source, columns, flat) = self.rows(node, index)?;
        if flat {
            Err(Fault::Operator(format!("{} wants rows of columns, and is given one dimension", node.op_type)))
        } else {
            Ok((source, columns, flat))
        }
    }

    /// An axis must run along a row.
    fn along(&self, node: &Node, axis: i64) -> Result<(), Fault> {
        if [1, -1].contains(&axis) { Ok(()) } else { Err(Fault::Operator(format!("{} along axis {axis} would mix rows", node.op_type))) }
    }

    fn each(&self, node: &Node, name: &str) -> Result<Option<Each>, Fault> {
        let found = match name {
            "Identity" | "Dropout" => Each::Same,
            "Cast" if [i64::from(FLOAT), i64::from(BOOL)].contains(&node.int("to", 0)) => Each::Same,
            "Abs" => Each::Abs,
            "Ceil" => Each::Ceil,
            "Exp" => Each::Exp,
            "Floor" => Each::Floor,
            "Log" => Each::Log,
            "Neg" => Each::Neg,
            "Not" => Each::Not,
            "Reciprocal" => Each::Reciprocal,
            "Relu" => Each::Relu,
            "Sigmoid" => Each::Sigmoid,
            "Softplus" => Each::Softplus,
            "Sqrt" => Each::Sqrt,
            "Tanh" => Each::Tanh,
            "Elu" => Each::Elu(node.float("alpha", 1.0)),
            "LeakyRelu" => Each::LeakyRelu(node.float("alpha", 0.01)),
            "Selu" => Each::Selu(node.float("alpha", 1.673_263_2), node.float("gamma", 1.050_701)),
            "HardSigmoid" => Each::HardSigmoid(node.float("alpha", 0.2), node.float("beta", 0.5)),
            "Clip" => Each::Clip(self.bound(node, 1, "min", f32::MIN)?, self.bound(node, 2, "max", f32::MAX)?),
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    fn bound(&self, node: &Node, index: usize, attribute: &str, or: f32) -> Result<f32, Fault> {
        if !self.given(node, index) {
            return Ok(node.float(attribute, or));
        }
        let (_, floats) = self.floats(node, index)?;
        floats.first().copied().ok_or_else(|| Fault::Operator("a bound of Clip is empty".to_owned()))
    }

    fn constant(&mut self, node: &Node) -> Result<(), Fault> {
        let (dims, numbers) = match node.tensor("value") {
            Some(tensor) => tensor.read()?,
            None => match (node.floats("value_floats"), node.ints("value_ints")) {
                ([], []) => (Vec::new(), Numbers::Floats(vec![node.float("value_float", f32::NAN)])),
                ([], ints) => (vec![ints.len()], Numbers::Ints(ints.to_vec())),
                (floats, _) => (vec![floats.len()], Numbers::Floats(floats.to_vec())),
            },
        };
        self.name(node, 0, Known::Stored { dims, numbers });
        Ok(())
    }

    /// An operation on inputs that stand beside each other: rows, and constants of one row or one number.
    fn beside(&mut self, node: &Node, op: Op) -> Result<(), Fault> {
        let (mut inputs, mut columns, mut shapes) = (Vec::new(), 1, Vec::new());
        for index in 0..node.input.len() {
            let (source, wide, flat) = match self.known(node, index)? {
                Known::Stored { dims, numbers: Numbers::Floats(floats) } => {
                    let row = dims.iter().rev().skip(1).all(|size| *size == 1) && dims.len() <= 2;
                    if !row || floats.is_empty() {
                        return Err(Fault::Operator(format!("a constant of {} is no row and no number", node.op_type)));
                    }
                    // One number fits beside rows of any kind; a row does not fit beside one dimension.
                    let flat = (floats.len() > 1).then_some(false);
                    (Source::Constant(floats.clone()), floats.len(), flat)
                }
                Known::Rows { place, columns, flat } => (Source::Made(*place), *columns, Some(*flat)),
                Known::Stored { .. } | Known::Label => return Err(Fault::Operator(format!("{} reckons with whole numbers", node.op_type))),
            };
            inputs.push(source);
            columns = columns.max(wide);
            shapes.push((wide, flat));
        }
        let made = inputs.iter().any(|input| matches!(input, Source::Made(_)));
        if !made {
            return Err(Fault::Operator(format!("{} reckons with constants alone: fold them when you export", node.op_type)));
        }
        let flat = shapes.iter().any(|(_, flat)| *flat == Some(true));
        if shapes.iter().any(|(wide, _)| ![1, columns].contains(wide)) || (flat && shapes.iter().any(|(_, flat)| *flat == Some(false))) {
            return Err(Fault::Operator(format!("the inputs of {} do not fit beside each other", node.op_type)));
        }
        self.step(node, 0, op, inputs, columns, flat)
    }

    fn linear(&mut self, node: &Node, gemm: bool) -> Result<(), Fault> {
        let (source, columns, _) = self.wide(node, 0)?;
        let (dims, floats) = self.floats(node, 1)?;
        let misfit = || Fault::Operator(format!("the matrix of {} does not fit {columns} columns", node.op_type));
        let [rows, across] = *dims else { return Err(misfit()) };
        if node.int("transA", 0) != 0 {
            return Err(Fault::Operator("Gemm with transA would mix rows".to_owned()));
        }
        let turned = node.int("transB", 0) != 0;
        let (deep, wide) = if turned { (across, rows) } else { (rows, across) };
        if deep != columns || wide == 0 {
            return Err(misfit());
        }
        let alpha = if gemm { node.float("alpha", 1.0) } else { 1.0 };
        let place = |index: usize| if turned { (index % wide) * deep + index / wide } else { index };
        let weights: Vec<f32> = (0..deep * wide).filter_map(|index| floats.get(place(index)).map(|weight| alpha * weight)).collect();
        let mut plus = vec![0.0];
        if gemm && self.given(node, 2) {
            let (dims, floats) = self.floats(node, 2)?;
            let row = dims.iter().rev().skip(1).all(|size| *size == 1);
            if !row || ![1, wide].contains(&floats.len()) {
                return Err(misfit());
            }
            let beta = node.float("beta", 1.0);
            plus = floats.iter().map(|plus| beta * plus).collect();
        }
        self.step(node, 0, Op::Linear { weights, plus }, vec![source], wide, false)
    }

    fn batch_normalization(&mut self, node: &Node) -> Result<(), Fault> {
        let epsilon = node.float("epsilon", 1e-5);
        let of = |index| self.floats(node, index).map(|(_, floats)| floats.to_vec());
        let (scale, bias, mean, variance) = (of(1)?, of(2)?, of(3)?, of(4)?);
        let times: Vec<f32> = scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
        let plus: Vec<f32> = times.iter().zip(&mean).zip(&bias).map(|((times, mean), bias)| bias - mean * times).collect();
        self.affine(node, times, |_, plus| plus, &plus)
    }

    /// Each column times a number plus a number, which `plus` makes of the first and of another.
    fn affine(&mut self, node: &Node, times: Vec<f32>, plus: fn(f32, f32) -> f32, other: &[f32]) -> Result<(), Fault> {
        let (source, columns, _) = self.wide(node, 0)?;
        if ![1, columns].contains(&times.len()) || ![1, columns].contains(&other.len()) {
            return Err(Fault::Operator(format!("the numbers of {} do not fit {columns} columns", node.op_type)));
        }
        let at = |list: &[f32], column: usize| list.get(if list.len() == 1 { 0 } else { column }).copied().unwrap_or(f32::NAN);
        let plus = (0..columns).map(|column| plus(at(&times, column), at(other, column))).collect();
        self.step(node, 0, Op::Affine { times, plus }, vec![source], columns, false)
    }

    fn normalizer(&mut self, node: &Node) -> Result<(), Fault> {
        let (source, columns, _) = self.wide(node, 0)?;
        if !["L1"].contains(&node.word("norm")) {
            return Err(Fault::Operator("Normalizer is run with the norm L1 only".to_owned()));
        }
        self.step(node, 0, Op::Normalize, vec![source], columns, false)
    }

    fn regressor(&mut self, node: &Node) -> Result<(), Fault> {
        let (source, columns, _) = self.wide(node, 0)?;
        let weights = node.floats("coefficients").to_vec();
        if weights.len() != columns || node.int("targets", 1) != 1 || !["", "NONE"].contains(&node.word("post_transform")) {
            return Err(Fault::Operator(
                "LinearRegressor is run with one target, a coefficient for each column, and nothing after".to_owned(),
            ));
        }
        let plus = vec![node.floats("intercepts").first().copied().unwrap_or_default()];
        self.step(node, 0, Op::Linear { weights, plus }, vec![source], 1, false)
    }

    fn classifier(&mut self, node: &Node) -> Result<(), Fault> {
        let (source, columns, _) = self.wide(node, 0)?;
        let (coefficients, intercepts) = (node.floats("coefficients"), node.floats("intercepts"));
        if coefficients.len() != 2 * columns || intercepts.len() != 2 {
            return Err(Fault::Operator("LinearClassifier is run with two classes, and a coefficient for each and each column".to_owned()));
        }
        let weights = (0..columns).flat_map(|column| [coefficients.get(column), coefficients.get(columns + column)]);
        let op = Op::Linear { weights: weights.flatten().copied().collect(), plus: intercepts.to_vec() };
        self.name(node, 0, Known::Label);
        self.step(node, 1, op, vec![source], 2, false)?;
        let after = match node.word("post_transform") {
            "" | "NONE" => return Ok(()),
            "LOGISTIC" => Op::Each(Each::Sigmoid),
            "SOFTMAX" => Op::Softmax { log: false },
            other => return Err(Fault::Operator(format!("{other} after LinearClassifier is not run here"))),
        };
        self.step(node, 1, after, vec![Source::Made(self.steps.len())], 2, false)
    }

    fn concat(&mut self, node: &Node) -> Result<(), Fault> {
        self.along(node, node.int("axis", 1))?;
        let (mut inputs, mut columns) = (Vec::new(), 0_usize);
        for index in 0..node.input.len() {
            let (source, wide, _) = self.wide(node, index)?;
            inputs.push(source);
            columns = columns.saturating_add(wide);
        }
        self.step(node, 0, Op::Concat, inputs, columns, false)
    }

    fn gather(&mut self, node: &Node) -> Result<(), Fault> {
        let (source, columns, _) = self.wide(node, 0)?;
        self.along(node, node.int("axis", 0))?;
        let flat = match self.known(node, 1)? {
            Known::Stored { dims, .. } if dims.len() <= 1 => dims.is_empty(),
            Known::Stored { .. } | Known::Rows { .. } | Known::Label => {
                return Err(Fault::Operator("Gather is run with places that are a list in the file".to_owned()));
            }
        };
        let wide = i64::try_from(columns).unwrap_or(i64::MAX);
        let place = |index: i64| usize::try_from(if index < 0 { index + wide } else { index }).ok().filter(|place| *place < columns);
        let places: Option<Vec<usize>> = self.ints(node, 1, "")?.into_iter().map(place).collect();
        let places = places.filter(|places| !places.is_empty());
        let places = places.ok_or_else(|| Fault::Operator(format!("Gather asks for a column that is none of {columns}")))?;
        let wide = places.len();
        self.step(node, 0, Op::Gather(places), vec![source], wide, flat)
    }

    fn reduce(&mut self, node: &Node, how: Reduce) -> Result<(), Fault> {
        let (source, _, _) = self.wide(node, 0)?;
        let [axis] = self.ints(node, 1, "axes")?[..] else {
            return Err(Fault::Operator(format!("{} over all axes would mix rows", node.op_type)));
        };
        self.along(node, axis)?;
        self.step(node, 0, Op::Reduce(how), vec![source], 1, node.int("keepdims", 1) == 0)
    }

    /// Another shape of the same rows.
    fn reshape(&mut self, node: &Node, name: &str) -> Result<(), Fault> {
        let (source, columns, flat) = self.rows(node, 0)?;
        let odd = || Fault::Operator(format!("{name} would make other rows"));
        let wide = i64::try_from(columns).map_err(|_| odd())?;
        let becomes_flat = match name {
            "Flatten" if node.int("axis", 1) == 1 && !flat => false,
            "Squeeze" if columns == 1 && !flat && [&[1][..], &[-1][..]].contains(&self.ints(node, 1, "axes")?.as_slice()) => true,
            "Unsqueeze" if flat && [&[1][..], &[-1][..]].contains(&self.ints(node, 1, "axes")?.as_slice()) => false,
            "Reshape" => match self.ints(node, 1, "shape")?[..] {
                [-1] if columns == 1 => true,
                [0] if flat => true,
                [-1, across] if across == wide => false,
                [0, -1] if !flat => false,
                _ => return Err(odd()),
            },
            _ => return Err(odd()),
        };
        self.step(node, 0, Op::Each(Each::Same), vec![source], columns, becomes_flat)
    }
}

fn pair(name: &str, inputs: usize) -> Option<Pair> {
    let many = f32::from(u16::try_from(inputs).unwrap_or(u16::MAX));
    match name {
        "Add" | "Sum" => Some(Pair::Add),
        "Sub" => Some(Pair::Sub),
        "Mul" => Some(Pair::Mul),
        "Div" => Some(Pair::Div),
        "Pow" => Some(Pair::Pow),
        "Min" => Some(Pair::Min),
        "Max" => Some(Pair::Max),
        "Mean" => Some(Pair::Mean(many)),
        "Equal" => Some(Pair::Equal),
        "Greater" => Some(Pair::Greater),
        "GreaterOrEqual" => Some(Pair::GreaterOrEqual),
        "Less" => Some(Pair::Less),
        "LessOrEqual" => Some(Pair::LessOrEqual),
        "And" => Some(Pair::And),
        "Or" => Some(Pair::Or),
        "PRelu" => Some(Pair::PRelu),
        _ => None,
    }
}
