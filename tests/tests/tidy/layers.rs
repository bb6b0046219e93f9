//! Who may name whom. A crate cannot name what its manifest does not list, so the manifests are read.

use crate::tree::{File, exists, files, folders, read};
use std::collections::BTreeSet;

/// The layer above the domain. Its crates name the domain and never each other.
const MIDDLE: [&str; 7] = ["aws", "ec2", "execution", "kubernetes", "planning", "runtime", "sim"];
/// Below the middle: the one way out, which whoever calls an address that others have named goes through. It names the domain alone.
const GATE: &str = "gate";
/// Below the middle, too, each for those who are named beside it: the one HTTP client, how AWS is called, and what is read of Kubernetes.
const BELOW: [(&str, &[&str]); 3] = [("https", &["kubernetes", "runtime", "sdk"]), ("sdk", &["aws", "ec2"]), ("slim", &["kubernetes"])];
/// What puts adapters together for `main.rs`: above the middle, and named by nothing else.
const WIRING: &str = "wiring";
/// The one exception: a rescue picks its replacement itself, because it never waits for the decision server.
const EXCEPTION: (&str, &str) = ("execution", "planning");
/// What everything is tried in.
const TESTS: [&str; 2] = ["tests", "tests/harness"];
/// What does I/O, waits or rolls dice: nothing for those who only think.
const IMPURE: [&str; 8] = ["anyhow", "axum", "fastrand", "futures", "http", "tokio", "tower", "tracing"];

/// Names in the dependency tables of a manifest; with `dev`, those of tests and benchmarks too.
fn dependencies(manifest: &str, dev: bool) -> BTreeSet<String> {
    let mut listed = false;
    let mut names = BTreeSet::new();
    for line in read(manifest).lines() {
        if let Some(table) = line.strip_prefix('[') {
            listed = table.starts_with("dependencies]") || (dev && table.starts_with("dev-dependencies]"));
        } else if listed && line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let end = line.find(['.', '=', ' ']).unwrap_or(line.len());
            names.insert(line[..end].to_owned());
        }
    }
    names
}

fn of_the_house(names: &BTreeSet<String>) -> BTreeSet<&str> {
    let house: BTreeSet<String> = ["shared", "functions"].into_iter().flat_map(folders).collect();
    names.iter().filter(|name| house.contains(*name)).map(String::as_str).collect()
}

fn names_crate(text: &str, name: &str) -> bool {
    let path = format!("{name}::");
    text.match_indices(&path).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':'))
}

#[test]
fn what_lies_below_names_no_more_than_it_is_lent() {
    assert!(of_the_house(&dependencies("shared/domain/Cargo.toml", true)).is_empty());
    for (name, _) in BELOW {
        let names = dependencies(&format!("shared/{name}/Cargo.toml"), true);
        let lent = |other: &str| BELOW.iter().any(|(below, to)| *below == other && to.contains(&name));
        let others: Vec<&str> =
            of_the_house(&names).into_iter().filter(|other| !["domain", GATE].contains(other) && !lent(other)).collect();
        assert!(others.is_empty(), "{name} names {others:?}");
    }
}

#[test]
fn siblings_never_name_each_other() {
    let stands_elsewhere =
        |name: &&String| ["domain", GATE, WIRING].contains(&name.as_str()) || BELOW.iter().any(|(below, _)| below == *name);
    for name in folders("shared").iter().filter(|name| !stands_elsewhere(name)) {
        assert!(MIDDLE.contains(&name.as_str()), "say in tidy/layers.rs where shared/{name} stands");
        let named = dependencies(&format!("shared/{name}/Cargo.toml"), false);
        for other in of_the_house(&named) {
            let lent = BELOW.iter().any(|(below, to)| *below == other && to.contains(&name.as_str()));
            assert!(["domain", GATE].contains(&other) || lent || (name.as_str(), other) == EXCEPTION, "{name} names {other}");
        }
        // Tests beside the code may stand on the simulated world.
        let with_tests = dependencies(&format!("shared/{name}/Cargo.toml"), true);
        for other in of_the_house(&with_tests).into_iter().filter(|other| !named.contains(*other)) {
            assert!(["domain", "sim"].contains(&other), "the tests of {name} name {other}");
        }
    }
}

/// One room judges where connections lead. Who could open one by himself would go around it.
#[test]
fn only_the_gate_opens_connections() {
    let gate = dependencies("shared/gate/Cargo.toml", true);
    assert_eq!(of_the_house(&gate).into_iter().collect::<Vec<_>>(), ["domain"]);
    let opens = ["TcpStream::connect", "lookup_host", "HttpConnector", "ToSocketAddrs"];
    let outside = |file: &&File| {
        let ours = file.path.starts_with("shared/") || file.path.starts_with("functions/");
        // The simulator serves; its own calls stay on this machine. What the SDKs call a connector is a trait there, and ours stands on the gate.
        let homes = ["shared/gate/", "shared/sim/", "shared/sdk/src/http.rs", "shared/aws/src/objects.rs"];
        ours && !file.is_test() && !homes.iter().any(|home| file.path.starts_with(home))
    };
    let found: Vec<String> = files(&[".rs"])
        .iter()
        .filter(outside)
        .flat_map(|file| opens.iter().filter(|word| file.text.contains(**word)).map(|word| format!("{}: {word}", file.path)))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

/// AWS itself is where whoever deploys the product says that it is. Nobody else goes there without being judged.
#[test]
fn only_calls_of_aws_are_not_judged() {
    let unjudged = files(&[".rs"]).into_iter().filter(|file| file.text.contains("Gate::to_aws"));
    let paths: Vec<String> = unjudged.filter(|file| !file.is_test()).map(|file| file.path).collect();
    assert_eq!(paths, ["shared/sdk/src/http.rs"]);
}

#[test]
fn those_who_think_do_nothing_else() {
    for name in ["domain", "planning"] {
        let names = dependencies(&format!("shared/{name}/Cargo.toml"), false);
        let impure: Vec<&&str> = IMPURE.iter().filter(|impure| names.contains(**impure)).collect();
        assert!(impure.is_empty(), "{name} names {impure:?}");
    }
}

#[test]
fn functions_never_name_each_other_or_the_simulator() {
    let functions = folders("functions");
    for name in functions.iter().filter(|name| *name != "local") {
        for other in of_the_house(&dependencies(&format!("functions/{name}/Cargo.toml"), false)) {
            assert!(other != "sim" && !functions.iter().any(|f| f == other), "functions/{name} names {other}");
        }
    }
}

/// The right to *wish*: it records commands. It cannot launch or end an instance, because it cannot say so: neither itself nor
/// through the wiring, which names EC2 only for those that ask for `act`.
#[test]
fn those_who_wish_cannot_name_ec2() {
    for name in ["api", "console"] {
        let manifest = format!("functions/{name}/Cargo.toml");
        assert!(!dependencies(&manifest, true).contains("ec2"), "{name} names ec2");
        let asked = read(&manifest);
        assert!(asked.lines().filter(|line| line.starts_with(WIRING)).all(|line| !line.contains("act")), "{name} asks for act");
    }
    // Pages show what the table knows: no token opens for them, so no cluster can be called.
    assert!(!dependencies("functions/console/Cargo.toml", true).contains("kubernetes"));
    assert!(!read("functions/console/src/main.rs").contains("vault"));
    let lends = read("shared/wiring/Cargo.toml");
    assert!(lends.contains("act = [\"dep:ec2\"") && lends.contains("ec2 = { workspace = true, optional = true }"), "act is an option");
}

/// Only `main.rs` composes: the wiring is an optional dependency of a function, and no library and no crate below names it.
#[test]
fn only_functions_name_the_wiring() {
    let packages = folders("shared").into_iter().map(|name| format!("shared/{name}")).chain(TESTS.map(str::to_owned));
    for package in packages {
        assert!(!dependencies(&format!("{package}/Cargo.toml"), true).contains(WIRING), "{package} names {WIRING}");
    }
}

/// It ranks and proposes. No cluster and no account can be reached with what it can name, and no table and no bucket but its own.
#[test]
fn the_decision_server_can_name_nothing_that_acts() {
    let names = dependencies("functions/decision/Cargo.toml", false);
    assert_eq!(of_the_house(&names).into_iter().collect::<Vec<_>>(), ["aws", "domain", "planning", "runtime"]);
    let main = read("functions/decision/src/main.rs");
    let named: Vec<&str> = main.split("aws::").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    assert_eq!(named, ["sdk_config", "DecisionTable::new", "BucketObjects::new"]);
}

#[test]
fn only_the_wiring_of_a_function_names_adapters() {
    let inside = |file: &&File| file.path.starts_with("functions/") && !file.path.starts_with("functions/local/") && !file.is_test();
    let mut named = Vec::new();
    for file in files(&[".rs"]).iter().filter(inside).filter(|file| !file.path.ends_with("/main.rs")) {
        let adapters = ["aws", "ec2", "kubernetes", "sim", WIRING].into_iter().filter(|adapter| names_crate(&file.text, adapter));
        named.extend(adapters.map(|adapter| format!("{} names {adapter}", file.path)));
    }
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn a_vendor_stays_behind_its_adapter() {
    let home = |name: &str| -> &[&str] {
        match name {
            "aws-sdk-ec2" | "aws-sdk-autoscaling" => &["shared/ec2"],
            "dynoxide-rs" => &["functions/local", "shared/aws", "tests", "tests/harness"],
            "aws-sdk-sts" | "aws-types" => &["shared/aws", "shared/ec2", "shared/sdk"],
            _ if name.starts_with("aws-sdk-") => &["shared/aws", "shared/ec2"],
            _ => &[],
        }
    };
    let packages = ["shared", "functions"].into_iter().flat_map(|top| folders(top).into_iter().map(move |name| format!("{top}/{name}")));
    for package in packages.chain(TESTS.map(str::to_owned)) {
        for name in dependencies(&format!("{package}/Cargo.toml"), true) {
            assert!(home(&name).is_empty() || home(&name).contains(&package.as_str()), "{package} names {name}");
        }
    }
}

/// Errors have names up to the wiring, which only prints them.
#[test]
fn errors_keep_their_names_outside_the_wiring() {
    for name in folders("shared") {
        assert!(!dependencies(&format!("shared/{name}/Cargo.toml"), false).contains("anyhow"), "shared/{name} names anyhow");
    }
    for file in files(&[".rs"]).iter().filter(|file| file.path.starts_with("functions/") && file.path.ends_with("src/lib.rs")) {
        assert!(!names_crate(&file.text, "anyhow"), "{} names anyhow", file.path);
    }
}

#[test]
fn every_function_says_what_it_is() {
    for name in folders("functions") {
        assert!(exists(&format!("functions/{name}/README.md")), "functions/{name} has no README.md");
    }
}
