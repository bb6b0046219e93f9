//! What the deployed roles of the API and the console may reach in the table is what they reach, and nothing of it is missing: everything
//! is asked of them through an endpoint that holds the conditions of `template.yaml`.

use crate::iam::Reach;
use crate::mix::{CUSTOMERS, Stage, deps, id, key, request, stage, table};
use axum::Router;
use axum::body::{Body, to_bytes};
use domain::ids::CustomerId;
use domain::tenant::{ApiKey, Role};
use http::{Method, Request, StatusCode};
use sim::clock::SimClock;
use sim::store::MemoryQueue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt;

/// The lists of `dynamodb:LeadingKeys` of a role for the table of the core: of the table itself, and of its index.
fn conditions(role: &str) -> Reach {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap();
    let block = template.split_once(&format!("\n  {role}:\n")).unwrap().1;
    let end = block.match_indices("\n  ").find(|(at, _)| !block[at + 3..].starts_with([' ', '#'])).map_or(block.len(), |(at, _)| at);
    let of = |resource: &str| {
        let statement = block[..end].split("- Sid: ").find(|statement| statement.contains(resource)).unwrap();
        let keys = statement.split_once("\"dynamodb:LeadingKeys\": [").unwrap_or_else(|| panic!("{role} has no condition")).1;
        keys.split(']').next().unwrap().split(',').map(|key| key.trim().trim_matches('"').to_owned()).collect()
    };
    Reach { table: of("Resource: !GetAtt Table.Arn"), index: of("${Table.Arn}/index/gsi1") }
}

fn deploy(stage: &Stage, role: &str) {
    stage.wall.roles.lock().unwrap().insert(role.to_owned(), conditions(role));
}

fn nothing_was_refused(stage: &Stage, at_least: u64) {
    assert_eq!(*stage.wall.told.lock().unwrap(), Vec::<String>::new(), "the role may not do what it does");
    let passed = stage.wall.passed.load(Ordering::Relaxed);
    assert!(passed > at_least, "{passed} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_reaches_what_it_needs_under_the_conditions_of_its_role() {
    let stage = stage().await;
    deploy(&stage, "ApiRole");
    let mut works_with = deps(table(&stage.url, "ApiRole").await, SimClock::new());
    // Whoever runs this control plane sees all customers.
    works_with.bootstrap_admin_hash = Some(runtime::web::caller::hash("the-first-key"));
    let api = api::router(Arc::new(works_with));
    let mut random = fastrand::Rng::with_seed(5);
    for asked in 0..600 {
        let says = random.usize(..CUSTOMERS);
        let mut request = request(&mut random, says);
        if asked % 5 == 0 {
            let bearer = http::HeaderValue::from_static("Bearer the-first-key");
            request.headers_mut().insert("authorization", bearer);
        }
        let asked = format!("{} {}", request.method(), request.uri());
        let status = api.clone().oneshot(request).await.unwrap().status();
        assert!(!status.is_server_error() || status == StatusCode::BAD_GATEWAY || asked.contains("/k8s/"), "{asked}: {status}");
    }
    nothing_was_refused(&stage, 1_500);
}

/// The lists of what is due are none of the API's: the condition, and not the code, keeps it from them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_out_of_the_apis_reach() {
    use domain::ports::{Journal, Registry};
    let stage = stage().await;
    deploy(&stage, "ApiRole");
    deploy(&stage, "ConsoleRole");
    for role in ["ApiRole", "ConsoleRole"] {
        let table = table(&stage.url, role).await;
        assert!(table.due(domain::Timestamp::UNIX_EPOCH, 10).await.is_err(), "{role}");
        assert!(table.all_clusters(None, 10).await.is_err(), "{role}");
        assert!(table.customer(&id(0)).await.unwrap().is_some(), "{role}");
    }
    assert!(stage.base.all_clusters(None, 100).await.unwrap().items.len() >= CUSTOMERS, "there is something to see");
}

struct Visitor {
    pages: Router,
    cookie: String,
}

impl Visitor {
    async fn send(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, String) {
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let (status, _, text) = self.send(Request::get(path).header("cookie", &self.cookie).body(Body::empty()).unwrap()).await;
        (status, text)
    }

    async fn post(&self, path: &str, form: &str) -> (StatusCode, http::HeaderMap) {
        let request = Request::builder().method(Method::POST).uri(path).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form.to_owned())).unwrap();
        let (status, headers, _) = self.send(request).await;
        (status, headers)
    }
}

fn console(table: Arc<aws::Table>, market: Arc<sim::store::MemoryMarket>) -> Router {
    let clock = SimClock::new();
    let queue = MemoryQueue::new(clock.clone());
    let count = AtomicU64::new(0);
    console::router(Arc::new(console::Deps {
        registry: table.clone(),
        journal: table.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        nights: table.clone(),
        findings: table.clone(),
        trail: table.clone(),
        routes: table,
        market: market.clone(),
        fillings: market,
        rounds: queue.clone(),
        scans: queue.clone(),
        queue,
        ml: None,
        clock,
        ids: Arc::new(move || u128::from(count.fetch_add(1, Ordering::SeqCst)) + 1),
        issuer: None,
        sessions: console::session::Signer::new(b"a secret of this test", false),
        fleets: console::fleet::Fleets::default(),
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_reaches_what_it_needs_under_the_conditions_of_its_role() {
    use domain::ports::Registry;
    let stage = stage().await;
    deploy(&stage, "ConsoleRole");
    let operator = ApiKey {
        id: "k-operator".to_owned(),
        hash: runtime::web::caller::hash("of-the-operator"),
        customer: CustomerId::parse("default").unwrap(),
        role: Role::Admin,
        label: "operator".to_owned(),
        expires_at: None,
        revoked: false,
        created_at: None,
    };
    stage.base.put_api_key(&operator).await.unwrap();
    let pages = console(table(&stage.url, "ConsoleRole").await, Arc::default());
    for own in [key(0), "of-the-operator".to_owned()] {
        let mut visitor = Visitor { pages: pages.clone(), cookie: String::new() };
        let (status, headers) = visitor.post("/console/sign-in", &format!("key={own}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        visitor.cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let details = ["/console/clusters/c-00", "/console/plans/p", "/console/decisions?cluster=c-00&node=n"];
        for path in console::routes::PAGES.into_iter().chain(details) {
            let (status, text) = visitor.get(path).await;
            assert!([StatusCode::OK, StatusCode::NOT_FOUND].contains(&status), "{path}: {status} {text}");
        }
        let (_, page) = visitor.get("/console/keys").await;
        let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        for path in console::routes::FORMS.into_iter().filter(|path| *path != "/console/sign-out") {
            let fields = "cluster=c-00&plan=p&how=dry&scope=customer&reason=x&label=l&role=viewer&what=spot&mode=auto&version=1&minutes=60";
            let (status, _) = visitor.post(path, &format!("token={token}&{fields}")).await;
            assert!(!status.is_server_error() || path.contains("/models/") || path.contains("/gaps/"), "{path}: {status}");
        }
    }
    nothing_was_refused(&stage, 200);
}
