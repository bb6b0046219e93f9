//! The spot market of whole Regions. Prices are the same for every account: ours asks, and no customer's rate is spent.

use crate::access::{Session, own};
use crate::prices;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::ports::cloud::SpotPrice;
use domain::ports::{CloudError, SourceError};
use std::collections::HashMap;
use tokio::sync::Mutex;

/// Linux spot prices of whole Regions, read with our own credentials. Keep one per process: it paces its calls per Region.
#[derive(Debug)]
pub struct SpotMarket {
    config: SdkConfig,
    sessions: Mutex<HashMap<Region, Session>>,
}

impl SpotMarket {
    /// Takes our own credentials and, for tests, the endpoint from `config`; the Region is named in each call. Makes no call.
    pub fn new(config: SdkConfig) -> SpotMarket {
        SpotMarket { config, sessions: Mutex::new(HashMap::new()) }
    }

    /// Every change since then, and for each pool the price that held then. Any order. No types: all of them.
    ///
    /// # Errors
    /// [`SourceError`]. [`SourceError::Refused`] also where our account has not opted into the Region.
    pub async fn prices(&self, region: &Region, types: &[InstanceType], since: Timestamp) -> Result<Vec<SpotPrice>, SourceError> {
        let session = self.session(region).await;
        prices::market(&session, types, since).await.map_err(source_error)
    }

    async fn session(&self, region: &Region) -> Session {
        let mut sessions = self.sessions.lock().await;
        sessions.entry(region.clone()).or_insert_with(|| own(self.config.clone(), region)).clone()
    }
}

/// Reads change nothing: what may have happened and what did not are the same.
fn source_error(error: CloudError) -> SourceError {
    match error {
        CloudError::Throttled => SourceError::Throttled,
        CloudError::Ambiguous(why) => SourceError::Unreachable(why),
        CloudError::Refused(_) | CloudError::NoAccess(_) | CloudError::NoCapacity(_) | CloudError::TokenMismatch => {
            SourceError::Refused(error.to_string())
        }
    }
}
