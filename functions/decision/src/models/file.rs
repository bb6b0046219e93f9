//! The file of a model: the messages of ONNX, as far as they are read here (onnx.proto, IR version 8). What is not listed is passed over.

use super::fault::Fault;
use prost::Message;

/// A model.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSet>,
    #[prost(bytes = "vec", repeated, tag = "25")]
    pub(super) functions: Vec<Vec<u8>>,
}

/// Which operators it speaks of.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSet {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// What it does.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<Value>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub(super) sparse_initializer: Vec<Vec<u8>>,
}

/// One operation.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<Attribute>,
    #[prost(string, tag = "7")]
    pub(super) domain: String,
}

/// What an operation is told beside its inputs. Graphs stay bytes: none is run.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(float, tag = "2")]
    pub(super) f: f32,
    #[prost(int64, tag = "3")]
    pub(super) i: i64,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) s: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub(super) t: Option<Tensor>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(super) g: Option<Vec<u8>>,
    #[prost(float, repeated, tag = "7")]
    pub(super) floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub(super) ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(super) strings: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    pub(super) graphs: Vec<Vec<u8>>,
}

/// Numbers.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub(super) float_data: Vec<f32>,
    #[prost(int64, repeated, tag = "7")]
    pub(super) int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub(super) name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub(super) raw_data: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "13")]
    pub(super) external_data: Vec<Vec<u8>>,
    #[prost(int32, tag = "14")]
    pub(super) data_location: i32,
}

/// An input or an output.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) kind: Option<Kind>,
}

/// What it is.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Kind {
    #[prost(message, optional, tag = "1")]
    pub(super) tensor: Option<TensorKind>,
}

/// A tensor of a type and a shape.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorKind {
    #[prost(int32, tag = "1")]
    pub(super) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<Shape>,
}

/// A shape.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<Dimension>,
}

/// One side of it. `None`: left open.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    #[prost(int64, optional, tag = "1")]
    pub(super) value: Option<i64>,
}

/// `FLOAT` of `TensorProto.DataType`.
pub(super) const FLOAT: i32 = 1;
/// `INT64` of it.
pub(super) const INT64: i32 = 7;
/// `BOOL` of it.
pub(super) const BOOL: i32 = 9;

/// Numbers as they are reckoned with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Numbers {
    /// With a point.
    Floats(Vec<f32>),
    /// Whole: places, sizes.
    Ints(Vec<i64>),
}

impl Tensor {
    /// Its sizes and numbers.
    ///
    /// # Errors
    /// They lie outside of the file (of this machine, that would be), are of another type, or are not as many as its sizes say.
    pub(super) fn read(&self) -> Result<(Vec<usize>, Numbers), Fault> {
        if self.data_location != 0 || !self.external_data.is_empty() {
            return Err(Fault::Operator("tensors outside of the file are not read: store them inside".to_owned()));
        }
        let broken = || Fault::NotOnnx(format!("the tensor `{}` does not hold what it says", self.name));
        let dims: Vec<usize> = self.dims.iter().map(|size| usize::try_from(*size)).collect::<Result<_, _>>().map_err(|_| broken())?;
        let wanted = dims.iter().try_fold(1_usize, |all, size| all.checked_mul(*size)).ok_or_else(broken)?;
        let raw = |size: usize| self.raw_data.chunks_exact(size);
        let numbers = match self.data_type {
            FLOAT if self.raw_data.is_empty() => Numbers::Floats(self.float_data.clone()),
            FLOAT => Numbers::Floats(raw(4).filter_map(|bytes| bytes.try_into().ok().map(f32::from_le_bytes)).collect()),
            INT64 if self.raw_data.is_empty() => Numbers::Ints(self.int64_data.clone()),
            INT64 => Numbers::Ints(raw(8).filter_map(|bytes| bytes.try_into().ok().map(i64::from_le_bytes)).collect()),
            other => return Err(Fault::Operator(format!("the tensor `{}` is of type {other}: float32 and int64 are read", self.name))),
        };
        let found = match &numbers {
            Numbers::Floats(floats) => floats.len(),
            Numbers::Ints(ints) => ints.len(),
        };
        if found == wanted { Ok((dims, numbers)) } else { Err(broken()) }
    }
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// A number, or what it is where nothing is said.
    pub(super) fn float(&self, name: &str, or: f32) -> f32 {
        self.attribute(name).map_or(or, |attribute| attribute.f)
    }

    /// A whole number, or what it is where nothing is said.
    pub(super) fn int(&self, name: &str, or: i64) -> i64 {
        self.attribute(name).map_or(or, |attribute| attribute.i)
    }

    /// Numbers; none where nothing is said.
    pub(super) fn floats(&self, name: &str) -> &[f32] {
        self.attribute(name).map(|attribute| attribute.floats.as_slice()).unwrap_or_default()
    }

    /// Whole numbers; none where nothing is said.
    pub(super) fn ints(&self, name: &str) -> &[i64] {
        self.attribute(name).map(|attribute| attribute.ints.as_slice()).unwrap_or_default()
    }

    /// A word; empty where nothing is said.
    pub(super) fn word(&self, name: &str) -> &str {
        self.attribute(name).and_then(|attribute| std::str::from_utf8(&attribute.s).ok()).unwrap_or_default()
    }

    /// Words; none where nothing is said.
    pub(super) fn words(&self, name: &str) -> Vec<&str> {
        let all = self.attribute(name).map(|attribute| attribute.strings.as_slice()).unwrap_or_default();
        all.iter().map(|word| std::str::from_utf8(word).unwrap_or_default()).collect()
    }

    /// A tensor.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.attribute(name).and_then(|attribute| attribute.t.as_ref())
    }
}
