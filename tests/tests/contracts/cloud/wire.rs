//! The real adapters over the simulated world served as AWS.

use super::{Ground, cloud, ground, scope};
use domain::offering::{CapacityType, Offering, Pool};
use domain::ports::{Cloud, CloudError, InstanceFilter, LaunchRequest};
use ec2::Ec2;
use harness::contracts::store::{Taken, queue, store, vault};
use sim::http::aws::{QueueSpec, ServedAws, Wire, serve};

async fn served(ground: &Ground) -> (ServedAws, Ec2) {
    let mut wire = Wire::new(ground.world.clone());
    wire.external_ids.insert(ground.scope.role_arn.clone(), ground.scope.external_id.clone());
    // One row per page: who does not page, sees one instance.
    wire.page_max = 1;
    let served = serve(wire).await.unwrap();
    let config = aws::local_config(&served.url, "us-east-1");
    (served, Ec2::new(config))
}

async fn request(ground: &Ground) -> LaunchRequest {
    let (zone, subnet) = ground.subnets[0].clone();
    let instance_type = domain::ids::InstanceType::parse("m6i.large").unwrap();
    LaunchRequest {
        client_token: "token".to_owned(),
        template: ground.template().await,
        offering: Offering { pool: Pool { instance_type, zone, capacity: CapacityType::Spot }, subnet, price_per_hour: None },
        tags: [("kubernetes.io/cluster/prod", "owned"), ("cloudoptim.io/cluster", "prod")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

#[tokio::test]
async fn ec2_over_the_wire_keeps_the_contract_of_the_cloud() {
    let ground = ground();
    let (served, ec2) = served(&ground).await;
    let wrong_external_id = scope(super::ACCOUNT, "a-guess");
    cloud(&ground.bench(&ec2, wrong_external_id).await).await;
    // For the scope that may: one to look, one to launch, one to let groups go on, one for each of three instances that are ended. And
    // one for each of three calls of the scope that may not.
    assert_eq!(served.calls()["AssumeRole"], 9, "a session is kept: {:?}", served.calls());
}

#[tokio::test]
async fn a_launch_is_sent_once_and_its_answer_says_whether_it_happened() {
    let ground = ground();
    let (served, ec2) = served(&ground).await;
    let request = request(&ground).await;
    type Is = fn(&CloudError) -> bool;
    let table: [(u16, &str, Is); 3] = [
        (503, "RequestLimitExceeded", |e| matches!(e, CloudError::Throttled)),
        (500, "InternalError", |e| matches!(e, CloudError::Ambiguous(_))),
        (400, "VcpuLimitExceeded", |e| matches!(e, CloudError::Refused(_))),
    ];
    for (sent, (status, code, is)) in (1..).zip(table) {
        served.fail_next("RunInstances", status, code);
        let error = ec2.launch(&ground.scope, &request).await.unwrap_err();
        assert!(is(&error), "{code}: {error:?}");
        assert_eq!(served.calls()["RunInstances"], sent, "{code}: the journal retries, nobody else");
    }
    assert!(ec2.launch(&ground.scope, &request).await.is_ok());
}

/// AWS itself says no where the session policy does, whatever the role allows: this one is of the cluster `prod`.
#[tokio::test]
async fn a_launch_for_another_cluster_is_refused_by_the_session() {
    let ground = ground();
    let (served, ec2) = served(&ground).await;
    let good = request(&ground).await;
    let tags =
        |cluster: Option<&str>| cluster.map(|cluster| ("cloudoptim.io/cluster".to_owned(), cluster.to_owned())).into_iter().collect();
    for wrong in [Some("staging"), Some("pro"), None] {
        let answer = ec2.launch(&ground.scope, &LaunchRequest { tags: tags(wrong), ..good.clone() }).await;
        assert!(matches!(answer, Err(CloudError::NoAccess(_))), "{wrong:?}: {answer:?}");
    }
    assert!(ec2.launch(&ground.scope, &good).await.is_ok());
    assert_eq!(served.calls()["AssumeRole"], 1, "one session for one task");
}

#[tokio::test]
async fn a_read_is_repeated_when_it_is_throttled() {
    let ground = ground();
    let (served, ec2) = served(&ground).await;
    served.fail_next("DescribeInstances", 503, "RequestLimitExceeded");
    let found = ec2.instances(&ground.scope, &InstanceFilter::Ids(vec![ground.node.clone()])).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(served.calls()["DescribeInstances"], 2);
}

#[tokio::test]
async fn sts_that_does_not_answer_is_no_refusal() {
    let ground = ground();
    let (served, ec2) = served(&ground).await;
    // As often as the SDK tries.
    for _ in 0..3 {
        served.fail_next("AssumeRole", 500, "InternalFailure");
    }
    let answer = ec2.instances(&ground.scope, &InstanceFilter::Ids(vec![ground.node.clone()])).await;
    assert!(matches!(answer, Err(CloudError::Ambiguous(_))), "{answer:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_an_ambiguous_answer() {
    let ground = ground();
    let ec2 = Ec2::new(aws::local_config("http://127.0.0.1:9", "us-east-1"));
    let answer = ec2.launch(&ground.scope, &request(&ground).await).await;
    assert!(matches!(answer, Err(CloudError::Ambiguous(_))), "{answer:?}");
}

#[tokio::test]
async fn table_queues_and_vault_keep_their_contracts_over_the_wire() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dynamodb = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    let emulator = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));

    let mut wire = Wire::new(ground().world);
    wire.dynamodb = Some(dynamodb);
    wire.queues =
        ["interruptions", "plans", "dead"].map(|name| QueueSpec { name: name.to_owned(), visibility_s: 25, dead_letter: None }).to_vec();
    let served = serve(wire).await.unwrap();
    let config = aws::local_config(&served.url, "us-east-1");

    aws::create_table(&config, "contract").await.unwrap();
    store(&aws::Table::new(&config, "contract".to_owned())).await;

    let url = |name: &str| format!("{}/000000000000/{name}", served.url);
    let urls = aws::QueueUrls { interruptions: url("interruptions"), plans: url("plans"), dead_letters: url("dead") };
    queue(&aws::Queues::new(&config, urls.clone()), async || Taken {
        interruptions: aws::take_messages(&config, &urls.interruptions).await.unwrap(),
        plans: aws::take_messages(&config, &urls.plans).await.unwrap(),
        dead_letters: aws::take_messages(&config, &urls.dead_letters).await.unwrap(),
        rounds: Vec::new(),
    })
    .await;

    let key = aws::KeyVault::new(&config, "sealing".to_owned());
    vault(&key).await;
    emulator.abort();
}
