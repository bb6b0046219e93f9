//! From a file to the operations that are run: whatever is not sure to end soon and to fit is refused here, before anything is reckoned.

use super::fault::Fault;
use super::file::{FLOAT, Model, Node, Numbers, Value};
use super::step::{Op, Source};
use planning::predict::FEATURES;
use std::collections::{BTreeMap, BTreeSet};

mod operators;

/// The name of the output.
const OUTPUT: &str = "probability";
/// How many operations a model may have.
const OPERATIONS_MAX: usize = 2_000;
/// Versions of the operators that are read: those since which their meaning has not changed here.
const OPSETS: std::ops::RangeInclusive<i64> = 9..=18;
/// How many numbers a row may become in one operation.
const COLUMNS_MAX: usize = 4_096;
/// And in all of them together: with the rows that are reckoned at once, 16 MB.
const COLUMNS_SUM_MAX: usize = 65_536;
/// How many multiplications a row may cost: a second for some thousand pools. The largest file has fewer weights.
const COST_MAX: usize = 1_000_000;

/// One operation with its inputs.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) inputs: Vec<Source>,
    pub(super) columns: usize,
}

/// A model, ready to run.
pub(super) struct Built {
    pub(super) steps: Vec<Step>,
    /// Which step makes the answer, counted from 1; 0 is the input.
    pub(super) answer: usize,
    pub(super) opset: i64,
    pub(super) operators: BTreeSet<String>,
}

/// What a name stands for.
#[derive(Debug, Clone)]
enum Known {
    /// Rows that a step makes: of one column and no second dimension, or of so many.
    Rows { place: usize, columns: usize, flat: bool },
    /// Numbers that are in the file.
    Stored { dims: Vec<usize>, numbers: Numbers },
    /// A class, which nobody reckons with.
    Label,
}

/// Builds a model.
///
/// # Errors
/// The first [`Fault`].
pub(super) fn build(model: &Model) -> Result<Built, Fault> {
    let graph = model.graph.as_ref().ok_or_else(|| Fault::NotOnnx("there is no graph in it".to_owned()))?;
    let main = model.opset_import.iter().find(|set| ["", "ai.onnx"].contains(&set.domain.as_str()));
    // A model of trees alone need not say it.
    let opset = main.map_or(*OPSETS.end(), |set| set.version);
    if !OPSETS.contains(&opset) {
        let why = format!("operators of version {opset} are not run here: export it with opset {} to {}", OPSETS.start(), OPSETS.end());
        return Err(Fault::Operator(why));
    }
    if !model.functions.is_empty() || !graph.sparse_initializer.is_empty() {
        return Err(Fault::Operator("functions of a model's own, and sparse tensors, are not run here".to_owned()));
    }
    if graph.node.len() > OPERATIONS_MAX {
        return Err(Fault::Operator(format!("it has {} operations, and {OPERATIONS_MAX} at most are run", graph.node.len())));
    }
    let mut builder = Builder { opset, known: BTreeMap::new(), steps: Vec::new(), cost: 0, width: 0 };
    for tensor in &graph.initializer {
        let (dims, numbers) = tensor.read()?;
        builder.known.insert(tensor.name.clone(), Known::Stored { dims, numbers });
    }
    let input = input(&graph.input, |name| builder.known.contains_key(name))?;
    builder.known.insert(input, Known::Rows { place: 0, columns: FEATURES.len(), flat: false });
    let mut operators = BTreeSet::new();
    for node in &graph.node {
        let name = of_domain(node)?;
        builder.node(node, &name)?;
        operators.insert(name);
    }
    let answer = builder.answer(&graph.output)?;
    Ok(Built { steps: builder.steps, answer, opset, operators })
}

fn of_domain(node: &Node) -> Result<String, Fault> {
    if node.attribute.iter().any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty()) {
        return Err(Fault::Operator(format!("{} holds a graph of its own: loops and branches are not run here", node.op_type)));
    }
    match node.domain.as_str() {
        "" | "ai.onnx" => Ok(node.op_type.clone()),
        domain => Ok(format!("{domain}.{}", node.op_type)),
    }
}

/// The name of the one input, if it is what the contract says.
fn input(inputs: &[Value], stored: impl Fn(&str) -> bool) -> Result<String, Fault> {
    let given: Vec<&Value> = inputs.iter().filter(|value| !stored(&value.name)).collect();
    let wanted = format!("float32 [N, {}]", FEATURES.len());
    let [input] = given.as_slice() else {
        return Err(Fault::Input(format!("there must be one, {wanted}; there are {}", given.len())));
    };
    let tensor = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref()).filter(|tensor| tensor.elem_type == FLOAT);
    let tensor = tensor.ok_or_else(|| Fault::Input(format!("`{}` is not {wanted}", input.name)))?;
    let sizes: Vec<Option<i64>> = tensor.shape.iter().flat_map(|shape| shape.dim.iter().map(|dimension| dimension.value)).collect();
    match sizes.as_slice() {
        [None, Some(columns)] if usize::try_from(*columns) == Ok(FEATURES.len()) => Ok(input.name.clone()),
        _ => {
            let shown: Vec<String> = sizes.iter().map(|size| size.map_or_else(|| "?".to_owned(), |size| size.to_string())).collect();
            Err(Fault::Input(format!("it must be {wanted} with N left open, and is [{}]", shown.join(", "))))
        }
    }
}

struct Builder {
    opset: i64,
    known: BTreeMap<String, Known>,
    steps: Vec<Step>,
    cost: usize,
    width: usize,
}

impl Builder {
    fn known(&self, node: &Node, index: usize) -> Result<&Known, Fault> {
        let name = node.input.get(index).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Fault::Operator(format!("{} lacks its input {index}", node.op_type)))?;
        self.known.get(name).ok_or_else(|| Fault::NotOnnx(format!("{} asks for `{name}`, which nothing makes before", node.op_type)))
    }

    fn given(&self, node: &Node, index: usize) -> bool {
        node.input.get(index).is_some_and(|name| !name.is_empty() && self.known.contains_key(name))
    }

    /// Rows that were made: where from, how many columns, and whether there is no second dimension.
    fn rows(&self, node: &Node, index: usize) -> Result<(Source, usize, bool), Fault> {
        match self.known(node, index)? {
            Known::Rows { place, columns, flat } => Ok((Source::Made(*place), *columns, *flat)),
            Known::Stored { .. } => {
                Err(Fault::Operator(format!("{} reckons with constants where rows are wanted: fold them when you export", node.op_type)))
            }
            Known::Label => Err(Fault::Operator(format!("{} reckons with a class: use its probability", node.op_type))),
        }
    }

    /// Numbers with a point that are in the file.
    fn floats(&self, node: &Node, index: usize) -> Result<(&[usize], &[f32]), Fault> {
        match self.known(node, index)? {
            Known::Stored { dims, numbers: Numbers::Floats(floats) } => Ok((dims, floats)),
            Known::Stored { .. } | Known::Rows { .. } | Known::Label => {
                Err(Fault::Operator(format!("the input {index} of {} must be float32 in the file", node.op_type)))
            }
        }
    }

    /// Whole numbers that are in the file, as an input or, in older versions, as an attribute.
    fn ints(&self, node: &Node, index: usize, attribute: &str) -> Result<Vec<i64>, Fault> {
        if !self.given(node, index) {
            return Ok(node.ints(attribute).to_vec());
        }
        match self.known(node, index)? {
            Known::Stored { numbers: Numbers::Ints(ints), .. } => Ok(ints.clone()),
            Known::Stored { .. } | Known::Rows { .. } | Known::Label => {
                Err(Fault::Operator(format!("the input {index} of {} must be int64 in the file", node.op_type)))
            }
        }
    }

    /// Adds an operation; its result has the name of the node's output of this number.
    fn step(&mut self, node: &Node, output: usize, op: Op, inputs: Vec<Source>, columns: usize, flat: bool) -> Result<(), Fault> {
        self.cost += op.cost(inputs.len(), columns);
        self.width += columns;
        if columns > COLUMNS_MAX || self.width > COLUMNS_SUM_MAX {
            let why = format!("it makes too much of a row: {COLUMNS_MAX} numbers at once, and {COLUMNS_SUM_MAX} in all, are held");
            return Err(Fault::TooWide(why));
        }
        if self.cost > COST_MAX {
            return Err(Fault::TooSlow(format!("a row costs more than {COST_MAX} multiplications")));
        }
        self.steps.push(Step { op, inputs, columns });
        let known = Known::Rows { place: self.steps.len(), columns, flat };
        self.name(node, output, known);
        Ok(())
    }

    fn name(&mut self, node: &Node, output: usize, known: Known) {
        if let Some(name) = node.output.get(output).filter(|name| !name.is_empty()) {
            self.known.insert(name.clone(), known);
        }
    }

    /// The step that makes the answer: the output of that name, or the only one.
    fn answer(&mut self, outputs: &[Value]) -> Result<usize, Fault> {
        let named = outputs.iter().find(|value| value.name == OUTPUT);
        let output = match (named, outputs) {
            (Some(output), _) | (None, [output]) => output,
            (None, _) => return Err(Fault::Output(format!("none of its {} outputs is called `{OUTPUT}`", outputs.len()))),
        };
        let declared = output.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
        if declared.is_none_or(|tensor| tensor.elem_type != FLOAT) {
            return Err(Fault::Output(format!("`{}` is no float32 tensor", output.name)));
        }
        match self.known.get(&output.name) {
            Some(Known::Rows { place, columns: 1 | 2, .. }) => Ok(*place),
            Some(Known::Rows { columns, .. }) => {
                Err(Fault::Output(format!("it must be [N], [N, 1], or [N, 2] with the chance second, and is [N, {columns}]")))
            }
            Some(Known::Stored { .. } | Known::Label) | None => Err(Fault::Output("nothing makes it out of the input".to_owned())),
        }
    }
}
