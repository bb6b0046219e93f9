//! Why a model is not taken, or said nothing.

use super::weigh::HELD_MAX;
use domain::Timestamp;

/// What is wrong with a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The file is too large.
    #[error("the file has {bytes} bytes, and {most} at most are taken this way")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// How many are taken.
        most: usize,
    },
    /// It would become too large when it is read.
    #[error("what is packed into the file takes more than the {HELD_MAX} bytes that are held of a model")]
    Unpacks,
    /// It is no ONNX.
    #[error("the file is no ONNX model: {0}")]
    NotOnnx(String),
    /// An operator, or a way to use one, that is not run here.
    #[error("{0}")]
    Operator(String),
    /// Its input is another than the contract's.
    #[error("the input does not fit: {0}")]
    Input(String),
    /// So is its output.
    #[error("the output does not fit: {0}")]
    Output(String),
    /// It makes more of its input than is held here.
    #[error("{0}")]
    TooWide(String),
    /// It costs more work than is done here, or did not end in time.
    #[error("{0}")]
    TooSlow(String),
    /// It answered something that is no number.
    #[error("it answered something that is no number, for row {0}")]
    NotFinite(usize),
    /// It answered something that is no probability.
    #[error("it answered {0}, which is no probability between 0 and 1")]
    NoProbability(f32),
    /// Its file cannot be read now.
    #[error("its file cannot be read now")]
    Unread,
    /// It failed a moment ago, and is left alone.
    #[error("it failed a moment ago, and is left alone until {0}")]
    LeftAlone(Timestamp),
}

impl Fault {
    /// The code in answers. It never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::TooLarge { .. } | Fault::Unpacks => "model-too-large",
            Fault::NotOnnx(_) => "model-not-onnx",
            Fault::Operator(_) => "model-operator",
            Fault::Input(_) => "model-wrong-input",
            Fault::Output(_) => "model-wrong-output",
            Fault::TooWide(_) => "model-too-wide",
            Fault::TooSlow(_) => "model-too-slow",
            Fault::NotFinite(_) => "model-output-not-finite",
            Fault::NoProbability(_) => "model-output-no-probability",
            Fault::Unread | Fault::LeftAlone(_) => "model-not-ready",
        }
    }
}
