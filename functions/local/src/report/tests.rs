use super::*;
use async_trait::async_trait;
use domain::decision::{LaunchSpec, Move, NodeIdentity, Untouched, WhyNot};
use domain::ids::{InstanceType, SubnetId, Zone};
use domain::market::PriceSource;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Offering};
use domain::scheduling::Resources;
use domain::{SignedDuration, Timestamp};
use sim::clock::EPOCH;
use sim::http::kubernetes::{Served, serve};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::sync::Arc;

struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        EPOCH
    }
    async fn sleep(&self, _: SignedDuration) {}
}

fn price(region: &Region, pool: &Pool) -> Option<Quote> {
    let known = region.as_str() == "us-east-1" && pool.capacity == CapacityType::OnDemand;
    known.then_some(Quote { price_per_hour: MicroDollars(96_000), source: PriceSource::PublicEstimate { as_of: EPOCH } })
}

/// A planner that moves the first node to a smaller one where packing is asked for, and otherwise nothing.
fn decide(request: &DecisionRequest) -> DecisionAnswer {
    let (first, rest) = request.snapshot.nodes.split_first().unwrap();
    let packs = request.decision_type == DecisionType::BinPack;
    let pool = Pool {
        instance_type: InstanceType::parse("m6i.medium").unwrap(),
        zone: Zone::parse("us-east-1a").unwrap(),
        capacity: CapacityType::OnDemand,
    };
    let subnet = SubnetId::parse("subnet-in-us-east-1a").unwrap();
    let launch = LaunchSpec { offerings: vec![Offering { pool, subnet, price_per_hour: None }], needs: Resources::new(1, 1), pods: 1 };
    let step = Move {
        remove: vec![NodeIdentity { name: first.name.clone(), uid: first.uid.clone(), instance: first.instance.clone().unwrap() }],
        launch: vec![launch],
        saving_per_hour: MicroDollars(48_000),
        cost_once: MicroDollars(0),
        pods_moved: 3,
        why: "half of it is <empty>".into(),
    };
    let stays = |node: &domain::snapshot::SnapshotNode| Untouched {
        node: node.name.clone(),
        code: WhyNot::PodBudget,
        object: None,
        why: "its <b>budget</b> & co. allow nothing".into(),
    };
    DecisionAnswer {
        version: CONTRACT_VERSION,
        request_id: request.request_id.clone(),
        engine: "test".into(),
        execution_plan: if packs { vec![step] } else { Vec::new() },
        estimated_saving: MicroDollars(if packs { 48_000 } else { 0 }),
        cost_before: MicroDollars(192_000),
        cost_after: MicroDollars(if packs { 144_000 } else { 192_000 }),
        lower_bound: MicroDollars(120_000),
        reasons: vec!["two nodes carry what one and a half could".into()],
        untouched: rest.iter().map(stays).collect(),
        rejected: Vec::new(),
        cursor: None,
    }
}

async fn served() -> (Arc<World>, ClusterId, Served) {
    let world = World::new(Arc::new(Still), 11);
    let id = world.add_cluster(ClusterSpec::new("acme", "prod", "123456789012", "us-east-1"));
    for zone in ["us-east-1a", "us-east-1b"] {
        let owner = NodeOwner::ManagedNodeGroup { group: "workers".into() };
        world.add_node(&id, NodeSpec { owner, ..NodeSpec::new("m6i.large", zone, CapacityType::OnDemand) });
    }
    world.add_deployment(&id, WorkloadSpec::new("web", 6));
    let served = serve(world.clone(), &id, "the-token", std::time::Duration::ZERO).await.unwrap();
    (world, id, served)
}

/// The report of a served cluster, through a kubeconfig file.
async fn printed(output: Output) -> (String, Arc<World>) {
    let (world, _, served) = served().await;
    let ca = data_encoding::BASE64.encode(served.ca_pem.as_bytes());
    let file = serde_json::json!({
        "current-context": "arn:aws:eks:us-east-1:123456789012:cluster/prod",
        "contexts": [{"name": "arn:aws:eks:us-east-1:123456789012:cluster/prod", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": served.url, "certificate-authority-data": ca}}],
        "users": [{"name": "u", "user": {"token": "the-token"}}],
    });
    let path = std::env::temp_dir().join(format!("cloudoptim-report-{}-{output:?}", std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let options = Options { kubeconfig: path.clone(), context: None, output };
    let mut out = Vec::new();
    let result = run(&options, &Still, &Brain { price: &price, decide: &decide }, &mut out).await;
    std::fs::remove_file(path).unwrap();
    result.unwrap();
    (String::from_utf8(out).unwrap(), world)
}

#[tokio::test]
async fn the_table_says_what_is_saved_by_which_plan_and_what_blocks_the_rest() {
    let (text, world) = printed(Output::Table).await;
    for part in [
        "Cluster arn-aws-eks-us-east-1-123456789012-cluster-prod in us-east-1",
        "2 nodes (0 spot, 2 on-demand), 6 pods",
        "saves 0.0480 USD an hour, 35 USD a month (25 %), in 1 moves",
        "-> m6i.medium in us-east-1a (on-demand)",
        "pod-budget",
        "goes in move 1",
        "2 nodes belong to managed node groups",
        "prices come from public lists",
        "Nothing was changed.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.find("packing:") < text.find("spot:"), "the best plan is the first");
    let calls = world.calls();
    let reads = ["nodes", "pods", "claims", "pod_budgets", "usage", "other_http"];
    assert!(calls.keys().all(|call| reads.contains(call)), "it only reads: {calls:?}");
    assert!(!text.contains("the-token"));
}

#[tokio::test]
async fn json_holds_the_answers_and_the_figures() {
    let (text, _) = printed(Output::Json).await;
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["plans"][0]["kind"], "bin_pack");
    assert_eq!(report["plans"][0]["answer"]["estimated_saving"], 48_000);
    assert_eq!(report["plans"].as_array().unwrap().len(), 3);
    assert_eq!((&report["state"]["node_count"], &report["region"]), (&2.into(), &"us-east-1".into()));
}

#[tokio::test]
async fn the_page_needs_nothing_else_and_shows_texts_as_texts() {
    let (text, _) = printed(Output::Html).await;
    assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"));
    assert!(text.contains("its &lt;b&gt;budget&lt;/b&gt; &amp; co. allow nothing") && text.contains("half of it is &lt;empty&gt;"));
    assert!(!text.contains("<b>") && !text.contains("<script") && !text.contains("http://") && !text.contains("https://"));
    assert_eq!(html::escape("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
}

#[tokio::test]
async fn a_cluster_that_is_none_of_aws_is_told_so() {
    let world = World::new(Arc::new(Still), 11);
    let id = world.add_cluster(ClusterSpec::new("acme", "empty", "123456789012", "us-east-1"));
    let cluster = world.cluster(&id).unwrap();
    let error = make(cluster.as_ref(), "empty", &Still, &Brain { price: &price, decide: &decide }).await.unwrap_err();
    assert!(error.to_string().contains("on AWS only"));
}

#[test]
fn the_command_line_says_what_it_misses() {
    let parse = |arguments: &[&str]| Options::parse(arguments.iter().map(|argument| (*argument).to_owned()));
    let full = parse(&["--kubeconfig", "f", "--context=prod", "--output", "html"]).unwrap();
    assert_eq!(full, Options { kubeconfig: "f".into(), context: Some("prod".into()), output: Output::Html });
    for (arguments, words) in [
        (&["--context", "x"][..], "--kubeconfig FILE"),
        (&["--kubeconfig"], "needs a value"),
        (&["--kubeconfig", "f", "--output", "pdf"], "table, json or html"),
        (&["--kubeconfig", "f", "--force", "yes"], "does not know"),
    ] {
        assert!(parse(arguments).unwrap_err().to_string().contains(words));
    }
}
