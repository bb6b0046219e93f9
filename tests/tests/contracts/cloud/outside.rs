//! The real adapter over an endpoint beside, where one is named.

use super::{Bench, Knows, cloud, scope};
use aws_sdk_ec2::Client;
use domain::ids::{InstanceId, SubnetId, Zone};
use domain::node::NodeTemplate;

/// What moto 5.2 knows of EC2: it launches again for the same client token, answers 500 to filters that it does not know
/// (`client-token`, `capacity-reservation-id`, `status-code` of spot requests), and has no spot request behind an instance
/// that RunInstances launched as spot.
const MOTO: Knows = Knows { client_token: false, filters: false, marks: false };

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_cloud() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let config = aws::local_config(&endpoint, "us-east-1").await;
    let client = Client::new(&config);
    let ec2 = ec2::Ec2::new(config);
    let run = format!("{:08x}", fastrand::u32(..));
    // The account of moto's default credentials; its default network is there from the beginning.
    let mut scope = scope("123456789012", "the-external-id");
    scope.cluster_name = format!("prod-{run}");
    let bench = Bench {
        cloud: &ec2,
        scope,
        denied: None,
        template: template(&client).await,
        subnets: [subnet(&client, "us-east-1a").await, subnet(&client, "us-east-1b").await],
        knows: MOTO,
        hands: None,
        run,
    };
    cloud(&bench).await;
}

async fn subnet(client: &Client, zone: &str) -> (Zone, SubnetId) {
    let all = client.describe_subnets().send().await.unwrap();
    let found = all.subnets().iter().find(|s| s.availability_zone() == Some(zone)).unwrap();
    (Zone::parse(zone).unwrap(), SubnetId::parse(found.subnet_id().unwrap()).unwrap())
}

async fn template(client: &Client) -> NodeTemplate {
    let images = client.describe_images().owners("amazon").send().await.unwrap();
    let groups = client.describe_security_groups().send().await.unwrap();
    NodeTemplate::Clone {
        from: InstanceId::parse("i-00000000000000000").unwrap(),
        image: images.images()[0].image_id().unwrap().to_owned(),
        security_groups: vec![groups.security_groups()[0].group_id().unwrap().to_owned()],
        instance_profile: None,
        key_name: None,
        user_data: Some("am9pbg==".to_owned()),
        root_volume: None,
        tags: Vec::new(),
    }
}
