//! From page to page of a list.

use crate::call::{Answer, Api, Call, Patience};
use crate::endpoint::query_value;
use domain::ports::ClusterError;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Objects per page: as Kubernetes' own clients ask (client-go, `defaultPageSize`); of pods, 4 MB.
const LIMIT: u32 = 500;
/// Of objects that are a tenth as large as pods.
const SMALL_LIMIT: u32 = 5_000;
/// 2 million objects: a server that never ends its list is not believed.
const PAGES_MAX: u32 = 4_000;

/// What came of asking for a page.
pub(super) enum Turn {
    /// A page, with a status of 2xx.
    Page(Answer),
    /// The list expired: it begins anew, and what came before is void.
    Anew,
}

/// The way through one list.
pub(crate) struct Paging {
    path: &'static str,
    fields: Option<String>,
    next: String,
    finished: bool,
    restarted: bool,
    /// Whether a kind that nobody serves is an empty list.
    optional: bool,
    limit: u32,
    /// Objects that had no usable identity or figures.
    left_out: usize,
    pages: u32,
    /// Hashes of the tokens that were followed: a server that leads back is not followed for ever.
    been: HashSet<u64>,
}

impl Paging {
    /// The list at `path`, narrowed by a field selector.
    pub(crate) fn new(path: &'static str, fields: Option<String>) -> Self {
        Self {
            path,
            fields,
            next: String::new(),
            finished: false,
            restarted: false,
            optional: false,
            limit: LIMIT,
            left_out: 0,
            pages: 0,
            been: HashSet::new(),
        }
    }

    /// A list of small objects.
    pub(crate) fn small(self) -> Self {
        Self { limit: SMALL_LIMIT, ..self }
    }

    /// A kind that not every cluster serves.
    pub(crate) fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Asks for the next page. `None`: the list is complete.
    pub(super) async fn turn(&mut self, api: &Api) -> Result<Option<Turn>, ClusterError> {
        if self.finished {
            if self.left_out > 0 {
                tracing::warn!(
                    list = self.path,
                    objects = self.left_out,
                    "Left out objects of a list that have no usable identity or figures"
                );
            }
            return Ok(None);
        }
        self.pages += 1;
        if self.pages > PAGES_MAX {
            return Err(self.endless());
        }
        let path = page_path(self.path, self.limit, self.fields.as_deref(), &self.next);
        let answer = api.call(&Call::get(path).patience(Patience::Page)).await?;
        if answer.status == http::StatusCode::GONE && !self.restarted {
            let (pages, optional, limit) = (self.pages, self.optional, self.limit);
            *self = Self { restarted: true, pages, optional, limit, ..Self::new(self.path, self.fields.take()) };
            return Ok(Some(Turn::Anew));
        }
        if answer.status == http::StatusCode::NOT_FOUND && self.optional {
            self.finished = true;
            return Ok(None);
        }
        // A list has no object that could be gone: 404 says that nobody serves this kind.
        let answer = answer.ok().map_err(|error| match error {
            ClusterError::Gone => ClusterError::Refused(format!("{} is not served by this cluster", self.path)),
            other @ (ClusterError::Unreachable(_)
            | ClusterError::Unauthorized
            | ClusterError::Forbidden(_)
            | ClusterError::Conflict
            | ClusterError::Overloaded(_)
            | ClusterError::Refused(_)) => other,
        })?;
        Ok(Some(Turn::Page(answer)))
    }

    /// Notes where the next page begins (nowhere: the list is complete) and how many objects of this one were left out.
    pub(super) fn went_on(&mut self, next: String, left_out: usize) -> Result<(), ClusterError> {
        self.left_out += left_out;
        self.finished = next.is_empty();
        let mut hash = DefaultHasher::new();
        next.hash(&mut hash);
        if !self.finished && !self.been.insert(hash.finish()) {
            return Err(self.endless());
        }
        self.next = next;
        Ok(())
    }

    fn endless(&self) -> ClusterError {
        ClusterError::Refused(format!("{} does not end", self.path))
    }
}

fn page_path(path: &str, limit: u32, fields: Option<&str>, next: &str) -> String {
    let mut path = format!("{path}?limit={limit}");
    for (name, value) in [("fieldSelector", fields.unwrap_or_default()), ("continue", next)] {
        if !value.is_empty() {
            path.push_str(&format!("&{name}={}", query_value(value)));
        }
    }
    path
}

#[cfg(test)]
mod tests;
