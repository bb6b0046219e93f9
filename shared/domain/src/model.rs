//! Models of the decision server: uploaded, run in the shadow, activated and rolled back. Inference only: nothing is trained here.
//!
//! A model says how likely a spot pool takes an instance back. What it is given and what it must answer is the tensor contract,
//! [`CONTRACT`]; what is done with it stands in [`Deployment`], whose changes are laws: each gives the next state or says why not.

mod deployment;
mod record;
mod upload;

pub use deployment::{CHANGES_MAX, Change, ChangeKind, Deployment, EngineChoice, ModelState, Refusal};
pub use record::{ModelSaid, PredictionBatch, PredictionRow, ROWS_MAX};
pub use upload::{REGISTER_WITHIN, UPLOAD_LASTS, Upload, UploadRefusal, is_upload_id, model_key};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The tensor contract that models are held to. A change of its features is another contract, and old models are not run on it.
pub const CONTRACT: &str = "spot-interruption/1";

/// The largest model that travels in a request and is kept in the table, in bytes. Most need no more: a net of four layers of 256 has
/// 0.8 MB, and 2,000 trees of depth six about 3 MB. As base64 in JSON it is 4 MB, which the gateways' 10 MB and Lambda's 6 MB let pass: so
/// this works everywhere, also where there is no store of files.
pub const MODEL_BYTES_MAX: usize = 3_000_000;

/// The largest model that is uploaded by itself, in bytes: 10,000 trees of depth six. Measured with such a file, optimised, on one
/// processor: it is checked within 1.8 s and 360 MB, and held in 200 MB. The decision server's function has 1,769 MB, for four models that
/// are held and one that is read, and 29 s.
pub const MODEL_UPLOAD_BYTES_MAX: usize = 32_000_000;

/// How many models are kept. Who needs more removes what is retired.
pub const MODELS_MAX: usize = 50;

/// A model as it is kept, without its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelRecord {
    /// Made of its bytes: the same file has the same id, so an upload may be repeated.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What its owner says of it.
    pub note: Option<String>,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    /// Its size.
    pub bytes: u32,
    /// Where its file is kept.
    #[serde(default)]
    pub kept_in: KeptIn,
    /// The tensor contract that it was checked against.
    pub contract: String,
    /// Who uploaded it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What the check found.
    pub check: ModelCheck,
}

/// Where the file of a model is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeptIn {
    /// In the table, in pieces.
    #[default]
    Table,
    /// In the store of files, under its SHA-256.
    Objects,
}

impl KeptIn {
    /// What is small enough stays in the table, where it needs no second store.
    pub fn of_size(bytes: usize) -> KeptIn {
        if bytes <= MODEL_BYTES_MAX { KeptIn::Table } else { KeptIn::Objects }
    }
}

/// What was found when a model was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelCheck {
    /// The version of ONNX's operators that it asks for.
    pub opset: i64,
    /// The operators that it uses, in order of their names.
    pub operators: Vec<String>,
    /// How many operations it has.
    pub operations: u32,
    /// How many multiplications one row costs.
    pub cost: u32,
    /// The lowest probability that it gave for the rows of the probe.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// The id of a model: the beginning of its file's SHA-256.
pub fn model_id(onnx: &[u8]) -> (String, String) {
    let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(onnx));
    (format!("m-{}", sha256.get(..16).unwrap_or(&sha256)), sha256)
}

/// Whether a text can be the id of a model.
pub fn is_model_id(text: &str) -> bool {
    text.strip_prefix("m-").is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_have_the_same_id_and_other_texts_are_none() {
        let (id, sha256) = model_id(b"onnx");
        assert_eq!(model_id(b"onnx"), (id.clone(), sha256.clone()));
        assert!(is_model_id(&id) && sha256.starts_with(&id[2..]) && model_id(b"onny").0 != id);
        assert!(["", "m-", "m-0123456789ABCDEF", "m-0123456789abcde", "x-0123456789abcdef"].iter().all(|text| !is_model_id(text)));
    }
}
