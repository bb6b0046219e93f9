//! What holds for every page and every form.

use super::support::{Bench, NODE, PLAN, RUBBISH, customer};
use crate::assets;
use crate::routes::{FORMS, PAGES};
use domain::finding::FindingState;
use domain::ids::{ClusterId, PlanId};
use domain::optimization::ProposalState;
use domain::permissions::account::GrantFound;
use domain::permissions::{Checklist, Right, asked_key, key};
use domain::policy::Mode;
use domain::ports::{Clock, Findings, Optimizations, Registry, Trail, Trust};
use http::StatusCode;
use sim::store::Which;

/// What a page may weigh with all its files, in bytes.
const WEIGHT_MAX: usize = 200_000;

fn all_pages() -> Vec<String> {
    let mut all: Vec<String> = PAGES.iter().map(ToString::to_string).collect();
    all.push("/console/clusters/c-acme".to_owned());
    all.push(format!("/console/plans/{PLAN}"));
    all.push(format!("/console/decisions?cluster=c-acme&node={NODE}"));
    all
}

#[tokio::test]
async fn every_page_opens_for_who_has_nothing_and_says_what_to_do() {
    let bench = Bench::empty().await;
    let cookie = bench.enter("acme-viewer").await;
    for path in PAGES {
        let page = bench.get(&cookie, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert!(page.text.contains("<h1>"), "{path}");
    }
    assert!(bench.get(&cookie, "/console").await.text.contains("No cluster is registered yet"));
}

#[tokio::test]
async fn every_page_opens_over_a_full_store_within_its_weight_and_holds_no_script_style_or_markup_of_others() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-admin").await;
    for path in all_pages() {
        let page = bench.get(&cookie, &path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert!(page.text.len() + assets::weight() <= WEIGHT_MAX, "{path} weighs {} and its files", page.text.len());
        assert!(!page.text.contains(RUBBISH), "{path} shows a name as markup");
        for never in ["<script>", " style=", "<style", "javascript:", " onclick=", "http://", "https://"] {
            assert!(!page.text.contains(never), "{path} holds {never}");
        }
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
    assert!(bench.get(&cookie, "/console").await.text.contains("&#60;script&#62;"), "the name is shown as text");
}

#[tokio::test]
async fn every_table_of_every_page_can_be_had_as_csv() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-viewer").await;
    let mut tables = 0;
    for path in all_pages() {
        let page = bench.get(&cookie, &path).await.text;
        for href in page.split("class=\"csv\" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")) {
            let csv = bench.get(&cookie, &href).await;
            assert_eq!(csv.status, StatusCode::OK, "{href}");
            assert!(csv.header("content-type").starts_with("text/csv") && csv.text.contains("\r\n"), "{href}");
            tables += 1;
        }
    }
    assert!(tables > 20, "{tables} tables");
}

#[tokio::test]
async fn no_form_is_taken_without_its_token_or_from_another_site_or_without_a_session() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-admin").await;
    let stranger = bench.get(&bench.enter("acme-admin").await, "/console/config").await.token();
    for path in FORMS {
        let forms: [&[(&str, &str)]; 3] = [&[("plan", PLAN)], &[("plan", PLAN), ("token", "")], &[("plan", PLAN), ("token", &stranger)]];
        for form in forms {
            assert_eq!(bench.post(&cookie, path, form).await.status, StatusCode::FORBIDDEN, "{path} {form:?}");
        }
        let out = bench.post("", path, &[("plan", PLAN)]).await;
        assert!(out.header("location").starts_with("/console/sign-in"), "{path}");
    }
    let waits = bench.store.proposal(&customer("acme"), &PlanId::parse(PLAN).unwrap()).await.unwrap().unwrap();
    assert!(matches!(waits.state, ProposalState::Waiting { .. }), "nothing was done");
}

#[tokio::test]
async fn a_viewer_is_shown_no_form_and_none_is_taken_from_them() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-viewer").await;
    let page = bench.get(&cookie, &format!("/console/plans/{PLAN}")).await.text;
    assert!(!page.contains("/console/plans/approve"));
    for path in FORMS.iter().filter(|path| **path != "/console/sign-out") {
        let fields = [("plan", PLAN), ("cluster", "c-acme"), ("how", "real"), ("scope", "customer"), ("reason", "x")];
        let answer = bench.act(&cookie, path, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.text.contains("viewer"), "{path} says which role it is: {}", answer.text);
    }
    // What changes what clusters allow, or stops them, is for administrators.
    let operator = bench.enter("acme-operator").await;
    for path in ["/console/config/mode", "/console/config/halt"] {
        assert_eq!(bench.act(&operator, path, &[("scope", "customer"), ("reason", "x")]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn nothing_of_one_customer_is_there_for_another() {
    let bench = Bench::full().await;
    let cookie = bench.enter("other-admin").await;
    for path in all_pages() {
        let page = bench.get(&cookie, &path).await;
        assert!(!page.text.contains("alert(") && !page.text.contains("i-0aaaaaaaaaaaaaaaa"), "{path} shows what is not theirs");
    }
    for path in ["/console/clusters/c-acme", "/console/plans/plan-1", "/console/cost?cluster=c-acme", "/console/history?cluster=c-acme"] {
        assert_eq!(bench.get(&cookie, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (path, fields) in [
        ("/console/plans/approve", [("plan", PLAN), ("x", "")]),
        ("/console/clusters/round", [("cluster", "c-acme"), ("how", "real")]),
        ("/console/clusters/look", [("cluster", "c-acme"), ("x", "")]),
        ("/console/office-hours/wake", [("cluster", "c-acme"), ("minutes", "60")]),
        ("/console/config/halt", [("scope", "cluster c-acme"), ("reason", "x")]),
    ] {
        assert_eq!(bench.act(&cookie, path, &fields).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn an_approval_is_written_down_and_a_round_asked_for() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-operator").await;
    let page = bench.act(&cookie, "/console/plans/approve", &[("plan", PLAN), ("wish", "w1")]).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/console/plans/plan-1?done=approved"));
    let id = PlanId::parse(PLAN).unwrap();
    let proposal = bench.store.proposal(&customer("acme"), &id).await.unwrap().unwrap();
    assert!(matches!(&proposal.state, ProposalState::Approved { by, .. } if by == "acme-operator"), "{:?}", proposal.state);
    let asked = bench.queue.take_due(domain::ports::Clock::now(&*bench.clock));
    assert!(asked.iter().any(|message| matches!(message.queue, Which::Rounds) && message.body.contains("a-w1")), "a round is asked for");
    // Said once more, it is asked for once more; dismissed afterwards, it is over.
    assert_eq!(bench.act(&cookie, "/console/plans/reject", &[("plan", PLAN)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bench.act(&cookie, "/console/plans/approve", &[("plan", PLAN)]).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_mode_is_set_against_the_version_that_was_read_and_a_stop_is_told_on_every_page() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-admin").await;
    let fields = [("cluster", "c-acme"), ("what", "spot"), ("mode", "auto"), ("version", "1")];
    assert_eq!(bench.act(&cookie, "/console/config/mode", &fields).await.status, StatusCode::SEE_OTHER);
    let stored = bench.store.cluster(&customer("acme"), &ClusterId::parse("c-acme").unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.policy.optimization.spot, stored.version), (Mode::Auto, 2));
    assert_eq!(bench.act(&cookie, "/console/config/mode", &fields).await.status, StatusCode::CONFLICT, "the version is another by now");
    assert_eq!(bench.act(&cookie, "/console/config/halt", &[("scope", "customer")]).await.status, StatusCode::CONFLICT, "without a reason");
    bench.act(&cookie, "/console/config/halt", &[("scope", "customer"), ("reason", "Black Friday")]).await;
    for path in PAGES {
        assert!(bench.get(&cookie, path).await.text.contains("Black Friday (acme-admin)"), "{path}");
    }
    assert_eq!(bench.act(&cookie, "/console/plans/approve", &[("plan", PLAN)]).await.status, StatusCode::CONFLICT);
    bench.act(&cookie, "/console/config/halt", &[("scope", "customer"), ("lift", "yes")]).await;
    assert!(!bench.get(&cookie, "/console").await.text.contains("Black Friday"));
}

#[tokio::test]
async fn a_finding_is_dismissed_with_a_reason_and_every_form_stands_in_the_trail() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-operator").await;
    let open = bench.store.all_findings().into_iter().find(|it| it.customer == customer("acme") && it.state == FindingState::Open);
    let open = open.expect("the bench has one");
    let fields = [("cluster", open.cluster.as_str()), ("finding", open.id.as_str())];
    let without = bench.act(&cookie, "/console/waste/dismiss", &fields).await;
    assert_eq!(without.status, StatusCode::CONFLICT, "without a reason");
    let why = [fields[0], fields[1], ("why", "It is kept on purpose.")];
    assert_eq!(bench.act(&cookie, "/console/waste/dismiss", &why).await.status, StatusCode::SEE_OTHER);
    let stored = bench.store.finding(&open.customer, &open.cluster, &open.id).await.unwrap().unwrap();
    assert!(matches!(&stored.state, FindingState::Dismissed { by, why, .. } if by == "acme-operator" && why == "It is kept on purpose."));
    let page = bench.get(&cookie, "/console/waste?state=all").await;
    assert!(page.text.contains("by acme-operator: It is kept on purpose."));

    let noted = bench.store.requests(&customer("acme"), None, 10).await.unwrap().items;
    let rows: Vec<_> = noted.iter().map(|row| (row.action.as_str(), row.status)).collect();
    assert_eq!(rows, [("POST /console/waste/dismiss", Some(303)), ("POST /console/waste/dismiss", Some(409))]);
    assert!(noted[0].object.contains("why=It is kept on purpose."), "{}", noted[0].object);
    assert!(noted.iter().all(|row| !row.object.contains("token")), "{noted:?}");
    assert!(bench.store.requests(&customer("other"), None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn the_way_in_shows_what_is_missing_in_the_cluster_and_in_the_account_and_asks_for_another_look() {
    let bench = Bench::full().await;
    let (acme, cluster) = (customer("acme"), ClusterId::parse("c-acme").unwrap());
    let viewer = bench.enter("acme-viewer").await;
    let path = "/console/clusters/c-acme";
    let page = bench.get(&viewer, path).await.text;
    assert!(page.contains("Not looked at yet") && !page.contains("/console/clusters/look"), "{page}");
    let grant = |statement: &str, action: &str, held, why: Option<&str>| GrantFound {
        statement: statement.to_owned(),
        action: action.to_owned(),
        held,
        why: why.map(str::to_owned),
    };
    let right = Right { verb: "create".to_owned(), group: String::new(), resource: "pods/eviction".to_owned() };
    let list = Checklist {
        at: Clock::now(&*bench.clock),
        role: Trust::Us,
        missing: Some(vec![right]),
        why: None,
        account: vec![
            grant("EndOurs", "ec2:TerminateInstances", Some(true), None),
            grant("GiveNodesTheirRole", "iam:PassRole", Some(false), None),
            grant("DeleteVolumes", "ec2:DeleteVolume", None, Some("There is no volume to ask about.")),
        ],
    };
    bench.store.put_config(&acme, &key(&cluster), &serde_json::json!(list)).await.unwrap();
    let rows = bench.get(&viewer, &format!("{path}?csv=rights")).await.text;
    let row = |name: &str| rows.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {rows}"));
    assert!(row("act-evict").contains("missing") && row("act-evict").contains("create pods/eviction"), "{rows}");
    assert!(row("read").contains("granted") && row("end-own").contains("granted"), "{rows}");
    assert!(row("launch").contains("missing") && row("launch").contains("iam:PassRole (GiveNodesTheirRole)"), "{rows}");
    assert!(row("clear-volumes").contains("not known") && row("clear-volumes").contains("There is no volume"), "{rows}");

    let operator = bench.enter("acme-operator").await;
    let answer = bench.act(&operator, "/console/clusters/look", &[("cluster", "c-acme")]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/console/clusters/c-acme?done=look"));
    assert!(bench.store.config(&acme, &asked_key(&cluster)).await.unwrap().is_some());
    let asked = bench.queue.take_due(Clock::now(&*bench.clock));
    assert!(asked.iter().any(|message| matches!(message.queue, Which::Scans) && message.body.contains("c-acme")));
}

#[tokio::test]
async fn the_trail_says_what_was_there_before_a_form_and_what_is_there_after_it() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-admin").await;
    let fields = [("cluster", "c-acme"), ("what", "spot"), ("mode", "auto"), ("version", "1")];
    bench.act(&cookie, "/console/config/mode", &fields).await;
    bench.act(&cookie, "/console/config/halt", &[("scope", "customer"), ("reason", "Black Friday")]).await;
    let made = bench.act(&cookie, "/console/keys/create", &[("label", "ci"), ("role", "viewer"), ("days", "7")]).await;
    let secret = made.text.split("co_").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let rows = bench.store.requests(&customer("acme"), None, 10).await.unwrap().items;
    let row = |path: &str| rows.iter().find(|row| row.action == format!("POST {path}")).unwrap_or_else(|| panic!("no {path}"));
    let part = |value: &Option<serde_json::Value>, at: &str| value.as_ref().unwrap().pointer(at).cloned().unwrap_or_default();
    let mode = row("/console/config/mode");
    let of = |value| part(value, "/policy/optimization/spot");
    assert_eq!((of(&mode.after), part(&mode.before, "/version"), part(&mode.after, "/version")), ("auto".into(), 1.into(), 2.into()));
    assert_ne!(of(&mode.before), of(&mode.after));
    let halt = row("/console/config/halt");
    assert!(part(&halt.before, "/halted").is_null() && part(&halt.after, "/halted/reason") == "Black Friday (acme-admin)");
    let key = row("/console/keys/create");
    assert_eq!((key.before.clone(), part(&key.after, "/label")), (None, "ci".into()));
    assert!(!serde_json::to_string(&rows).unwrap().contains(&secret));
}

#[tokio::test]
async fn the_trail_says_where_a_plan_a_finding_and_a_night_were_before_and_where_they_are() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-operator").await;
    let open = bench.store.all_findings().into_iter().find(|it| it.customer == customer("acme") && it.state == FindingState::Open).unwrap();
    let why = [("cluster", open.cluster.as_str()), ("finding", open.id.as_str()), ("why", "It is kept on purpose.")];
    for (path, fields) in [
        ("/console/plans/reject", &[("plan", PLAN)][..]),
        ("/console/waste/dismiss", &why),
        ("/console/office-hours/wake", &[("cluster", "c-acme"), ("minutes", "60")]),
    ] {
        assert_eq!(bench.act(&cookie, path, fields).await.status, StatusCode::SEE_OTHER, "{path}");
    }
    let rows = bench.store.requests(&customer("acme"), None, 10).await.unwrap().items;
    let row = |path: &str| rows.iter().find(|row| row.action == format!("POST {path}")).unwrap_or_else(|| panic!("no {path}"));
    let part = |value: &Option<serde_json::Value>, at: &str| value.as_ref().unwrap().pointer(at).cloned().unwrap_or_default();
    let plan = row("/console/plans/reject");
    let state = |value| part(value, "/proposal/state");
    assert_eq!((state(&plan.before), state(&plan.after)), ("waiting".into(), "rejected".into()));
    let finding = row("/console/waste/dismiss");
    assert_ne!(finding.before, finding.after);
    assert!(serde_json::to_string(&finding.after).unwrap().contains("It is kept on purpose."));
    let night = row("/console/office-hours/wake");
    let only = |value: &Option<serde_json::Value>| value.as_ref().unwrap().as_object().unwrap().values().next().unwrap().clone();
    assert!(only(&night.before).is_null() && only(&night.after).is_string(), "{night:?}");
}
