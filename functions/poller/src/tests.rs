use super::*;
use async_trait::async_trait;
use domain::ids::{AccountId, ClusterId, CustomerId, Region};
use domain::plan::PlanKey;
use domain::policy::ClusterPolicy;
use domain::ports::{Parked, QueueError};
use domain::tenant::{ClusterStatus, Customer, CustomerStatus};
use sim::clock::SimClock;
use sim::store::MemoryStore;
use std::sync::Mutex;

/// What is in each queue, what is hidden, and what was deleted; and how each queue behaves.
#[derive(Default)]
struct Post {
    waiting: Mutex<BTreeMap<String, Vec<String>>>,
    deleted: Mutex<Vec<String>>,
    looks: Mutex<BTreeMap<String, u32>>,
    /// Queues that may not be read.
    closed: Vec<String>,
    /// Queues that never answer in time: a look at them lasts this long and fails.
    hanging: Vec<String>,
    undeletable: bool,
}

struct Mailmen {
    post: Post,
    clock: Arc<SimClock>,
}

#[async_trait]
impl Mailboxes for Mailmen {
    async fn receive(&self, scope: &AwsScope, url: &str, ask: Ask) -> Result<Vec<Letter>, MailboxError> {
        *self.post.looks.lock().unwrap().entry(url.to_owned()).or_default() += 1;
        assert_eq!(scope.external_id, format!("external-{}", scope.customer), "a queue is read as its own customer");
        if self.post.closed.iter().any(|closed| closed == url) {
            return Err(MailboxError::Refused("AccessDenied".to_owned()));
        }
        if self.post.hanging.iter().any(|hanging| hanging == url) {
            self.clock.sleep(SignedDuration::from_secs(25)).await;
            return Err(MailboxError::Unreachable("timeout".to_owned()));
        }
        let taken = {
            let mut waiting = self.post.waiting.lock().unwrap();
            let bodies = waiting.entry(url.to_owned()).or_default();
            let many = bodies.len().min(ask.letters_max as usize);
            bodies.drain(..many).collect::<Vec<String>>()
        };
        if taken.is_empty() {
            self.clock.sleep(SignedDuration::from_secs(i64::from(ask.wait_s))).await;
        }
        Ok(taken.into_iter().map(|body| Letter { receipt: format!("{url}/{body}"), body }).collect())
    }

    async fn delete(&self, _: &AwsScope, _: &str, receipts: &[String]) -> Result<(), MailboxError> {
        if self.post.undeletable {
            return Err(MailboxError::Unreachable("503".to_owned()));
        }
        self.post.deleted.lock().unwrap().extend(receipts.iter().cloned());
        Ok(())
    }
}

/// Our queue, which takes nothing that contains `never`.
#[derive(Default)]
struct Ours(Mutex<Vec<String>>);

#[async_trait]
impl Queue for Ours {
    async fn continue_plan(&self, _: &PlanKey, _: SignedDuration) -> Result<(), QueueError> {
        Ok(())
    }
    async fn notice(&self, body: &str) -> Result<(), QueueError> {
        if body.contains("never") {
            return Err(QueueError("503".to_owned()));
        }
        self.0.lock().unwrap().push(body.to_owned());
        Ok(())
    }
    async fn park(&self, _: &Parked) -> Result<(), QueueError> {
        Ok(())
    }
}

#[derive(Default)]
struct Counts(Mutex<BTreeMap<(String, String), u32>>);

impl Meter for Counts {
    fn count(&self, name: &'static str, kind: &str) {
        *self.0.lock().unwrap().entry((name.to_owned(), kind.to_owned())).or_default() += 1;
    }
}

fn cluster(customer: &str, id: &str, queue: Option<&str>) -> Cluster {
    Cluster {
        id: ClusterId::parse(id).unwrap(),
        customer: CustomerId::parse(customer).unwrap(),
        name: id.to_owned(),
        k8s_api_endpoint: "https://a.example.com".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: "arn:aws:iam::111122223333:role/CloudOptim-us-east-1".to_owned(),
        account: AccountId::parse("111122223333").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        sqs_queue_url: queue.map(str::to_owned),
        status: ClusterStatus::Connected,
        status_reason: String::new(),
        node_count: 0,
        seen_at: None,
        policy: ClusterPolicy::default(),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

struct Bench {
    deps: Deps,
    mailmen: Arc<Mailmen>,
    ours: Arc<Ours>,
    counts: Arc<Counts>,
}

async fn bench(post: Post, clusters: &[Cluster]) -> Bench {
    let clock = SimClock::new();
    let store = Arc::new(MemoryStore::default());
    for cluster in clusters {
        let customer = Customer {
            id: cluster.customer.clone(),
            company_name: String::new(),
            email: String::new(),
            external_id: format!("external-{}", cluster.customer),
            status: CustomerStatus::Active,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        };
        store.put_customer(&customer).await.unwrap();
        store.put_cluster(cluster, None).await.unwrap();
    }
    let mailmen = Arc::new(Mailmen { post, clock: clock.clone() });
    let (ours, counts) = (Arc::new(Ours::default()), Arc::new(Counts::default()));
    let settings = Settings { ask: Ask { letters_max: 10, wait_s: 20, hidden_s: 30 }, pause: SignedDuration::from_secs(5) };
    let deps = Deps {
        registry: store.clone(),
        routes: store,
        mailboxes: mailmen.clone(),
        queue: ours.clone(),
        clock,
        meter: counts.clone(),
        settings,
        found: Found::default(),
    };
    Bench { deps, mailmen, ours, counts }
}

impl Bench {
    /// One invocation of 55 seconds, and how long it took.
    async fn minute(&self) -> (Polled, SignedDuration) {
        let began = self.deps.clock.now();
        let polled = handle(&self.deps, Budget::lasting(self.deps.clock.as_ref(), SignedDuration::from_secs(55))).await.unwrap();
        (polled, self.deps.clock.now().duration_since(began))
    }

    fn count(&self, name: &str, kind: &str) -> u32 {
        self.counts.0.lock().unwrap().get(&(name.to_owned(), kind.to_owned())).copied().unwrap_or(0)
    }
}

const A: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/a";
const B: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/b";

fn holding(url: &str, bodies: impl IntoIterator<Item = String>) -> Mutex<BTreeMap<String, Vec<String>>> {
    Mutex::new(BTreeMap::from([(url.to_owned(), bodies.into_iter().collect())]))
}

#[tokio::test(start_paused = true)]
async fn what_our_queue_has_is_deleted_and_nothing_else() {
    let post = Post { waiting: holding(A, ["one", "never", "two"].map(str::to_owned)), ..Post::default() };
    let bench = bench(post, &[cluster("acme", "c-1", Some(A)), cluster("acme", "c-2", None)]).await;
    let (polled, _) = bench.minute().await;
    assert_eq!((polled.queues, polled.forwarded, polled.failed), (1, 2, 1));
    assert_eq!(*bench.ours.0.lock().unwrap(), ["one", "two"]);
    assert_eq!(*bench.mailmen.post.deleted.lock().unwrap(), [format!("{A}/one"), format!("{A}/two")]);
    assert_eq!(bench.count("polls_failed", "not_forwarded"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_empties_a_queue_and_ends_in_time() {
    let post = Post { waiting: holding(A, (0..1_000).map(|n| n.to_string())), ..Post::default() };
    let bench = bench(post, &[cluster("acme", "c-1", Some(A))]).await;
    let (polled, took) = bench.minute().await;
    assert_eq!((polled.forwarded, polled.failed), (1_000, 0));
    assert!(took <= SignedDuration::from_secs(55), "{took}");
    assert!(took >= SignedDuration::from_secs(50), "it listens as long as it may: {took}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_hangs_or_is_closed_holds_up_no_other() {
    let mut clusters = vec![cluster("acme", "c-1", Some(A)), cluster("other", "c-2", Some(B))];
    let third = "https://sqs.us-east-1.amazonaws.com/111122223333/c";
    clusters.push(cluster("third", "c-3", Some(third)));
    let post = Post {
        waiting: holding(third, (0..100).map(|n| n.to_string())),
        closed: vec![A.to_owned()],
        hanging: vec![B.to_owned()],
        ..Post::default()
    };
    let bench = bench(post, &clusters).await;
    let (polled, _) = bench.minute().await;
    assert_eq!(polled.forwarded, 100);
    assert_eq!(bench.mailmen.post.looks.lock().unwrap()[A], 1, "what refuses is left for this minute");
    assert!(bench.count("polls_failed", "unreachable") >= 1 && bench.count("polls_failed", "refused") == 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_two_clusters_name_is_read_once() {
    let bench = bench(Post::default(), &[cluster("acme", "c-1", Some(A)), cluster("acme", "c-2", Some(A))]).await;
    let (polled, _) = bench.minute().await;
    assert_eq!(polled.queues, 1);
    assert!(bench.mailmen.post.looks.lock().unwrap()[A] <= 4, "long polls are few: {:?}", bench.mailmen.post.looks);
}

/// A customer's queue holds what its owner puts there.
#[tokio::test(start_paused = true)]
async fn a_notice_of_somebody_elses_instance_goes_nowhere() {
    let notice = |account: &str| {
        serde_json::json!({
            "source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning", "account": account, "region": "us-east-1",
            "time": "2026-01-05T00:00:00Z", "id": account, "resources": [],
            "detail": { "instance-id": "i-0123456789abcdef0", "instance-action": "terminate" },
        })
        .to_string()
    };
    let (own, foreign) = (notice("111122223333"), notice("444455556666"));
    let mut other = cluster("other", "c-2", None);
    other.account = AccountId::parse("444455556666").unwrap();
    let post = Post { waiting: holding(A, [own.clone(), foreign.clone()]), ..Post::default() };
    let bench = bench(post, &[cluster("acme", "c-1", Some(A)), other]).await;
    let (polled, _) = bench.minute().await;
    assert_eq!((polled.forwarded, polled.failed), (1, 0));
    assert_eq!(*bench.ours.0.lock().unwrap(), std::slice::from_ref(&own));
    assert_eq!(*bench.mailmen.post.deleted.lock().unwrap(), [format!("{A}/{own}"), format!("{A}/{foreign}")], "it does not come back");
    assert_eq!(bench.count("notices_rejected", "foreign"), 1);
}

/// Whoever names another customer's queue must not take its place.
#[tokio::test(start_paused = true)]
async fn a_queue_that_another_customer_names_is_still_read_as_its_owner() {
    let bench = bench(Post::default(), &[cluster("evil", "a-0", Some(A)), cluster("acme", "c-1", Some(A))]).await;
    let (polled, _) = bench.minute().await;
    assert_eq!(polled.queues, 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_deleted_is_told_and_comes_back() {
    let post = Post { waiting: holding(A, ["one".to_owned()]), undeletable: true, ..Post::default() };
    let bench = bench(post, &[cluster("acme", "c-1", Some(A))]).await;
    let (polled, _) = bench.minute().await;
    assert_eq!((polled.forwarded, polled.failed), (1, 1));
    assert_eq!(bench.count("polls_failed", "not_deleted"), 1);
}
