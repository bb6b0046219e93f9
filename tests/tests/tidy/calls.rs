//! Who can call whom, read from the source: what a function of ours can reach, from its `main` down to the calls of AWS.
//!
//! Syntax only, so it errs to one side: where a receiver's type cannot be told, every method of that name and number of arguments
//! counts as called. What it cannot see are calls through macros that write code, and names put together at run time; the house has
//! neither.

mod body;
mod items;

use crate::tree::read;
use body::{Mention, Receiver};
use items::{Function, Index};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// In whose name, and on which table, a call is made: it changes on the way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Ourselves, on the table of the core.
    Core,
    /// Ourselves, on the decision server's table.
    Decision,
    /// The role of a customer that looks and acts.
    Customer,
    /// The role of a customer that only looks.
    Look,
    /// The role of a customer that reads one queue.
    Mailbox,
}

/// A call of AWS, as the source has it, and the path of house functions that leads to it last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// As whom and where.
    pub(crate) place: Place,
    /// `dynamodb`, `sqs`, ...
    pub(crate) service: String,
    /// `get_item`.
    pub(crate) operation: String,
    /// The port's method that was called last: `Queue::continue_plan`.
    pub(crate) port: String,
}

/// What was found below one `main`.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Calls of AWS, each with the functions that lead to it.
    pub(crate) calls: BTreeMap<Call, String>,
    /// Qualified names that are mentioned on the way, such as `EksRole::Look`, outside of the crate that declares them.
    pub(crate) mentioned: BTreeSet<String>,
}

/// The crates of the house that a function is built from.
pub(crate) fn crates_of(function: &str) -> BTreeSet<String> {
    let manifest = read(&format!("functions/{function}/Cargo.toml"));
    let acts = manifest.lines().any(|line| line.starts_with("wiring ") && line.contains("\"act\""));
    let mut found = BTreeSet::from([function.to_owned()]);
    let mut open: Vec<String> = direct("functions", function, true).into_iter().collect();
    while let Some(name) = open.pop() {
        if found.insert(name.clone()) {
            open.extend(direct("shared", &name, name == "wiring" && acts));
        }
    }
    found
}

/// The crates of the house that a crate may name, and those that they may name.
fn dependencies(folder: &str, krate: &str, optional: bool) -> BTreeSet<String> {
    let mut found = direct(folder, krate, optional);
    let below: Vec<String> = found.iter().flat_map(|name| dependencies("shared", name, optional)).collect();
    found.extend(below);
    found
}

/// What stands in a manifest.
fn direct(folder: &str, krate: &str, optional: bool) -> BTreeSet<String> {
    let manifest = read(&format!("{folder}/{krate}/Cargo.toml"));
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
    let named = section.lines().filter(|line| optional || !line.contains("optional = true"));
    named
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && crate::tree::exists(&format!("shared/{name}/Cargo.toml")))
        .map(str::to_owned)
        .collect()
}

/// What every function reaches. Reading the house takes seconds, so it is done once.
pub(crate) fn all_reached() -> &'static BTreeMap<String, Reached> {
    static ALL: OnceLock<BTreeMap<String, Reached>> = OnceLock::new();
    ALL.get_or_init(|| {
        let names = crate::template::functions().into_iter().map(|(name, _)| name);
        names.map(|name| (name.clone(), reached(sources(), &name))).collect()
    })
}

/// The house.
fn sources() -> &'static Index {
    static SOURCES: OnceLock<Index> = OnceLock::new();
    SOURCES.get_or_init(Index::read)
}

/// Everything that can be called below the `main` of this function.
fn reached(sources: &Index, function: &str) -> Reached {
    let crates = crates_of(function);
    let mut found = Reached::default();
    // A framework calls what implements its traits: extractors, layers.
    let is_root = |item: &Function| item.krate == function && (item.name == "main" || item.of_foreign_trait);
    let roots = (0..sources.functions.len()).filter(|at| is_root(&sources.functions[*at]));
    let mut visits: Vec<Visit> = roots.map(|at| Visit { at, place: Place::Core, port: String::new(), from: None }).collect();
    assert!(!visits.is_empty(), "{function} has no main");
    let (mut seen, mut next) = (BTreeSet::new(), 0);
    while next < visits.len() {
        let Visit { at, place, port, .. } = visits[next].clone();
        let item = &sources.functions[at];
        let place = place_of(item).unwrap_or(place);
        let port = if item.of_port { item.title() } else { port };
        if seen.insert((at, place, port.clone())) {
            for mention in &item.mentions {
                if let Some((service, operation)) = operation(item, mention) {
                    let call = Call { place, service, operation, port: port.clone() };
                    found.calls.entry(call).or_insert_with(|| path(sources, &visits, next));
                    continue;
                }
                if let Mention::Path { qualifier: Some(qualifier), name } = mention
                    && !sources.declares(&item.krate, qualifier)
                {
                    found.mentioned.insert(format!("{qualifier}::{name}"));
                }
                let called = sources.resolve(item, mention, &crates);
                visits.extend(called.into_iter().map(|at| Visit { at, place, port: port.clone(), from: Some(next) }));
            }
        }
        next += 1;
    }
    found
}

/// A function on the way, and who called it.
#[derive(Debug, Clone)]
struct Visit {
    at: usize,
    place: Place,
    port: String,
    from: Option<usize>,
}

/// `main > ... > here`.
fn path(sources: &Index, visits: &[Visit], here: usize) -> String {
    let mut names = Vec::new();
    let mut at = Some(here);
    while let Some(visit) = at.map(|at| &visits[at]) {
        names.push(sources.functions[visit.at].full());
        at = visit.from;
    }
    names.reverse();
    names.join(" > ")
}

/// Where the calls below an adapter go. What is no adapter goes where its caller went.
fn place_of(item: &Function) -> Option<Place> {
    match (item.krate.as_str(), item.of.as_deref()?) {
        ("aws", "DecisionTable") => Some(Place::Decision),
        ("aws", "CustomerQueues") => Some(Place::Mailbox),
        ("aws", "EksDirectory" | "RoleTrust") => Some(Place::Look),
        ("ec2", "Ec2" | "Looks" | "Access") => Some(Place::Customer),
        ("ec2", "SpotMarket") | ("aws", "Queues" | "KeyVault" | "EksTokens") => Some(Place::Core),
        _ => None,
    }
}

/// Names under which clients of SDKs stand in the adapters.
const CLIENTS: [&str; 6] = ["client", "Client", "ec2", "scaling", "balancers", "classic"];

/// The call of AWS that a mention is.
fn operation(item: &Function, mention: &Mention) -> Option<(String, String)> {
    if !ADAPTERS.contains(&item.krate.as_str()) {
        return None;
    }
    match mention {
        Mention::Method {
            name,
            arguments: Some(0),
            receiver: Receiver::Variable(client) | Receiver::Field(client) | Receiver::Made(client),
        } if CLIENTS.contains(&client.as_str()) && !["clone", "query"].contains(&name.as_str()) => {
            Some((item.service(client), name.clone()))
        }
        // The index is another resource than its table.
        Mention::Path { qualifier: Some(range), name } if range == "Range" && ["table", "index"].contains(&name.as_str()) => {
            Some(("dynamodb".to_owned(), if name == "index" { "query of index" } else { "query" }.to_owned()))
        }
        // Calls that are signed by hand say which they are; the room that signs them calls itself `Self`.
        Mention::Path { qualifier: Some(service), name } if service == "S3" => Some(("s3".to_owned(), snake(name))),
        // What a transaction holds is what IAM asks for.
        Mention::Path { qualifier: Some(kind), name } if name == "builder" => match kind.as_str() {
            "Put" | "Update" | "Delete" => Some(("dynamodb".to_owned(), format!("{}_item", kind.to_lowercase()))),
            "ConditionCheck" => Some(("dynamodb".to_owned(), "condition_check_item".to_owned())),
            _ => None,
        },
        // A role is taken in one room, for all that say which.
        Mention::Method { name, arguments: Some(1), .. } if ["assumed", "assumed_now"].contains(&name.as_str()) => {
            Some(("sts".to_owned(), "assume_role".to_owned()))
        }
        Mention::Method { .. } | Mention::Path { .. } => None,
    }
}

/// `GetObject` -> `get_object`.
fn snake(name: &str) -> String {
    let words = name.split(|c: char| c.is_ascii_uppercase()).skip(1);
    let capitals = name.chars().filter(char::is_ascii_uppercase);
    capitals.zip(words).map(|(first, rest)| format!("{}{rest}", first.to_ascii_lowercase())).collect::<Vec<_>>().join("_")
}

/// The crates that send to AWS.
const ADAPTERS: [&str; 3] = ["aws", "ec2", "sdk"];

/// Every builder of a call is seen by [`operation`]: else a call could hide from the comparison.
#[test]
fn no_call_of_aws_hides_from_the_comparison() {
    let sources = sources();
    let mut seen = 0;
    for item in sources.functions.iter().filter(|item| ADAPTERS.contains(&item.krate.as_str())) {
        let sends = |mention: &Mention| matches!(mention, Mention::Method { name, arguments: Some(0), .. } if ["send", "into_paginator"].contains(&name.as_str()));
        // The one query is told apart by those who say what of: the table or the index; a role, by those who say which.
        let told_by_caller =
            item.takes("FluentBuilder") || ["aws::Table::range", "sdk::Taken::credentials"].contains(&item.full().as_str());
        if item.mentions.iter().any(sends) && !told_by_caller {
            seen += 1;
            assert!(item.mentions.iter().any(|m| operation(item, m).is_some()), "{} sends something that nobody can name", item.full());
        }
    }
    assert!(seen > 20, "calls of the SDKs are not recognised any more: {seen}");
}

/// Nor does one that is signed by hand: whoever signs is told by its caller which call of S3 it is, or makes a token, which says who we are
/// and needs no right, or signs for the address of the decision server, which a function's environment names (`rights.rs`).
#[test]
fn no_call_that_is_signed_by_hand_hides_from_the_comparison() {
    let adapters: Vec<&Function> = sources().functions.iter().filter(|item| ADAPTERS.contains(&item.krate.as_str())).collect();
    // One room signs, for all that tell it what.
    let room = |mention: &Mention| matches!(mention, Mention::Path { qualifier: None, name } if name == "sign");
    let rooms = adapters.iter().filter(|item| item.mentions.iter().any(room)).map(|item| item.file.as_str());
    assert_eq!(rooms.collect::<Vec<_>>(), ["shared/aws/src/sigv4.rs"]);
    let signs = |mention: &Mention| matches!(mention, Mention::Method { name, arguments: Some(3), .. } if name == "sign");
    let signing: Vec<&Function> = adapters.into_iter().filter(|item| item.mentions.iter().any(signs)).collect();
    let told = |item: &&&Function| item.takes("S3");
    let files: BTreeSet<&str> = signing.iter().filter(|item| !told(item)).map(|item| item.file.as_str()).collect();
    let known = ["shared/aws/src/eks_token/presign.rs", "shared/aws/src/function_urls.rs"];
    assert_eq!(files, BTreeSet::from(known), "somebody signs what nobody can name");
    assert_eq!(signing.iter().filter(told).count(), 1, "requests to S3 are not recognised any more");
    let token = read("shared/aws/src/eks_token/presign.rs");
    assert_eq!(token.matches("Action=").count(), token.matches("Action=GetCallerIdentity&").count());
}

/// What no function reaches is dead, or the analysis has gone blind. But for what only local mode and tests do: making tables, reading
/// queues.
#[test]
fn every_call_in_the_adapters_is_reached_by_somebody() {
    let sources = sources();
    let calls = all_reached().values().flat_map(|found| found.calls.keys());
    let reached: BTreeSet<(String, String)> = calls.map(|call| (call.service.clone(), call.operation.clone())).collect();
    let adapters = sources.functions.iter().filter(|item| ADAPTERS.contains(&item.krate.as_str()));
    let written: BTreeSet<(String, String)> = adapters.flat_map(|item| item.mentions.iter().filter_map(|m| operation(item, m))).collect();
    let local =
        ["create_bucket", "create_table", "wait_until_table_exists", "update_time_to_live", "create_queue", "create_key", "delete_message"];
    let dead: Vec<&(String, String)> = written.difference(&reached).filter(|(_, name)| !local.contains(&name.as_str())).collect();
    assert!(dead.is_empty(), "nobody reaches {dead:?}");
}
