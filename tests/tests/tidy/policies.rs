//! What the roles in `template.yaml` allow, statement by statement.

use crate::template::{Template, value};
use std::collections::BTreeSet;

/// An action on a resource. Of an ARN that is put together only what tells it apart is kept: `role/CloudOptim*`, `Table/index/gsi1`.
pub(crate) type Right = (String, String);

/// Everything that the policy of a role allows.
pub(crate) fn allowed(template: &Template, role: &str) -> BTreeSet<Right> {
    let block = template.resource(role);
    let policy = block.split_once("      Policies:\n").or_else(|| block.split_once("      PolicyDocument:\n"));
    let policy = policy.unwrap_or_else(|| panic!("{role} has no policy")).1;
    assert!(!policy.contains("Effect: Deny") && !policy.contains("NotAction"), "say in tidy/policies.rs what {role} denies");
    let statements = policy.split("- Sid: ").skip(1);
    statements
        .flat_map(|statement| {
            let actions = list(statement, "Action");
            let resources = list(statement, "Resource");
            assert!(!actions.is_empty() && !resources.is_empty(), "{role} has a statement of another shape:\n{statement}");
            let pairs = actions.iter().flat_map(|action| resources.iter().map(|resource| (action.clone(), resource.clone())));
            pairs.collect::<Vec<_>>()
        })
        .collect()
}

/// One value or several, in one line or in many.
fn list(statement: &str, key: &str) -> Vec<String> {
    let lines: Vec<&str> = statement.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(&format!("{key}:"))) else { return Vec::new() };
    let first = lines[at].split_once(':').map_or("", |(_, rest)| rest).trim();
    let items: Vec<&str> = if first.is_empty() {
        lines[at + 1..].iter().map_while(|line| line.strip_prefix("- ")).collect()
    } else if let Some(inner) = first.strip_prefix('[') {
        inner.trim_end_matches(']').split(", ").collect()
    } else {
        vec![first]
    };
    items.into_iter().map(short).collect()
}

/// What tells a resource apart.
fn short(text: &str) -> String {
    let text = text.trim().trim_start_matches("!GetAtt ").trim_start_matches("!Sub ").trim_matches('"').replace("${", "");
    let text = text.trim_end_matches(".Arn").replace(".Arn}", "").replace('}', "");
    match text.rsplit_once(':') {
        Some((arn, last)) if arn.starts_with("arn") => last.to_owned(),
        _ => text,
    }
}

/// What a variable of a function's environment points to: its own, else that of all.
pub(crate) fn variable(template: &Template, logical: &str, name: &str) -> Option<String> {
    let own = value(template.resource(&format!("{logical}Function")), name).map(str::to_owned);
    let said = own.or_else(|| value(template.globals(), name).map(str::to_owned))?;
    said.strip_prefix("!Ref ").map(str::to_owned)
}
