//! A page of pods: each is slimmed while the page is decoded and handed on before the next is looked at, so that neither a page as a tree
//! nor a list of all pods is ever held.

use crate::{PageMeta, Pod, Text};
use domain::ports::PodSink;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What a page says besides its pods.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// The token of the next page; empty: there is none.
    pub next: String,
    /// Pods that were left out, because they have no uid.
    pub left_out: usize,
}

/// Decodes a page of pods, as the API server sends it, into the sink.
///
/// # Errors
/// It is no such page. The sink may have had a part of it by then.
pub fn decode(page: &[u8], sink: &mut dyn PodSink) -> Result<PageEnd, serde_json::Error> {
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
