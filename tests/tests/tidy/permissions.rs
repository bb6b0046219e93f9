//! What we ask clusters and accounts for is what customers are told to grant, role by role and statement by statement.

use crate::tree::read;
use domain::permissions::account::{ACCOUNT_CAPABILITIES, AccountCapability};
use domain::permissions::{CAPABILITIES, Right};
use std::collections::{BTreeMap, BTreeSet};

/// The texts in brackets of `  resources: ["nodes", "pods"]`.
fn list(line: &str, name: &str) -> Option<Vec<String>> {
    let inner = line.trim().trim_start_matches("- ").strip_prefix(name)?.trim().strip_prefix('[')?.strip_suffix(']')?;
    Some(inner.split(',').map(|one| one.trim().trim_matches('"').to_owned()).collect())
}

/// The rights of each ClusterRole of the manifest.
fn granted() -> BTreeMap<String, BTreeSet<Right>> {
    let manifest = read("infra/customer/rbac.yaml");
    let roles = manifest.split("\n---\n").filter(|document| document.contains("\nkind: ClusterRole\n"));
    let role = |document: &str| {
        let name = document.lines().find_map(|line| line.strip_prefix("  name: cloudoptim-")).unwrap().to_owned();
        let (mut groups, mut resources, mut rights) = (Vec::new(), Vec::new(), BTreeSet::new());
        for line in document.lines() {
            groups = list(line, "apiGroups:").unwrap_or(groups);
            resources = list(line, "resources:").unwrap_or(resources);
            for verb in list(line, "verbs:").into_iter().flatten() {
                for (group, resource) in groups.iter().flat_map(|group| resources.iter().map(move |resource| (group, resource))) {
                    rights.insert(Right { verb: verb.clone(), group: group.clone(), resource: resource.clone() });
                }
            }
        }
        (name, rights)
    };
    roles.map(role).collect()
}

#[test]
fn the_manifest_grants_what_each_capability_takes_and_nothing_else() {
    let taken: BTreeMap<String, BTreeSet<Right>> =
        CAPABILITIES.iter().map(|one| (one.name.to_owned(), one.rights().into_iter().collect())).collect();
    assert_eq!(granted(), taken, "left: infra/customer/rbac.yaml, right: domain::permissions");
}

/// The actions of each statement of the role that acts: `(Sid, action)`.
fn granted_in_the_account() -> BTreeSet<(String, String)> {
    let template = read("infra/customer/cloudformation.yaml");
    let policies = template.split_once("\n  ReadPolicy:\n").and_then(|(_, rest)| rest.split_once("\n  EventsRole:\n")).unwrap().0;
    let mut granted = BTreeSet::new();
    for statement in policies.split("- Sid: ").skip(1) {
        let sid = statement.lines().next().unwrap().trim();
        let action = statement.split_once("Action:").unwrap().1.split("Resource:").next().unwrap();
        let actions = action.split([' ', '\n', '-']).map(str::trim).filter(|word| word.contains(':'));
        granted.extend(actions.map(|action| (sid.to_owned(), action.to_owned())));
    }
    granted
}

#[test]
fn the_template_grants_what_each_capability_takes_in_the_account_and_nothing_else() {
    let grants = ACCOUNT_CAPABILITIES.iter().flat_map(AccountCapability::grants);
    let taken: BTreeSet<(String, String)> = grants.map(|grant| (grant.statement.to_owned(), grant.action.to_owned())).collect();
    assert_eq!(granted_in_the_account(), taken, "left: infra/customer/cloudformation.yaml, right: domain::permissions::account");
    let terraform = read("infra/customer/terraform/policies.tf");
    for (statement, _) in taken {
        assert!(
            terraform.lines().any(|line| line.trim_start().starts_with("sid") && line.ends_with(&format!("\"{statement}\""))),
            "policies.tf has no statement {statement}"
        );
    }
}
