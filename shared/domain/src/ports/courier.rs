//! Who carries notices out of the house.

use crate::notify::Sending;
use async_trait::async_trait;
use secrecy::SecretString;

/// What is sent.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// A POST with a JSON body.
    Post {
        /// Where to: `https://`, and never printed, for it may hold a token.
        url: SecretString,
        /// Headers besides the content type.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// Mail.
    Letter {
        /// To whom.
        to: String,
        /// The subject: one line.
        subject: String,
        /// The body as plain text.
        text: String,
    },
}

/// Carries parcels.
///
/// # Guarantees
/// Ends within its own limit of time. Calls no address that [`crate::address::forbidden`] forbids: the name is resolved once, every address that it leads to is
/// judged, and the connection goes to one of those very addresses. Follows no redirect. Keeps of an answer only its status.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Carries one.
    async fn carry(&self, parcel: &Parcel) -> Sending;
}
