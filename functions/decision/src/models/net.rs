//! Models as they are run.
//!
//! A model is a list of operations out of a closed set. Each makes rows out of rows and mixes none of them, there is no loop and no branch, and
//! how much a row costs and becomes is known before any is reckoned. So nothing that is uploaded can take more time or memory than is said
//! here, on any machine; and what is reckoned is held against what ONNX Runtime answers by the tests.

use super::build::{Built, Step, build};
use super::fault::Fault;
use super::file::Model;
use super::probe;
use super::step::Matrix;
use super::weigh::weigh;
use domain::model::{MODEL_UPLOAD_BYTES_MAX, ModelCheck};
use planning::predict::FEATURES;
use prost::Message;

/// How many rows are reckoned at once: between two such portions it is asked whether there is time for another.
const PORTION: usize = 64;

/// What one pool looks like to a model.
pub type Row = [f32; FEATURES.len()];

/// A model that is ready to run.
pub struct Net {
    steps: Vec<Step>,
    answer: usize,
}

impl Net {
    /// Reads and checks a file of so many bytes at most, and runs it on rows that reach into every corner.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn checked(onnx: &[u8], bytes_max: usize) -> Result<(Net, ModelCheck), Fault> {
        let (net, built) = Net::read(onnx, bytes_max)?;
        let answers = net.run(&probe::rows(), || true)?;
        let fold = |all: fn(f64, f64) -> f64, first: f64| answers.iter().map(|answer| f64::from(*answer)).fold(first, all);
        let check = ModelCheck {
            opset: built.0,
            operators: built.1,
            operations: u32::try_from(net.steps.len()).unwrap_or(u32::MAX),
            cost: u32::try_from(net.cost()).unwrap_or(u32::MAX),
            lowest: fold(f64::min, 1.0),
            highest: fold(f64::max, 0.0),
        };
        Ok((net, check))
    }

    /// A model that was checked before.
    ///
    /// # Errors
    /// [`Fault`]: this version no longer takes it.
    pub fn known(onnx: &[u8]) -> Result<Net, Fault> {
        Net::read(onnx, MODEL_UPLOAD_BYTES_MAX).map(|(net, _)| net)
    }

    fn read(onnx: &[u8], most: usize) -> Result<(Net, (i64, Vec<String>)), Fault> {
        if onnx.len() > most {
            return Err(Fault::TooLarge { bytes: onnx.len(), most });
        }
        weigh(onnx)?;
        let model = Model::decode(onnx).map_err(|error| Fault::NotOnnx(error.to_string()))?;
        let Built { steps, answer, opset, operators } = build(&model)?;
        Ok((Net { steps, answer }, (opset, operators.into_iter().collect())))
    }

    /// How many multiplications a row costs.
    pub fn cost(&self) -> usize {
        self.steps.iter().map(|step| step.op.cost(step.inputs.len(), step.columns)).sum()
    }

    /// A probability for each row, in their order, for as long as there is time.
    ///
    /// # Errors
    /// [`Fault`]: what it answered is none, or `time` said no.
    pub fn run(&self, rows: &[Row], mut time: impl FnMut() -> bool) -> Result<Vec<f32>, Fault> {
        let mut all = Vec::with_capacity(rows.len());
        for some in rows.chunks(PORTION) {
            if !time() {
                return Err(Fault::TooSlow(format!("it did not answer in time: {} of {} pools were done", all.len(), rows.len())));
            }
            all.extend(self.portion(some));
        }
        match all.iter().enumerate().find(|(_, answer)| !(0.0..=1.0).contains(*answer)) {
            None => Ok(all),
            Some((row, answer)) if !answer.is_finite() => Err(Fault::NotFinite(row)),
            Some((_, answer)) => Err(Fault::NoProbability(*answer)),
        }
    }

    fn portion(&self, rows: &[Row]) -> Vec<f32> {
        let mut made = vec![Matrix { columns: FEATURES.len(), numbers: rows.iter().flatten().copied().collect() }];
        for step in &self.steps {
            let mut numbers = Vec::with_capacity(rows.len() * step.columns);
            for index in 0..rows.len() {
                step.op.reckon(&step.inputs, &made, index, step.columns, &mut numbers);
            }
            made.push(Matrix { columns: step.columns, numbers });
        }
        // One number for each row; or two, of which the second is the chance that it happens.
        let answers = made.get(self.answer).cloned().unwrap_or_default();
        answers.numbers.chunks(answers.columns.max(1)).filter_map(|row| row.last().copied()).collect()
    }
}

#[cfg(test)]
mod tests;
