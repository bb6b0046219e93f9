"""Makes the models that the tests of the decision server run: tiny ones, right and wrong in every way that is refused.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 numpy
    venv/bin/python functions/decision/testdata/make_models.py

The files are checked in: nobody needs Python to run the tests. The input of all is the tensor contract `spot-interruption/1`. What the right
ones answer in ONNX Runtime goes to `expected.json`: the tests hold ours against it.
"""

import json
import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, external_data_helper, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
FEATURES = 12
BAND_RATE = 1
BUILT_IN = 11
FLOAT = TensorProto.FLOAT


def stored(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def model(nodes, tensors=(), columns=FEATURES, batch="N", kind=FLOAT, outputs=None, opset=17, more=()):
    given = [helper.make_tensor_value_info("features", kind, [batch, columns])]
    outputs = outputs or [helper.make_tensor_value_info("probability", FLOAT, ["N", 1])]
    graph = helper.make_graph(list(nodes), "spot-interruption", given, outputs, list(tensors))
    sets = [helper.make_opsetid("", opset), *more]
    return helper.make_model(graph, opset_imports=sets, ir_version=8, producer_name="make_models.py")


def save(name, made):
    data = made if isinstance(made, bytes) else made.SerializeToString()
    (HERE / name).write_bytes(data)
    print(f"{name}: {len(data)} bytes")


def linear(slope_of, slope, bias, end="Sigmoid"):
    """A logistic regression on one feature."""
    weights = np.zeros((FEATURES, 1))
    weights[slope_of, 0] = slope
    nodes = [
        helper.make_node("Gemm", ["features", "w", "b"], ["score"]),
        helper.make_node(end, ["score"], ["probability"]),
    ]
    return nodes, [stored("w", weights), stored("b", [bias])]


def identity():
    """Says what the built-in engine reckons."""
    nodes = [
        helper.make_node("Gather", ["features", "column"], ["column_2d"], axis=1),
        helper.make_node("Identity", ["column_2d"], ["probability"]),
    ]
    return model(nodes, [stored("column", [BUILT_IN], np.int64)])


def net():
    """Two layers, whose answer is a vector."""
    random = np.random.default_rng(7)
    tensors = [
        stored("w1", random.normal(0, 0.1, (FEATURES, 8)) / np.array([[720, 1, 1, 1, 1, 1, 1, 1, 48, 512, 32768, 1]]).T),
        stored("b1", random.normal(0, 0.1, 8)),
        stored("w2", random.normal(0, 0.5, (8, 1))),
        stored("b2", [-2.0]),
        stored("flat", [-1], np.int64),
    ]
    nodes = [
        helper.make_node("MatMul", ["features", "w1"], ["m1"]),
        helper.make_node("Add", ["m1", "b1"], ["a1"]),
        helper.make_node("Relu", ["a1"], ["r1"]),
        helper.make_node("MatMul", ["r1", "w2"], ["m2"]),
        helper.make_node("Add", ["m2", "b2"], ["a2"]),
        helper.make_node("Sigmoid", ["a2"], ["s2"]),
        helper.make_node("Reshape", ["s2", "flat"], ["probability"]),
    ]
    return model(nodes, tensors, outputs=[helper.make_tensor_value_info("probability", FLOAT, ["N"])])


def everything():
    """Every other operator that is run, one after the other."""
    random = np.random.default_rng(11)
    scaled = 1 / np.array([720, 1, 1, 1, 1, 1, 1, 1, 48, 512, 32768, 1])
    tensors = [
        stored("scaled", scaled),
        stored("half", 0.5),
        stored("two", [[2.0]]),
        stored("low", 0.05),
        stored("high", 0.95),
        stored("some", [0, 3, -1], np.int64),
        stored("one", [1], np.int64),
        stored("back", [-1, 1], np.int64),
        stored("slope", random.uniform(0, 0.3, FEATURES)),
        stored("g", random.uniform(0.5, 1.5, FEATURES)),
        stored("b", random.normal(0, 0.1, FEATURES)),
        stored("m", random.normal(0, 0.1, FEATURES)),
        stored("v", random.uniform(0.5, 1.5, FEATURES)),
        stored("w", random.normal(0, 0.3, (3, FEATURES))),
        stored("c", random.normal(0, 0.1, (1, 3))),
    ]
    n = helper.make_node
    nodes = [
        n("Constant", [], ["tenth"], value=stored("tenth", [0.1])),
        n("Mul", ["features", "scaled"], ["x"]),
        n("BatchNormalization", ["x", "g", "b", "m", "v"], ["norm"]),
        n("Elu", ["norm"], ["elu"], alpha=0.7),
        n("LeakyRelu", ["norm"], ["leaky"], alpha=0.2),
        n("Selu", ["norm"], ["selu"]),
        n("PRelu", ["norm", "slope"], ["prelu"]),
        n("HardSigmoid", ["norm"], ["hard"]),
        n("Softplus", ["norm"], ["plus"]),
        n("Tanh", ["norm"], ["tanh"]),
        n("Sum", ["elu", "leaky", "selu"], ["sum"]),
        n("Mean", ["prelu", "hard", "plus", "tanh"], ["mean"]),
        n("Max", ["sum", "mean", "tenth"], ["max"]),
        n("Min", ["sum", "mean", "half"], ["min"]),
        n("Sub", ["max", "min"], ["sub"]),
        n("Abs", ["sub"], ["abs"]),
        n("Sqrt", ["abs"], ["sqrt"]),
        n("Pow", ["sqrt", "two"], ["pow"]),
        n("Add", ["pow", "tenth"], ["add"]),
        n("Log", ["add"], ["log"]),
        n("Neg", ["log"], ["neg"]),
        n("Exp", ["neg"], ["exp"]),
        n("Reciprocal", ["exp"], ["recip"]),
        n("Clip", ["recip", "low", "high"], ["clip"]),
        n("Softmax", ["clip"], ["soft"], axis=-1),
        n("LogSoftmax", ["clip"], ["logsoft"], axis=1),
        n("Div", ["soft", "logsoft"], ["div"]),
        n("Greater", ["div", "low"], ["greater"]),
        n("LessOrEqual", ["clip", "half"], ["less"]),
        n("Or", ["greater", "less"], ["or"]),
        n("Not", ["less"], ["not"]),
        n("And", ["or", "not"], ["and"]),
        n("Where", ["and", "clip", "soft"], ["where"]),
        n("Floor", ["norm"], ["floor"]),
        n("Ceil", ["norm"], ["ceil"]),
        n("Equal", ["floor", "ceil"], ["whole"]),
        n("Cast", ["whole"], ["wholef"], to=FLOAT),
        n("Gemm", ["where", "w", "c"], ["gemm"], alpha=0.5, beta=2.0, transB=1),
        n("Gather", ["wholef", "some"], ["few"], axis=1),
        n("Concat", ["gemm", "few"], ["both"], axis=1),
        n("ReduceSum", ["both", "one"], ["rsum"], keepdims=1),
        n("ReduceMax", ["both"], ["rmax"], axes=[1], keepdims=0),
        n("Unsqueeze", ["rmax", "one"], ["rmax2"]),
        n("ReduceMin", ["both"], ["rmin"], axes=[-1], keepdims=1),
        n("Flatten", ["rmin"], ["rmin2"], axis=1),
        n("Squeeze", ["rmin2", "one"], ["rmin1"]),
        n("Reshape", ["rmin1", "back"], ["rmin3"]),
        n("Sum", ["rsum", "rmax2", "rmin3"], ["score"]),
        n("Dropout", ["score"], ["dropped"]),
        n("Sigmoid", ["dropped"], ["probability"]),
    ]
    return model(nodes, tensors)


def forest(kind, after, negative):
    """Twenty trees of depth three with random splits; of two classes the leaves name one, as XGBoost and LightGBM are exported."""
    random = np.random.default_rng(5)
    trees, ids, features, values, modes, yes, no = [], [], [], [], [], [], []
    leaves = {"trees": [], "nodes": [], "ids": [], "weights": []}
    low = np.array([0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0])
    high = np.array([720, 0.3, 1, 1, 1, 1, 2, 1, 48, 512, 32768, 1])
    for tree_id in range(20):
        for node_id in range(15):
            feature = int(random.integers(FEATURES))
            leaf = node_id >= 7
            trees.append(tree_id)
            ids.append(node_id)
            features.append(0 if leaf else feature)
            values.append(0.0 if leaf else float(random.uniform(low[feature], high[feature])))
            modes.append("LEAF" if leaf else ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"][tree_id % 4])
            yes.append(0 if leaf else 2 * node_id + 1)
            no.append(0 if leaf else 2 * node_id + 2)
            if leaf:
                leaves["trees"].append(tree_id)
                leaves["nodes"].append(node_id)
                leaves["ids"].append(0)
                leaves["weights"].append(float(random.uniform(-0.5 if negative else 0, 0.5 if negative else 0.04)))
    nodes = dict(
        nodes_treeids=trees, nodes_nodeids=ids, nodes_featureids=features, nodes_values=values, nodes_modes=modes,
        nodes_truenodeids=yes, nodes_falsenodeids=no, post_transform=after, domain="ai.onnx.ml",
    )
    ml = [helper.make_opsetid("ai.onnx.ml", 1)]
    if kind == "classifier":
        node = helper.make_node(
            "TreeEnsembleClassifier", ["features"], ["label", "probability"], **nodes, classlabels_int64s=[0, 1],
            class_treeids=leaves["trees"], class_nodeids=leaves["nodes"], class_ids=leaves["ids"],
            class_weights=leaves["weights"], **({"base_values": [-0.25]} if negative else {}),
        )
        outputs = [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("probability", FLOAT, ["N", 2]),
        ]
        return model([node], outputs=outputs, more=ml)
    node = helper.make_node(
        "TreeEnsembleRegressor", ["features"], ["sum"], **nodes, n_targets=1, base_values=[0.1], aggregate_function="SUM",
        target_treeids=leaves["trees"], target_nodeids=leaves["nodes"], target_ids=leaves["ids"], target_weights=leaves["weights"],
    )
    return model([node, helper.make_node("Sigmoid", ["sum"], ["probability"])], more=ml)


def scaled_linear():
    """As scikit-learn exports a scaler and a logistic regression."""
    random = np.random.default_rng(3)
    weights = random.normal(0, 0.4, FEATURES)
    n = helper.make_node
    nodes = [
        n("Scaler", ["features"], ["x"], domain="ai.onnx.ml", offset=[360.0, 0.1, 0.5, 0, 0.5, 0.5, 0.5, 0.5, 5, 16, 64, 0.1],
          scale=[0.003, 10, 2, 1, 3, 2, 1, 2, 0.2, 0.02, 0.005, 5]),
        n("LinearClassifier", ["x"], ["label", "raw"], domain="ai.onnx.ml", classlabels_ints=[0, 1], post_transform="LOGISTIC",
          coefficients=[*(-weights), *weights], intercepts=[2.0, -2.0], multi_class=1),
        n("Normalizer", ["raw"], ["probability"], domain="ai.onnx.ml", norm="L1"),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        helper.make_tensor_value_info("probability", FLOAT, ["N", 2]),
    ]
    return model(nodes, outputs=outputs, more=[helper.make_opsetid("ai.onnx.ml", 1)])


def tree():
    """One split on the Spot Advisor's band, as scikit-learn exports it: a label, and a column for each class."""
    node = helper.make_node(
        "TreeEnsembleClassifier",
        ["features"],
        ["label", "probability"],
        domain="ai.onnx.ml",
        class_ids=[0, 1, 0, 1],
        class_nodeids=[1, 1, 2, 2],
        class_treeids=[0, 0, 0, 0],
        class_weights=[0.99, 0.01, 0.9, 0.1],
        classlabels_int64s=[0, 1],
        nodes_falsenodeids=[2, 0, 0],
        nodes_featureids=[BAND_RATE, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_nodeids=[0, 1, 2],
        nodes_treeids=[0, 0, 0],
        nodes_truenodeids=[1, 0, 0],
        nodes_values=[0.1, 0.0, 0.0],
        post_transform="NONE",
    )
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        helper.make_tensor_value_info("probability", FLOAT, ["N", 2]),
    ]
    return model([node], outputs=outputs, more=[helper.make_opsetid("ai.onnx.ml", 1)])


def nan():
    """The logarithm of what is below zero."""
    nodes, tensors = linear(0, 0.0, -1.0, end="Log")
    return model(nodes, tensors)


def slow():
    """Five hundred layers of 48: little to hold, and more work than a row may cost."""
    nodes = [helper.make_node("Concat", ["features"] * 4, ["l0"], axis=1)]
    for step in range(500):
        nodes.append(helper.make_node("MatMul", [f"l{step}", "w"], [f"l{step + 1}"]))
    nodes.append(helper.make_node("ReduceMean", ["l500"], ["mean"], axes=[1], keepdims=1))
    nodes.append(helper.make_node("Sigmoid", ["mean"], ["probability"]))
    return model(nodes, [stored("w", np.zeros((48, 48)))])


def wide():
    """Doubles its width twenty times: 50 GB."""
    nodes, last = [], "features"
    for step in range(20):
        nodes.append(helper.make_node("Concat", [last, last], [f"c{step}"], axis=1))
        last = f"c{step}"
    nodes.append(helper.make_node("ReduceMean", [last], ["probability"], axes=[1], keepdims=1))
    return model(nodes)


def constants():
    """An outer product of two vectors that it holds itself: 40 GB, reckoned while it is read."""
    nodes = [
        helper.make_node("MatMul", ["tall", "flat"], ["product"]),
        helper.make_node("ReduceMean", ["product"], ["mean"], axes=[0, 1], keepdims=1),
        helper.make_node("Gemm", ["features", "w"], ["score"]),
        helper.make_node("Mul", ["score", "mean"], ["probability"]),
    ]
    tensors = [stored("tall", np.zeros((2000, 1))), stored("flat", np.zeros((1, 2000))), stored("w", np.zeros((FEATURES, 1)))]
    return model(nodes, tensors)


def loop():
    """A branch with graphs of its own."""
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["x"], value=stored("x", [[0.5]]))],
        "branch",
        [],
        [helper.make_tensor_value_info("x", FLOAT, [1, 1])],
    )
    nodes = [
        helper.make_node("Constant", [], ["yes"], value=stored("yes", True, np.bool_)),
        helper.make_node("If", ["yes"], ["probability"], then_branch=branch, else_branch=branch),
    ]
    return model(nodes)


def external():
    """Weights that lie in another file."""
    nodes, tensors = linear(BAND_RATE, 1.0, 0.0)
    external_data_helper.set_external_data(tensors[0], location="../../../etc/hostname")
    tensors[0].ClearField("raw_data")
    tensors[0].data_location = TensorProto.EXTERNAL
    return model(nodes, tensors)


def expected(names):
    """What ONNX Runtime answers, for rows that reach everywhere."""
    random = np.random.default_rng(1)
    high = np.array([720, 0.3, 1, 1, 1, 1, 2, 1, 48, 512, 32768, 1])
    rows = (random.uniform(0, 1, (40, FEATURES)) * high).astype(np.float32)
    rows[0], rows[1] = 0, high
    answers = {}
    for name in names:
        given = onnxruntime.InferenceSession(str(HERE / f"{name}.onnx")).run(["probability"], {"features": rows})[0]
        answers[name] = [float(row if np.ndim(row) == 0 else row[-1]) for row in given]
        assert np.isfinite(answers[name]).all() and np.std(answers[name]) > 0, (name, answers[name])
        assert 0 <= min(answers[name]) and max(answers[name]) <= 1, (name, answers[name])
    text = json.dumps({"rows": [[float(x) for x in row] for row in rows], "answers": answers})
    (HERE / "expected.json").write_text(text + "\n")
    print(f"expected.json: {len(text)} bytes, {', '.join(names)}")


def main():
    nodes, tensors = linear(BAND_RATE, 20.0, -6.0)
    save("linear.onnx", model(nodes, tensors))
    save("newer_operators.onnx", model(nodes, tensors, opset=22))
    save("one_row_only.onnx", model(nodes, tensors, batch=1))
    save("doubles.onnx", model(nodes, tensors, kind=TensorProto.DOUBLE))
    save("identity.onnx", identity())
    save("net.onnx", net())
    save("tree.onnx", tree())
    save("everything.onnx", everything())
    save("forest.onnx", forest("regressor", "NONE", True))
    save("forest_rest.onnx", forest("classifier", "NONE", False))
    save("forest_logistic.onnx", forest("classifier", "LOGISTIC", True))
    save("scaled_linear.onnx", scaled_linear())
    right = ["linear", "identity", "net", "tree", "everything", "forest", "forest_rest", "forest_logistic", "scaled_linear"]
    expected(right)
    nodes, tensors = linear(BAND_RATE, 1.0, 3.0, end="Relu")
    save("above_one.onnx", model(nodes, tensors))
    nodes, _ = linear(0, 1.0, 0.0)
    save("eleven_features.onnx", model(nodes, [stored("w", np.zeros((11, 1))), stored("b", [0.0])], columns=11))
    three = helper.make_tensor_value_info("probability", FLOAT, ["N", 3])
    save("three_answers.onnx", model(nodes, [stored("w", np.zeros((FEATURES, 3))), stored("b", [0.0] * 3)], outputs=[three]))
    save("nan.onnx", nan())
    save("slow.onnx", slow())
    save("wide.onnx", wide())
    save("constants.onnx", constants())
    save("branches.onnx", loop())
    save("external.onnx", external())
    save("no_model.onnx", b"PK\x03\x04 this is a zip, or says so, and no model at all\n")


if __name__ == "__main__":
    main()
