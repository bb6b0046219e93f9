//! New ids.

use std::sync::Arc;

/// Where new ids come from: 128 random bits each.
pub type Ids = Arc<dyn Fn() -> u128 + Send + Sync>;

/// Ids from the system's source of randomness.
///
/// # Panics
/// The ids that it makes panic where the system has no randomness: the request fails, and no guessable id is made.
pub fn random_ids() -> Ids {
    Arc::new(|| {
        let mut bytes = [0; 16];
        if let Err(error) = getrandom::fill(&mut bytes) {
            panic!("the system has no randomness: {error}");
        }
        u128::from_be_bytes(bytes)
    })
}
