//! Who may do what, in AWS.

use crate::template::{Template, functions};
use crate::tree::{File, files, read};
use std::collections::BTreeSet;

/// The right to *act*, and the right to *plan*, which looks into a customer's account: these, and nobody else, may take its role.
const ACT: [&str; 5] = ["executor", "ghost-scan", "interruption", "optimizer", "sweeper"];

/// These look into clusters that take AWS roles, with a role that may do nothing in AWS.
const LOOK: [&str; 2] = ["api", "office-hours"];

#[test]
fn only_those_who_act_may_take_a_customers_role() {
    let template = Template::read();
    for (name, logical) in functions() {
        let role = template.resource(&format!("{logical}Role"));
        let policy = role.split_once("      Policies:\n").map_or("", |(_, policy)| policy);
        let taken: Vec<&str> = policy.lines().filter(|line| line.contains(":role/")).map(str::trim).collect();
        let may = |role: &str| taken.iter().filter(|line| line.ends_with(&format!(":role/{role}\""))).count();
        assert_eq!(may("CloudOptim*"), usize::from(ACT.contains(&name.as_str())), "{name}: {taken:?}");
        assert_eq!(may("CloudOptim-*-look"), usize::from(LOOK.contains(&name.as_str())), "{name}: {taken:?}");
        assert_eq!(may("CloudOptim-*-queue"), usize::from(name == "poller"), "{name}: {taken:?}");
        assert_eq!(policy.matches("sts:AssumeRole").count(), taken.len(), "{name}: {taken:?}");
    }
}

/// Both roles of a customer say whom they trust, function by function, and the one that looks has no policy at all.
#[test]
fn a_customers_roles_trust_those_who_take_them_and_no_other() {
    let template = read("infra/customer/cloudformation.yaml");
    let role = |name: &str| {
        let from = template.split_once(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no {name}")).1;
        let end = from.match_indices("\n  ").find(|(at, _)| !from[at + 3..].starts_with([' ', '#'])).map_or(from.len(), |(at, _)| at);
        from[..end].to_owned()
    };
    for (name, trusted) in [("Role", &ACT[..]), ("LookRole", &LOOK[..]), ("QueueRole", &["poller"][..])] {
        let text = role(name);
        let said: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.split_once("role/${ControlPlaneStackName}-*-"))
            .map(|(_, function)| function.trim_end_matches('"'))
            .collect();
        assert_eq!(said, trusted.iter().copied().collect(), "{name}");
        assert!(text.contains("sts:ExternalId"), "{name}");
    }
    assert!(
        !role("LookRole").contains("Policies") && !template.contains("RoleName: !Ref LookRole"),
        "the role that looks has rights in AWS"
    );
}

/// It is told everything and may do nothing: beside its log, it reads a table of its own that holds nobody's secrets, and writes what is its
/// own in it: outcomes, models and predictions, and wishes to whoever reads the market. What the market says it cannot change.
#[test]
fn the_decision_server_may_read_its_own_table_keep_what_is_its_own_and_nothing_else() {
    let template = Template::read();
    let role = template.resource("DecisionRole");
    let policy = role.split_once("      Policies:\n").map_or("", |(_, policy)| policy);
    let allowed: Vec<&str> = policy.lines().filter_map(|line| line.trim().strip_prefix("Action: ")).collect();
    let read = "[dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query]";
    let write = "[dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:BatchWriteItem]";
    assert_eq!(allowed, ["[logs:CreateLogStream, logs:PutLogEvents]", read, write]);
    let keeps = policy.split_once("KeepItsOwn").map_or("", |(_, statement)| statement);
    assert!(keeps.contains("\"ForAllValues:StringLike\""), "{keeps}");
    assert!(keeps.contains("\"dynamodb:LeadingKeys\": [\"O#*\", \"D#*\", \"J#*\"]"), "it writes what is its own only: {keeps}");
    let reached: Vec<&str> = policy.lines().filter_map(|line| line.trim().strip_prefix("Resource: ")).collect();
    assert_eq!(reached, ["!GetAtt DecisionLogs.Arn", "!GetAtt DecisionTable.Arn", "!GetAtt DecisionTable.Arn"]);
}

/// Reads for which IAM takes no resource but all of them: they tell what the market tells everybody.
const KNOWS_NO_RESOURCE: &str = "Action: [ec2:DescribeSpotPriceHistory, pricing:GetProducts]";

/// The statements of a role but for the one that can have no resource.
fn statements(role: &str) -> impl Iterator<Item = &str> {
    role.split("              - Sid: ").filter(|statement| !statement.contains(KNOWS_NO_RESOURCE))
}

#[test]
fn no_role_of_ours_may_do_everything_or_anywhere() {
    let template = Template::read();
    for role in template.of_type("AWS::IAM::Role") {
        for line in statements(template.resource(role)).flat_map(str::lines).map(str::trim) {
            assert!(!line.contains("\"*\"") && !line.ends_with(":*\"") && !line.ends_with(": '*'"), "{role}: {line}");
            assert!(!line.starts_with("- arn:aws:iam::aws:policy"), "{role} takes a policy that AWS may widen: {line}");
        }
    }
}

/// Operations of the SDK that a text calls, in IAM's words: `.run_instances()` -> `RunInstances`.
fn operations(text: &str) -> BTreeSet<String> {
    let verbs = ["run_", "terminate_", "describe_", "create_", "delete_", "modify_", "complete_", "attach_", "detach_"];
    let calls = text.split('.').filter_map(|rest| rest.split_once("()").map(|(name, _)| name));
    // `create_time()` reads a field of an answer.
    let named = calls
        .filter(|name| !name.ends_with("_time"))
        .filter(|name| verbs.iter().any(|verb| name.starts_with(verb)) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    named.map(|name| name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()).collect()
}

#[test]
fn the_customers_template_allows_every_call_that_is_made_and_no_other() {
    let sources = files(&[".rs"]);
    let adapter = |file: &&File| file.path.starts_with("shared/ec2/src/") && !file.is_test();
    let made: BTreeSet<String> = sources.iter().filter(adapter).flat_map(|file| operations(&file.text)).collect();
    assert!(made.contains("RunInstances"), "tidy/rights.rs cannot read shared/ec2 any more: {made:?}");
    let template = read("infra/customer/cloudformation.yaml");
    let words = template.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'));
    let allowed: BTreeSet<String> =
        words.filter_map(|word| word.strip_prefix("ec2:").or_else(|| word.strip_prefix("autoscaling:"))).map(str::to_owned).collect();
    let missing: Vec<&String> = made.difference(&allowed).collect();
    assert!(missing.is_empty(), "customers do not allow {missing:?}");
    // Tags go into the launch itself; the rest are condition keys.
    let beside = ["CreateTags", "Attribute", "CreateAction"];
    let spare: Vec<&String> = allowed.difference(&made).filter(|word| !beside.contains(&word.as_str())).collect();
    assert!(spare.iter().all(|word| word.starts_with(|c: char| c.is_ascii_lowercase())), "nobody calls {spare:?}");
}
