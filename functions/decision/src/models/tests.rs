//! Models of any size, for tests: a forest that says what part of the rows each of its trees takes.

use super::file::{Attribute, Dimension, FLOAT, Graph, Kind, Model, Node, OperatorSet, Shape, Tensor, TensorKind, Value};
use planning::predict::FEATURES;
use prost::Message;

/// How large a forest is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trees {
    /// Trees.
    pub(crate) many: usize,
    /// Branches from a root to a leaf.
    pub(crate) depth: u32,
    /// How many weights each leaf has.
    pub(crate) weights: usize,
}

#[derive(Default)]
struct Lists {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    values: Vec<f32>,
    modes: Vec<Vec<u8>>,
    yes: Vec<i64>,
    no: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_ids: Vec<i64>,
    weights: Vec<f32>,
}

/// The file of a forest: the average of whole trees, each of which answers between 0 and 1.
pub(crate) fn forest(size: Trees) -> Vec<u8> {
    let mut lists = Lists::default();
    let (inner, all) = (2_i64.pow(size.depth) - 1, 2_i64.pow(size.depth + 1) - 1);
    for tree in 0..size.many as i64 {
        for id in 0..all {
            lists.trees.push(tree);
            lists.ids.push(id);
            let feature = (tree + id) % FEATURES.len() as i64;
            let range = &FEATURES[usize::try_from(feature).unwrap()];
            lists.features.push(feature);
            if id < inner {
                let share = ((tree * 31 + id * 17) % 97) as f32 / 97.0;
                lists.values.push(range.low + (range.high - range.low) * share);
                lists.modes.push(b"BRANCH_LEQ".to_vec());
                lists.yes.push(2 * id + 1);
                lists.no.push(2 * id + 2);
            } else {
                lists.values.push(0.0);
                lists.modes.push(b"LEAF".to_vec());
                lists.yes.push(0);
                lists.no.push(0);
                let says = if size.depth == 0 { 0.5 } else { ((id * 13 + tree) % 101) as f32 / 100.0 };
                for _ in 0..size.weights {
                    lists.leaf_trees.push(tree);
                    lists.leaf_ids.push(id);
                    lists.weights.push(says / size.weights as f32);
                }
            }
        }
    }
    file(node(lists))
}

fn node(lists: Lists) -> Node {
    let none = Attribute::default;
    let named = |name: &str, attribute: Attribute| Attribute { name: name.to_owned(), ..attribute };
    let ints = |name: &str, ints: Vec<i64>| named(name, Attribute { ints, ..none() });
    let floats = |name: &str, floats: Vec<f32>| named(name, Attribute { floats, ..none() });
    Node {
        input: vec!["pools".to_owned()],
        output: vec!["probability".to_owned()],
        op_type: "TreeEnsembleRegressor".to_owned(),
        domain: "ai.onnx.ml".to_owned(),
        attribute: vec![
            named("n_targets", Attribute { i: 1, ..none() }),
            named("aggregate_function", Attribute { s: b"AVERAGE".to_vec(), ..none() }),
            ints("target_ids", vec![0; lists.weights.len()]),
            ints("target_nodeids", lists.leaf_ids),
            ints("target_treeids", lists.leaf_trees),
            floats("target_weights", lists.weights),
            ints("nodes_missing_value_tracks_true", vec![0; lists.ids.len()]),
            ints("nodes_treeids", lists.trees),
            ints("nodes_nodeids", lists.ids),
            ints("nodes_featureids", lists.features),
            ints("nodes_truenodeids", lists.yes),
            ints("nodes_falsenodeids", lists.no),
            floats("nodes_values", lists.values),
            named("nodes_modes", Attribute { strings: lists.modes, ..none() }),
        ],
    }
}

fn file(node: Node) -> Vec<u8> {
    let side = |value| Dimension { value };
    let value = |name: &str, sides: Vec<Option<i64>>| Value {
        name: name.to_owned(),
        kind: Some(Kind {
            tensor: Some(TensorKind { elem_type: FLOAT, shape: Some(Shape { dim: sides.into_iter().map(side).collect() }) }),
        }),
    };
    let set = |domain: &str, version| OperatorSet { domain: domain.to_owned(), version };
    let graph = Graph {
        node: vec![node],
        initializer: Vec::<Tensor>::new(),
        input: vec![value("pools", vec![None, Some(FEATURES.len() as i64)])],
        output: vec![value("probability", vec![None, Some(1)])],
        sparse_initializer: Vec::new(),
    };
    Model { graph: Some(graph), opset_import: vec![set("", 17), set("ai.onnx.ml", 3)], functions: Vec::new() }.encode_to_vec()
}
