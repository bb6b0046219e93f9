//! Pods: each is slimmed while its page is decoded and handed on before the next is looked at, so that neither a page as a tree
//! nor a list of all pods is ever held.

use super::pages::{Paging, Turn};
use crate::call::Api;
use crate::slim::{PageMeta, Pod, Text};
use domain::ids::NodeName;
use domain::pod::{PodDetail, PodView};
use domain::ports::{ClusterError, PodSink};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

const PATH: &str = "/api/v1/pods";

/// Every pod into the sink.
pub(crate) async fn in_detail(api: &Api, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
    each(api, None, sink).await
}

/// Pods of one node, or all of them.
pub(crate) async fn views(api: &Api, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
    let mut views = Views(Vec::new());
    each(api, on.map(|node| format!("spec.nodeName={node}")), &mut views).await?;
    Ok(views.0)
}

struct Views(Vec<PodView>);

impl PodSink for Views {
    fn pod(&mut self, pod: PodDetail) {
        self.0.push(pod.view);
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

async fn each(api: &Api, fields: Option<String>, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
    let mut paging = Paging::new(PATH, fields);
    while let Some(turn) = paging.turn(api).await? {
        match turn {
            Turn::Anew => sink.restart(),
            Turn::Page(answer) => {
                let read =
                    decode(&answer.body, sink).map_err(|error| ClusterError::Refused(format!("an answer cannot be read: {error}")))?;
                paging.went_on(read.next, read.left_out)?;
            }
        }
    }
    Ok(())
}

/// Decodes one page of pods, as the API server sends it, into the sink, and tells where the next page begins (empty: nowhere).
///
/// # Errors
/// [`ClusterError::Refused`]: the page cannot be read. The sink may have had a part of it by then.
pub fn decode_pods(page: &[u8], sink: &mut dyn PodSink) -> Result<String, ClusterError> {
    Ok(read(page, sink)?.next)
}

fn read(page: &[u8], sink: &mut dyn PodSink) -> Result<PageEnd, ClusterError> {
    decode(page, sink).map_err(|error| ClusterError::Refused(format!("an answer cannot be read: {error}")))
}

/// What a page says besides its pods.
#[derive(Debug, Default, PartialEq, Eq)]
struct PageEnd {
    /// The token of the next page; empty: there is none.
    next: String,
    /// Pods that were left out, because they have no uid.
    left_out: usize,
}

/// Decodes a page of pods into the sink. Where it fails half-way, the sink has had a part of the page.
fn decode(page: &[u8], sink: &mut dyn PodSink) -> Result<PageEnd, serde_json::Error> {
    let mut input = serde_json::Deserializer::from_slice(page);
    let end = input.deserialize_map(PageVisitor(sink))?;
    input.end()?;
    Ok(end)
}

struct PageVisitor<'s>(&'s mut dyn PodSink);

impl<'de> Visitor<'de> for PageVisitor<'_> {
    type Value = PageEnd;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pods")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PageEnd, A::Error> {
        let (mut end, mut listed) = (PageEnd::default(), false);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.as_str() {
                "metadata" => end.next = map.next_value::<Option<PageMeta>>()?.unwrap_or_default().next,
                "items" => {
                    end.left_out += map.next_value_seed(Items(&mut *self.0))?;
                    listed = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // What is no list must not be taken for an empty one.
        if listed { Ok(end) } else { Err(A::Error::missing_field("items")) }
    }
}

/// `items`: answers how many were left out.
struct Items<'s>(&'s mut dyn PodSink);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<usize, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pods")
    }

    fn visit_unit<E: Error>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut left_out = 0;
        while let Some(pod) = items.next_element::<Pod<'de>>()? {
            match pod.detail() {
                Some(detail) => self.0.pod(detail),
                None => left_out += 1,
            }
        }
        Ok(left_out)
    }
}

#[cfg(test)]
mod tests;
