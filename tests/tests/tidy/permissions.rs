//! What we ask clusters for is what customers are told to grant, role by role.

use crate::tree::read;
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
