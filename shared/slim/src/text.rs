//! Texts that stay where they are in the page, and the few names that are looked for.

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// A text of the page: borrowed where it has no escapes. Null reads as empty.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        // "any", because null is allowed; JSON says itself what comes.
        input.deserialize_any(TextVisitor)
    }
}

/// What is looked for among the annotations of a pod; the rest is skipped without being copied, and it is most of the bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `kubernetes.io/config.mirror` is there: the image of a static pod.
    pub(crate) mirror: bool,
    /// An annotation asks that the pod be left alone.
    pub(crate) leave_alone: bool,
}

struct MarksVisitor;

impl<'de> Visitor<'de> for MarksVisitor {
    type Value = Marks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_unit<E: Error>(self) -> Result<Marks, E> {
        Ok(Marks::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Marks, A::Error> {
        let mut marks = Marks::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.as_str() {
                "kubernetes.io/config.mirror" => {
                    marks.mirror = true;
                    map.next_value::<IgnoredAny>()?;
                }
                // Karpenter also takes a time ("30m") instead of `true`.
                "karpenter.sh/do-not-disrupt" => marks.leave_alone |= map.next_value::<Text<'de>>()?.as_str() != "false",
                "cluster-autoscaler.kubernetes.io/safe-to-evict" => {
                    marks.leave_alone |= map.next_value::<Text<'de>>()?.as_str() == "false";
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(marks)
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(MarksVisitor)
    }
}

/// One quantity, read by `read`. Served as a text; plain numbers are accepted too, and rubbish counts as nothing.
pub(crate) struct Quantity(pub(crate) fn(&str) -> u64);

impl<'de> DeserializeSeed<'de> for Quantity {
    type Value = u64;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<u64, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Quantity {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        Ok((self.0)(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok((self.0)(&number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        Ok((self.0)(&number.to_string()))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_unit<E: Error>(self) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(0)
    }
}
