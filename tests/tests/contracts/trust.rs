//! Whom a role trusts, asked over the wire of STS.

use domain::ids::{ClusterId, CustomerId};
use domain::ports::{Trust, Trusts};
use domain::tenant::Cluster;
use harness::system::a_cluster;
use sim::clock::{EPOCH, SimClock};
use sim::http::aws::{Wire, serve};
use sim::world::World;
use std::collections::BTreeMap;

const ACCOUNT: &str = "111122223333";

fn cluster(account: &str, role: &str) -> Cluster {
    let (customer, id) = (CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap());
    let mut cluster = a_cluster(&customer, &id, account, "us-east-1", EPOCH);
    cluster.aws_role_arn = format!("arn:aws:iam::{account}:role/{role}");
    cluster
}

#[tokio::test]
async fn a_role_is_asked_for_with_the_right_a_wrong_and_no_external_id() {
    // Roles that the endpoint does not know are given to whoever asks.
    let external_ids = BTreeMap::from([(format!("arn:aws:iam::{ACCOUNT}:role/CloudOptim-us-east-1-look"), "the-external-id".to_owned())]);
    let served = serve(Wire { external_ids, ..Wire::new(World::new(SimClock::new(), 1)) }).await.unwrap();
    let trusts = aws::RoleTrust::new(aws::local_config(&served.url, "us-east-1"), aws::EksRole::Look);
    let ours = cluster(ACCOUNT, "CloudOptim-us-east-1");
    assert_eq!(trusts.trust(&ours, "the-external-id").await, Trust::Us);
    assert_eq!(trusts.trust(&ours, "another-id").await, Trust::NotUs);
    assert_eq!(trusts.trust(&cluster(ACCOUNT, "CloudOptim-open"), "the-external-id").await, Trust::Anybody);
    assert!(matches!(trusts.trust(&cluster("ACCOUNT", "CloudOptimRole"), "x").await, Trust::Unknown { .. }));
    let nowhere = aws::RoleTrust::new(aws::local_config("http://127.0.0.1:9", "us-east-1"), aws::EksRole::Look);
    assert!(matches!(nowhere.trust(&ours, "the-external-id").await, Trust::Unknown { .. }));
}
