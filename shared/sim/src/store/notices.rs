//! What people are told.

use async_trait::async_trait;
use domain::ports::{Notice, Notices, QueueError};
use std::sync::{Mutex, PoisonError};

/// Notices in memory, in the order in which they were told.
#[derive(Default)]
pub struct MemoryNotices {
    told: Mutex<Vec<Notice>>,
}

impl MemoryNotices {
    /// Takes everything that was told since the last time; a notice that was told twice is there twice.
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything that was told and not taken.
    pub fn told(&self) -> Vec<Notice> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notices for MemoryNotices {
    async fn tell(&self, notice: &Notice) -> Result<(), QueueError> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(notice.clone());
        Ok(())
    }
}
