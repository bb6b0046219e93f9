//! Why a page is not shown, in one sentence for a person.

use crate::words;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use domain::ports::StoreError;
use domain::tenant::Role;
use execution::wishes::Refused;
use http::StatusCode;

/// See the module.
#[derive(Debug)]
pub enum Failure {
    /// There is no such thing, or it is another customer's.
    Absent(&'static str),
    /// Their role does not reach.
    Forbidden {
        /// What they have.
        has: Role,
        /// What it takes.
        needs: Role,
    },
    /// The form does not come from a page of this session.
    Stale,
    /// What they asked for was not taken.
    Refused(String),
    /// The table did not answer.
    Down(String),
    /// Our fault.
    Internal(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::Conflict => Failure::Refused("Somebody else changed this at the same time. Look again, then ask again.".to_owned()),
            StoreError::Throttled | StoreError::Ambiguous(_) => Failure::Down(error.to_string()),
            StoreError::Corrupt(_) | StoreError::Refused(_) => Failure::Internal(error.to_string()),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        match refused {
            Refused::Absent(what) => Failure::Absent(what),
            Refused::Store(error) => error.into(),
            other @ (Refused::Decided(_)
            | Refused::Halted(_)
            | Refused::NotOpen(_)
            | Refused::NoReason
            | Refused::NotBegun
            | Refused::PastReturn
            | Refused::Busy
            | Refused::Queue(_)) => Failure::Refused(other.to_string()),
        }
    }
}

impl Failure {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        match self {
            Failure::Absent(what) => {
                (StatusCode::NOT_FOUND, "Not found", format!("There is no such {what} here. It may be gone, or never have been yours."))
            }
            Failure::Forbidden { has, needs } => {
                let detail = format!("Your key has the role {}; this needs {}.", words::role(*has), words::role(*needs));
                (StatusCode::FORBIDDEN, "Not allowed", detail)
            }
            Failure::Stale => {
                let detail = "This form is not from your session, or the session is over. Go back, reload the page, and send it again.";
                (StatusCode::FORBIDDEN, "Not done", detail.to_owned())
            }
            Failure::Refused(why) => (StatusCode::CONFLICT, "Not done", why.clone()),
            Failure::Down(_) => {
                let detail = "The table does not answer just now. Nothing is lost; reload in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, "Not reachable", detail.to_owned())
            }
            Failure::Internal(_) => {
                let detail = "Something went wrong on our side and is in our log.";
                (StatusCode::INTERNAL_SERVER_ERROR, "Our fault", detail.to_owned())
            }
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    title: &'a str,
    detail: &'a str,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Failure::Down(cause) | Failure::Internal(cause) = &self {
            tracing::error!(cause, "A page could not be shown");
        }
        let (status, title, detail) = self.parts();
        match (FailurePage { title, detail: &detail }).render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => (status, detail).into_response(),
        }
    }
}
