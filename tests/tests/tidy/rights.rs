//! Who may do what, in AWS: what the code can call against what the policies allow, in both directions.

use crate::calls::{Call, Place, Reached, all_reached};
use crate::policies::{Right, allowed, variable};
use crate::template::{Template, functions, referred};
use crate::tree::read;
use std::collections::{BTreeMap, BTreeSet};

/// The right to *act*, and the right to *plan*, which looks into a customer's account: these, and nobody else, may take its role.
const ACT: [&str; 5] = ["executor", "ghost-scan", "interruption", "optimizer", "sweeper"];

/// These look into clusters that take AWS roles, with a role that may ask AWS where a cluster is, and nothing else.
const LOOK: [&str; 2] = ["api", "office-hours"];

/// No right that is not used, and none missing: for each function, the calls that its code can make (read from the source, from `main`
/// down) against the actions and resources of its policy.
#[test]
fn every_function_may_do_what_its_code_can_do_and_nothing_else() {
    let template = Template::read();
    let mut wrong = Vec::new();
    for (name, logical) in functions() {
        let may = allowed(&template, &format!("{logical}Role"));
        let does = needed(&template, &logical, &all_reached()[&name]);
        let missing = does.iter().filter(|(right, _)| !may.contains(right));
        wrong.extend(missing.map(|((action, on), why)| format!("{name} calls {action} on {on} and may not: {why}")));
        let spare = may.iter().filter(|right| !does.contains_key(right));
        wrong.extend(spare.map(|(action, on)| format!("{name} may {action} on {on} and never does")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a function's code, its triggers and its log need, each with the reason.
fn needed(template: &Template, logical: &str, reached: &Reached) -> BTreeMap<Right, String> {
    let mut needs = BTreeMap::new();
    for (call, path) in &reached.calls {
        for right in rights_of(template, logical, call, reached) {
            needs.entry(right).or_insert_with(|| path.clone());
        }
    }
    let mut need = |action: &str, on: &str, why: &str| needs.insert((action.to_owned(), on.to_owned()), why.to_owned());
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        need(action, &format!("{logical}Logs"), "its log");
    }
    let block = template.resource(&format!("{logical}Function"));
    if block.contains("Type: SQS\n          Properties") {
        // AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", execution role permissions.
        for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            need(action, referred(block, "Queue"), "its trigger");
        }
    }
    if block.contains("DecisionFunctionUrl.FunctionUrl") {
        for action in ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"] {
            need(action, "DecisionFunction:live", "its questions to the decision server");
        }
    }
    if block.contains("OnFailure:") {
        need("sqs:SendMessage", referred(block, "Destination"), "its failures");
    }
    needs
}

/// The rights of our own role that a call needs; none where it is made in a customer's name.
fn rights_of(template: &Template, logical: &str, call: &Call, reached: &Reached) -> Vec<Right> {
    let queue = |name: &str| {
        variable(template, logical, name).unwrap_or_else(|| panic!("{logical}Function sends to {name} and has no such variable"))
    };
    let table = if call.place == Place::Decision { "DecisionTable" } else { "Table" };
    let one = |action: &str, on: &str| vec![(action.to_owned(), on.to_owned())];
    let on_files = |action: &str| ["uploads", "models"].map(|folder| (action.to_owned(), format!("ModelBucket/{folder}/*"))).to_vec();
    match (call.service.as_str(), call.operation.as_str(), call.port.as_str()) {
        (_, "transact_write_items", _) => Vec::new(), // What it holds is listed by itself.
        ("dynamodb", "query of index", _) => one("dynamodb:Query", &format!("{table}/index/gsi1")),
        ("dynamodb", operation, _) => one(&format!("dynamodb:{}", camel(operation)), table),
        ("kms", operation, _) => one(&format!("kms:{}", camel(operation)), "TokenKey"),
        ("sts", "assume_role", "Bearers::bearer" | "Trusts::trust") => roles_of_bearers(reached),
        ("sts", "assume_role", _) if call.place == Place::Mailbox => one("sts:AssumeRole", "role/CloudOptim-*-queue"),
        ("sts", "assume_role", _) if call.place == Place::Look => one("sts:AssumeRole", "role/CloudOptim-*-look"),
        ("sts", "assume_role", _) => one("sts:AssumeRole", "role/CloudOptim*"),
        ("sqs", "send_message", "Queue::continue_plan") => one("sqs:SendMessage", &queue("PLANS_QUEUE_URL")),
        ("sqs", "send_message", "Queue::notice") => one("sqs:SendMessage", &queue("INTERRUPTIONS_QUEUE_URL")),
        ("sqs", "send_message", "Queue::park") => one("sqs:SendMessage", &queue("DEAD_LETTER_QUEUE_URL")),
        ("sqs", "send_message", "Notices::tell") => one("sqs:SendMessage", &queue("NOTICES_QUEUE_URL")),
        ("sqs", "send_message", "Rounds::ask") => one("sqs:SendMessage", &queue("ROUNDS_QUEUE_URL")),
        ("sqs", "send_message_batch", "Rounds::ask_all") => one("sqs:SendMessage", &queue("ROUNDS_QUEUE_URL")),
        ("sqs", "send_message", "Scans::ask_scan") => one("sqs:SendMessage", &queue("SCANS_QUEUE_URL")),
        // GetObject says that something is not there to those who may list, and to others that it is forbidden.
        ("s3", "get_object", _) => [on_files("s3:GetObject"), one("s3:ListBucket", "ModelBucket")].concat(),
        ("s3", operation, _) => on_files(&format!("s3:{}", camel(operation))),
        ("ses", operation, _) => one(&format!("ses:{}", camel(operation)), "identity/*"),
        _ if [Place::Customer, Place::Look, Place::Mailbox].contains(&call.place) => Vec::new(),
        // They know no resources.
        ("ec2", operation, _) => one(&format!("ec2:{}", camel(operation)), "*"),
        ("pricing", operation, _) => one(&format!("pricing:{}", camel(operation)), "*"),
        _ => panic!("say in tidy/rights.rs what {call:?} needs"),
    }
}

/// Which role tokens of clusters are made with, and which is looked at, says the `main` that puts the function together.
fn roles_of_bearers(reached: &Reached) -> Vec<Right> {
    let named = |variant: &str| reached.mentioned.contains(&format!("EksRole::{variant}"));
    assert!(named("Act") != named("Look"), "tidy/rights.rs cannot tell as whom clusters are called");
    vec![("sts:AssumeRole".to_owned(), if named("Act") { "role/CloudOptim*" } else { "role/CloudOptim-*-look" }.to_owned())]
}

/// `get_item` -> `GetItem`.
fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// Calls in a customer's name, in IAM's words.
fn made_for_customers(place: Place) -> BTreeSet<String> {
    let calls = all_reached().values().flat_map(|found| found.calls.keys());
    let theirs = calls.filter(|call| call.place == place && !["dynamodb", "sts"].contains(&call.service.as_str()));
    // One letter or many: IAM knows one action (SQS Developer Guide, API permissions).
    theirs.map(|call| format!("{}:{}", call.service, camel(&call.operation).trim_end_matches("Batch"))).collect()
}

#[test]
fn the_customers_roles_allow_every_call_that_is_made_and_no_other() {
    let template = read("infra/customer/cloudformation.yaml");
    let words = |part: &str, services: &[&str]| -> BTreeSet<String> {
        let words = part.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'));
        words
            .filter(|word| services.iter().any(|service| word.strip_prefix(service).is_some_and(|rest| rest.starts_with(':'))))
            .filter(|word| word.split(':').nth(1).is_some_and(|action| action.starts_with(|c: char| c.is_ascii_uppercase())))
            .map(str::to_owned)
            .collect()
    };
    // Tags go into the launch itself, and the role of a node with it; `ec2:Attribute` and `ec2:CreateAction` are keys of conditions.
    let beside = ["ec2:CreateTags", "ec2:Attribute", "ec2:CreateAction"].map(str::to_owned);
    let made: BTreeSet<String> = made_for_customers(Place::Customer).into_iter().chain(beside).collect();
    assert_eq!(words(&template, &["ec2", "autoscaling", "elasticloadbalancing"]), made);
    let look =
        template.split_once("PolicyName: locate").and_then(|(_, policy)| policy.split_once("Resource:")).map_or("", |(policy, _)| policy);
    assert_eq!(words(look, &["eks"]), made_for_customers(Place::Look));
    let queue = template.split_once("PolicyName: read-notices").map_or("", |(_, policy)| policy);
    let queue = queue.split_once("Resource:").map_or("", |(policy, _)| policy);
    assert_eq!(words(queue, &["sqs"]), made_for_customers(Place::Mailbox));
}

/// What is said above, said once more by hand: who takes which role of a customer is too much to be left to an analysis alone.
#[test]
fn only_those_who_act_may_take_a_customers_role() {
    let template = Template::read();
    for (name, logical) in functions() {
        let rights = allowed(&template, &format!("{logical}Role"));
        let taken: Vec<&str> = rights.iter().filter(|(action, _)| action == "sts:AssumeRole").map(|(_, on)| on.as_str()).collect();
        let expected = match name.as_str() {
            name if ACT.contains(&name) => vec!["role/CloudOptim*"],
            name if LOOK.contains(&name) => vec!["role/CloudOptim-*-look"],
            "poller" => vec!["role/CloudOptim-*-queue"],
            _ => Vec::new(),
        };
        assert_eq!(taken, expected, "{name}");
    }
}

/// The roles of a customer say whom they trust, function by function, and the one that looks has one policy.
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
        role("LookRole").matches("PolicyName:").count() == 1 && !template.contains("RoleName: !Ref LookRole"),
        "the role that looks has more rights in AWS than to ask where a cluster is"
    );
}

/// It is told everything and may do nothing: beside its log, it reads a table of its own that holds nobody's secrets, and writes what is its
/// own in it: outcomes, models and predictions, and wishes to whoever reads the market. What the market says it cannot change. A bucket of
/// its own holds the files of large models.
#[test]
fn the_decision_server_may_read_its_own_table_keep_what_is_its_own_and_nothing_else() {
    let template = Template::read();
    let role = template.resource("DecisionRole");
    let policy = role.split_once("      Policies:\n").map_or("", |(_, policy)| policy);
    let allowed: Vec<&str> = policy.lines().filter_map(|line| line.trim().strip_prefix("Action: ")).collect();
    let read = "[dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query]";
    let write = "[dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:BatchWriteItem]";
    let files = "[s3:GetObject, s3:PutObject, s3:DeleteObject]";
    assert_eq!(allowed, ["[logs:CreateLogStream, logs:PutLogEvents]", read, write, files, "s3:ListBucket"]);
    let keeps = policy.split_once("KeepItsOwn").map_or("", |(_, statement)| statement);
    assert!(keeps.contains("\"ForAllValues:StringLike\""), "{keeps}");
    assert!(keeps.contains("\"dynamodb:LeadingKeys\": [\"O#*\", \"D#*\", \"J#*\"]"), "it writes what is its own only: {keeps}");
    let reached: Vec<&str> = policy.lines().filter_map(|line| line.trim().strip_prefix("Resource: ")).collect();
    let folders = "[!Sub \"${ModelBucket.Arn}/uploads/*\", !Sub \"${ModelBucket.Arn}/models/*\"]";
    let (log, table, bucket) = ("!GetAtt DecisionLogs.Arn", "!GetAtt DecisionTable.Arn", "!GetAtt ModelBucket.Arn");
    assert_eq!(reached, [log, table, table, folders, bucket]);
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
    for role in template.of_type("AWS::IAM::Role").into_iter().chain(template.of_type("AWS::IAM::ManagedPolicy")) {
        for line in statements(template.resource(role)).flat_map(str::lines).map(str::trim) {
            assert!(!line.contains("\"*\"") && !line.ends_with(":*\"") && !line.ends_with(": '*'"), "{role}: {line}");
            assert!(!line.starts_with("- arn:aws:iam::aws:policy"), "{role} takes a policy that AWS may widen: {line}");
        }
    }
}
