//! Trees that decide: the operators of `ai.onnx.ml` into which gradient boosting and forests are exported.

use super::fault::Fault;
use super::file::Node;
use super::step::sigmoid;
use std::collections::BTreeMap;

/// How deep a tree may be.
const DEPTH_MAX: usize = 64;

/// What a node of a tree does with its feature.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
    Leaf,
}

#[derive(Debug, Clone)]
struct Branch {
    mode: Mode,
    feature: usize,
    value: f32,
    yes: usize,
    no: usize,
    missing_is_yes: bool,
    /// Of a leaf: class or target, and what it adds.
    weights: Vec<(usize, f32)>,
}

/// What is done with the sums of the leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum After {
    Nothing,
    Logistic,
    Softmax,
}

/// How the sums become the row of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    /// As they are: one target, or a column for each class.
    Sums,
    /// Two classes of which the leaves name one: the other is what is left to 1.
    Rest,
    /// The same, where leaves also take away: the other is the opposite.
    Opposite,
}

/// Trees whose leaves add up.
#[derive(Debug, Clone)]
pub(super) struct Forest {
    branches: Vec<Branch>,
    roots: Vec<usize>,
    base: Vec<f32>,
    over: f32,
    after: After,
    answer: Answer,
    cost: usize,
}

/// Keys of nodes: tree and node.
type Keys = BTreeMap<(i64, i64), usize>;

impl Forest {
    /// Two classes.
    ///
    /// # Errors
    /// [`Fault`]: it is no forest, or one of another kind.
    pub(super) fn classifier(node: &Node, columns: usize) -> Result<Forest, Fault> {
        let classes = node.ints("classlabels_int64s").len().max(node.words("classlabels_strings").len());
        if classes != 2 {
            return Err(odd(&format!("it knows {classes} classes, and two are wanted")));
        }
        let mut forest = Forest::read(node, columns, "class", 2)?;
        let weights: Vec<(usize, f32)> = forest.branches.iter().flat_map(|branch| branch.weights.iter().copied()).collect();
        // As XGBoost and LightGBM are exported: the leaves name the first class only, and mean the second.
        if weights.iter().all(|(class, _)| *class == 0) {
            forest.answer = if weights.iter().all(|(_, weight)| *weight >= 0.0) { Answer::Rest } else { Answer::Opposite };
            // The base of the class that is named: the last one given.
            forest.base = vec![node.floats("base_values").last().copied().unwrap_or_default()];
            if forest.after == After::Softmax {
                return Err(odd("SOFTMAX over one class is not run here"));
            }
        }
        Ok(forest)
    }

    /// One target.
    ///
    /// # Errors
    /// As [`Forest::classifier`].
    pub(super) fn regressor(node: &Node, columns: usize) -> Result<Forest, Fault> {
        if node.int("n_targets", 1) != 1 {
            return Err(odd("it has more than one target"));
        }
        let mut forest = Forest::read(node, columns, "target", 1)?;
        match node.word("aggregate_function") {
            "" | "SUM" => {}
            // Exact: no file holds as many trees as a float counts, 16 million.
            "AVERAGE" => forest.over = forest.roots.len() as f32,
            other => return Err(odd(&format!("{other} over trees is not run here"))),
        }
        Ok(forest)
    }

    fn read(node: &Node, columns: usize, leaf: &str, sums: usize) -> Result<Forest, Fault> {
        let (keys, mut branches) = branches(node, columns)?;
        let part = |name: &str| format!("{leaf}_{name}");
        let (trees, nodes) = (part("treeids"), part("nodeids"));
        let places = node.ints(&trees).iter().zip(node.ints(&nodes));
        let weights = node.floats(&part("weights"));
        let ids = node.ints(&part("ids"));
        if node.ints(&nodes).len() != weights.len() || ids.len() != weights.len() || node.ints(&trees).len() != weights.len() {
            return Err(odd("its leaves do not hold together"));
        }
        for (((tree, id), weight), class) in places.zip(weights).zip(ids) {
            let class = usize::try_from(*class).ok().filter(|class| *class < sums).ok_or_else(|| odd("a leaf names no class of it"))?;
            let place = keys.get(&(*tree, *id)).ok_or_else(|| odd("a weight has no leaf"))?;
            branches.get_mut(*place).ok_or_else(|| odd("a weight has no leaf"))?.weights.push((class, *weight));
        }
        let after = match node.word("post_transform") {
            "" | "NONE" => After::Nothing,
            "LOGISTIC" => After::Logistic,
            "SOFTMAX" => After::Softmax,
            other => return Err(odd(&format!("{other} after the trees is not run here"))),
        };
        let mut base = node.floats("base_values").to_vec();
        base.resize(sums, 0.0);
        let (roots, cost) = roots(&branches)?;
        Ok(Forest { branches, roots, base, over: 1.0, after, answer: Answer::Sums, cost })
    }

    /// How many columns it answers.
    pub(super) fn columns(&self) -> usize {
        match self.answer {
            Answer::Sums => self.base.len(),
            Answer::Rest | Answer::Opposite => 2,
        }
    }

    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn reckon(&self, row: &[f32], into: &mut Vec<f32>) {
        let mut sums = vec![0.0; self.base.len()];
        for root in &self.roots {
            let mut place = *root;
            // No tree is deeper: that was seen when it was read.
            for _ in 0..=DEPTH_MAX {
                let Some(branch) = self.branches.get(place) else { break };
                if let Mode::Leaf = branch.mode {
                    for (class, weight) in &branch.weights {
                        if let Some(sum) = sums.get_mut(*class) {
                            *sum += weight;
                        }
                    }
                    break;
                }
                place = if branch.takes(row) { branch.yes } else { branch.no };
            }
        }
        let sums: Vec<f32> = sums.iter().zip(&self.base).map(|(sum, base)| sum / self.over + base).collect();
        let one = sums.first().copied().unwrap_or(f32::NAN);
        let logistic = self.after == After::Logistic;
        match self.answer {
            Answer::Rest | Answer::Opposite if logistic => into.extend([1.0 - sigmoid(one), sigmoid(one)]),
            Answer::Rest => into.extend([1.0 - one, one]),
            Answer::Opposite => into.extend([-one, one]),
            Answer::Sums if logistic => into.extend(sums.into_iter().map(sigmoid)),
            Answer::Sums if self.after == After::Softmax => {
                let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let all: f32 = sums.iter().map(|sum| (sum - most).exp()).sum();
                into.extend(sums.iter().map(|sum| (sum - most).exp() / all));
            }
            Answer::Sums => into.extend(sums),
        }
    }
}

impl Branch {
    fn takes(&self, row: &[f32]) -> bool {
        let x = row.get(self.feature).copied().unwrap_or(f32::NAN);
        if x.is_nan() {
            return self.missing_is_yes;
        }
        match self.mode {
            Mode::Leq => x <= self.value,
            Mode::Lt => x < self.value,
            Mode::Gte => x >= self.value,
            Mode::Gt => x > self.value,
            Mode::Eq => x == self.value,
            Mode::Neq => x != self.value,
            Mode::Leaf => false,
        }
    }
}

fn odd(why: &str) -> Fault {
    Fault::Operator(format!("its trees are not run here: {why}"))
}

fn branches(node: &Node, columns: usize) -> Result<(Keys, Vec<Branch>), Fault> {
    let (trees, ids) = (node.ints("nodes_treeids"), node.ints("nodes_nodeids"));
    let (features, values, modes) = (node.ints("nodes_featureids"), node.floats("nodes_values"), node.words("nodes_modes"));
    let (yes, no, missing) =
        (node.ints("nodes_truenodeids"), node.ints("nodes_falsenodeids"), node.ints("nodes_missing_value_tracks_true"));
    let count = ids.len();
    if count == 0 || [trees.len(), features.len(), values.len(), modes.len(), yes.len(), no.len()].iter().any(|len| *len != count) {
        return Err(odd("its nodes do not hold together"));
    }
    let keys: Keys = trees.iter().copied().zip(ids.iter().copied()).zip(0..).collect();
    if keys.len() != count {
        return Err(odd("two nodes have one name"));
    }
    let at = |list: &[i64], index: usize| list.get(index).copied().unwrap_or_default();
    let branch = |index: usize| {
        let mode = mode(modes.get(index).copied().unwrap_or_default())?;
        let child = |id: i64| match mode {
            Mode::Leaf => Ok(0),
            Mode::Leq | Mode::Lt | Mode::Gte | Mode::Gt | Mode::Eq | Mode::Neq => {
                keys.get(&(at(trees, index), id)).copied().ok_or_else(|| odd("a branch leads nowhere"))
            }
        };
        let feature = usize::try_from(at(features, index)).ok().filter(|feature| *feature < columns);
        Ok(Branch {
            mode,
            feature: feature.ok_or_else(|| odd("a branch asks for a feature that is not there"))?,
            value: values.get(index).copied().unwrap_or_default(),
            yes: child(at(yes, index))?,
            no: child(at(no, index))?,
            missing_is_yes: at(missing, index) != 0,
            weights: Vec::new(),
        })
    };
    let branches = (0..count).map(branch).collect::<Result<_, Fault>>()?;
    Ok((keys, branches))
}

fn mode(word: &str) -> Result<Mode, Fault> {
    match word {
        "BRANCH_LEQ" => Ok(Mode::Leq),
        "BRANCH_LT" => Ok(Mode::Lt),
        "BRANCH_GTE" => Ok(Mode::Gte),
        "BRANCH_GT" => Ok(Mode::Gt),
        "BRANCH_EQ" => Ok(Mode::Eq),
        "BRANCH_NEQ" => Ok(Mode::Neq),
        "LEAF" => Ok(Mode::Leaf),
        other => Err(odd(&format!("{other} is no branch"))),
    }
}

/// The nodes that no branch leads to, and how many steps they take at most, with what a leaf adds. Every node is reached once: there is no circle.
fn roots(branches: &[Branch]) -> Result<(Vec<usize>, usize), Fault> {
    let mut led_to = vec![false; branches.len()];
    let inner = |branch: &&Branch| !matches!(branch.mode, Mode::Leaf);
    for child in branches.iter().filter(inner).flat_map(|branch| [branch.yes, branch.no]) {
        if std::mem::replace(led_to.get_mut(child).ok_or_else(|| odd("a branch leads nowhere"))?, true) {
            return Err(odd("two branches lead to one node"));
        }
    }
    let roots: Vec<usize> = led_to.iter().enumerate().filter(|(_, led)| !**led).map(|(place, _)| place).collect();
    let (mut seen, mut cost) = (0, 0);
    for root in &roots {
        let mut open = vec![(*root, 1)];
        let mut deepest = 1;
        while let Some((place, depth)) = open.pop() {
            seen += 1;
            // A leaf with one weight is a step; each further one is another.
            let adds = branches.get(place).map_or(0, |branch| branch.weights.len().saturating_sub(1));
            deepest = deepest.max(depth + adds);
            if depth > DEPTH_MAX {
                return Err(odd(&format!("one is deeper than {DEPTH_MAX}")));
            }
            if let Some(branch) = branches.get(place).filter(|branch| !matches!(branch.mode, Mode::Leaf)) {
                open.extend([(branch.yes, depth + 1), (branch.no, depth + 1)]);
            }
        }
        cost += deepest;
    }
    if seen == branches.len() { Ok((roots, cost)) } else { Err(odd("a branch leads in a circle")) }
}
