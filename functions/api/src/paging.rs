//! Lists in pages: `?limit=` and `?cursor=`, and `next_cursor` in the answer until there is no more.

use crate::extract::Params;
use crate::problem::Problem;
use axum::extract::FromRequestParts;
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Items on a page where nobody says how many.
pub const LIMIT_DEFAULT: usize = 50;
/// Items on a page at most.
pub const LIMIT_MAX: usize = 200;

/// A page as it is sent.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `null`: this was the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// With what stands on it, and what the next page begins after.
    pub fn of(items: Vec<T>, next: Option<&str>) -> Page<T> {
        Page { items, next_cursor: next.map(encode) }
    }
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// How many items, 1 to [`LIMIT_MAX`].
    pub limit: usize,
    /// What the page begins after.
    pub after: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    limit: Option<String>,
    cursor: Option<String>,
}

impl Paging {
    fn read(raw: Raw) -> Result<Paging, Problem> {
        let limit = match raw.limit.as_deref().map(str::parse) {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some(Ok(_) | Err(_)) => {
                let detail = format!("`limit` is a whole number from 1 to {LIMIT_MAX}.");
                return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-limit", detail));
            }
        };
        let after = raw.cursor.map(|cursor| decode(&cursor).ok_or_else(Paging::bad_cursor)).transpose()?;
        Ok(Paging { limit, after })
    }

    /// For a cursor that we did not make.
    pub fn bad_cursor() -> Problem {
        let detail = "`cursor` must be the `next_cursor` of the page before, unchanged. Begin again without it.";
        Problem::new(StatusCode::BAD_REQUEST, "invalid-cursor", detail)
    }

    /// A page of a list that is whole in memory, ordered by a name that is unique.
    pub fn cut<T>(&self, mut all: Vec<T>, name: impl Fn(&T) -> String) -> Page<T> {
        all.sort_by_key(&name);
        let mut rest = all.into_iter().filter(|item| self.after.as_ref().is_none_or(|after| name(item) > *after));
        let items: Vec<T> = rest.by_ref().take(self.limit).collect();
        let next = rest.next().and_then(|_| items.last()).map(&name);
        Page::of(items, next.as_deref())
    }
}

/// A cursor as it travels.
pub fn encode(next: &str) -> String {
    BASE64URL_NOPAD.encode(next.as_bytes())
}

/// What a cursor says; `None`: we did not make it. Cursors are opaque, so that nobody comes to rely on what is in them. They need no seal: whatever they say, only the
/// caller's own items are read.
pub fn decode(cursor: &str) -> Option<String> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    (1..=1024).contains(&text.len()).then_some(text)
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Params(raw) = Params::<Raw>::from_request_parts(parts, state).await?;
        Paging::read(raw)
    }
}
