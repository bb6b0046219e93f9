//! Label selectors.

use super::nullable;
use domain::pod::{Operator, Requirement, Selector};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A `metav1.LabelSelector`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LabelSelector {
    #[serde(deserialize_with = "nullable")]
    match_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Expression {
    key: String,
    operator: String,
    #[serde(deserialize_with = "nullable")]
    values: Vec<String>,
}

impl LabelSelector {
    /// An operator that we do not know is left out: the selector then covers more pods, which errs on the safe side for budgets,
    /// anti-affinity and spread.
    pub(crate) fn view(self) -> Selector {
        let requirement = |e: Expression| {
            let operator = match e.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => return None,
            };
            Some(Requirement { key: e.key, operator, values: e.values })
        };
        Selector {
            match_labels: self.match_labels,
            match_expressions: self.match_expressions.into_iter().filter_map(requirement).collect(),
        }
    }
}
