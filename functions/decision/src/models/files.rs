//! Files of models: the small ones in the table, the large ones in the store of files, each held against its SHA-256.

use super::bench::Bench;
use domain::model::{KeptIn, MODEL_UPLOAD_BYTES_MAX, ModelRecord, model_id, model_key};
use domain::ports::{ObjectError, Objects, StoreError};
use runtime::web::ids::Ids;
use std::sync::Arc;

/// What uploads need.
#[derive(Clone)]
pub struct Uploads {
    /// Where files lie.
    pub objects: Arc<dyn Objects>,
    /// Makes ids that nobody guesses.
    pub ids: Ids,
}

/// Why the file of a model was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of files.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// There is none.
    #[error("it is not there")]
    Gone,
    /// It lies in a store of files, and this server has none.
    #[error("it lies in a store of files, and none is set up here")]
    NoStore,
    /// What is there is not what was checked.
    #[error("what is kept of it is not what was checked")]
    Changed,
}

impl Bench {
    /// The file of a model that is known by its id.
    ///
    /// # Errors
    /// [`Unread`].
    pub async fn file_of(&self, id: &str) -> Result<Vec<u8>, Unread> {
        let model = self.store.model(id).await?.ok_or(Unread::Gone)?;
        self.file(&model).await
    }

    /// The file of a model.
    ///
    /// # Errors
    /// [`Unread`].
    pub async fn file(&self, model: &ModelRecord) -> Result<Vec<u8>, Unread> {
        let onnx = match model.kept_in {
            KeptIn::Table => self.store.model_bytes(&model.id).await?,
            KeptIn::Objects => {
                let uploads = self.uploads.as_ref().ok_or(Unread::NoStore)?;
                uploads.objects.read(&model_key(&model.sha256), MODEL_UPLOAD_BYTES_MAX).await?
            }
        };
        let onnx = onnx.ok_or(Unread::Gone)?;
        // Whoever may write where it lies could put another file there, which nobody has checked.
        if model_id(&onnx).1 == model.sha256 { Ok(onnx) } else { Err(Unread::Changed) }
    }

    /// Keeps a model that was checked: its file where files of its size are kept, then its entry.
    ///
    /// # Errors
    /// [`Unread`]; nothing is listed then.
    pub async fn keep(&self, model: &ModelRecord, onnx: Vec<u8>) -> Result<(), Unread> {
        match model.kept_in {
            KeptIn::Table => Ok(self.store.put_model(model, Some(&onnx)).await?),
            KeptIn::Objects => {
                let uploads = self.uploads.as_ref().ok_or(Unread::NoStore)?;
                // The bytes that were checked, and no copy within the store: an address lasts on, and who has it may have put others there.
                uploads.objects.put(&model_key(&model.sha256), onnx).await?;
                Ok(self.store.put_model(model, None).await?)
            }
        }
    }

    /// Removes a model and its file. A large file goes first: as long as it is there the model is listed, and removed by the next try.
    ///
    /// # Errors
    /// [`Unread`]: the same call may be repeated.
    pub async fn remove(&self, model: &ModelRecord) -> Result<(), Unread> {
        if model.kept_in == KeptIn::Objects {
            let uploads = self.uploads.as_ref().ok_or(Unread::NoStore)?;
            uploads.objects.discard(&model_key(&model.sha256)).await?;
        }
        Ok(self.store.remove_model(&model.id).await?)
    }
}
