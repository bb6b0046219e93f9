//! Quantities by name, and how the scheduler adds them up.

use super::text::{Quantity, Text};
use crate::quantity::{millis, units};
use domain::scheduling::Resources;
use domain::sizing::Sizes;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// An object with more resources than this is not one of Kubernetes; sums over them would take quadratic time.
const NAMES_MAX: usize = 64;

/// The name of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Cpu,
    Memory,
    Other(Box<str>),
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        match text {
            "cpu" => Name::Cpu,
            "memory" => Name::Memory,
            other => Name::Other(other.into()),
        }
    }
}

/// Amounts by name: CPU in thousandths of a core, the rest in whole units. A name that is missing is not an amount of 0.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Amounts(Vec<(Name, u64)>);

/// `resources` of a container, of a pod, or of their status.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub(crate) requests: Amounts,
    limits: Amounts,
}

impl Asked {
    /// The sizes: what is not named is not set.
    pub fn sizes(&self) -> Sizes {
        let of = |amounts: &Amounts, name: &str| amounts.names(name).then(|| amounts.of(name));
        Sizes {
            cpu_request: of(&self.requests, "cpu"),
            cpu_limit: of(&self.limits, "cpu"),
            memory_request: of(&self.requests, "memory"),
            memory_limit: of(&self.limits, "memory"),
        }
    }
}

impl Amounts {
    /// The amount of a resource; 0 where it is not named.
    pub fn of(&self, name: &str) -> u64 {
        let name = Name::from(name);
        self.0.iter().find(|(own, _)| *own == name).map_or(0, |(_, amount)| *amount)
    }

    /// Whether the resource is named.
    pub fn names(&self, name: &str) -> bool {
        let name = Name::from(name);
        self.0.iter().any(|(own, _)| *own == name)
    }

    fn merge(&mut self, other: &Amounts, join: fn(u64, u64) -> u64) {
        for (name, amount) in &other.0 {
            match self.0.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own = join(*own, *amount),
                None => self.0.push((name.clone(), *amount)),
            }
        }
    }

    /// Adds them up.
    pub(crate) fn add(&mut self, other: &Amounts) {
        self.merge(other, u64::saturating_add);
    }

    /// The larger of both, for each name.
    pub(crate) fn raise(&mut self, other: &Amounts) {
        self.merge(other, u64::max);
    }

    /// Takes the other's where the other names one.
    pub(crate) fn replace(&mut self, other: &Amounts) {
        self.merge(other, |_, theirs| theirs);
    }

    /// Everything but CPU and memory and what is in `but`; amounts of 0 are left out.
    pub(crate) fn extended(&self, but: &[&str]) -> BTreeMap<String, u64> {
        let other = |(name, amount): &(Name, u64)| match name {
            Name::Other(name) if *amount > 0 && !but.contains(&&**name) => Some((name.to_string(), *amount)),
            Name::Other(_) | Name::Cpu | Name::Memory => None,
        };
        self.0.iter().filter_map(other).collect()
    }

    pub(crate) fn resources(&self) -> Resources {
        Resources { cpu_millis: self.of("cpu"), memory_bytes: self.of("memory"), extended: self.extended(&[]) }
    }
}

struct AmountsVisitor;

impl<'de> Visitor<'de> for AmountsVisitor {
    type Value = Amounts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("quantities by name")
    }

    fn visit_unit<E: Error>(self) -> Result<Amounts, E> {
        Ok(Amounts::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Amounts, A::Error> {
        let mut amounts = Amounts::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if amounts.0.len() == NAMES_MAX {
                return Err(A::Error::custom("more than 64 resources are named"));
            }
            let name = Name::from(key.as_str());
            let read = if name == Name::Cpu { millis } else { units };
            amounts.0.push((name, map.next_value_seed(Quantity(read))?));
        }
        Ok(amounts)
    }
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(AmountsVisitor)
    }
}
