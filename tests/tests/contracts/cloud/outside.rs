//! The real adapter over an endpoint beside, where one is named.

use super::{Bench, Knows, cloud, scope};
use domain::ids::{InstanceId, Zone};
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
    let zones = ["us-east-1a", "us-east-1b"].map(|zone| Zone::parse(zone).unwrap());
    let network = ec2::default_network(&config, &zones).await.unwrap();
    let ec2 = ec2::Ec2::new(config);
    let run = format!("{:08x}", fastrand::u32(..));
    // The account of moto's default credentials; its default network is there from the beginning.
    let mut scope = scope("123456789012", "the-external-id");
    scope.cluster_name = format!("prod-{run}");
    let bench = Bench {
        cloud: &ec2,
        scope,
        denied: None,
        template: template(&network),
        subnets: network.subnets.clone().try_into().unwrap(),
        knows: MOTO,
        hands: None,
        run,
    };
    cloud(&bench).await;
}

fn template(network: &ec2::DefaultNetwork) -> NodeTemplate {
    NodeTemplate::Clone {
        from: InstanceId::parse("i-00000000000000000").unwrap(),
        image: network.image.clone(),
        security_groups: vec![network.security_group.clone()],
        instance_profile: None,
        key_name: None,
        user_data: Some("am9pbg==".to_owned()),
        root_volume: None,
        tags: Vec::new(),
    }
}
