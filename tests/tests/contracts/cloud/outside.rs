//! The real adapter over an endpoint beside, where one is named.

use super::{Bench, Knows, cloud, scope};
use domain::ids::{InstanceId, SubnetId, Zone};
use domain::node::NodeTemplate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What moto 5.2 knows of EC2: it launches again for the same client token, answers 500 to filters that it does not know
/// (`client-token`, `capacity-reservation-id`, `status-code` of spot requests), has no spot request behind an instance that
/// RunInstances launched as spot, and no reserved instances.
const MOTO: Knows = Knows { client_token: false, filters: false, marks: false, reservations: false };

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_cloud() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let run = format!("{:08x}", fastrand::u32(..));
    // The account of moto's default credentials; its default network is there from the beginning.
    let mut scope = scope("123456789012", "the-external-id");
    scope.cluster_name = format!("prod-{run}");
    let ec2 = ec2::Ec2::new(aws::local_config(&endpoint, "us-east-1"));
    let bench = Bench {
        cloud: &ec2,
        scope,
        denied: None,
        template: template(&endpoint).await,
        subnets: [subnet(&endpoint, "us-east-1a").await, subnet(&endpoint, "us-east-1b").await],
        knows: MOTO,
        hands: None,
        run,
    };
    cloud(&bench).await;
}

async fn subnet(endpoint: &str, zone: &str) -> (Zone, SubnetId) {
    let one_zone = format!("DescribeSubnets&Filter.1.Name=availability-zone&Filter.1.Value.1={zone}");
    let id = first(&ask(endpoint, &one_zone).await, "subnetId");
    (Zone::parse(zone).unwrap(), SubnetId::parse(id).unwrap())
}

async fn template(endpoint: &str) -> NodeTemplate {
    NodeTemplate::Clone {
        from: InstanceId::parse("i-00000000000000000").unwrap(),
        image: first(&ask(endpoint, "DescribeImages&Owner.1=amazon").await, "imageId"),
        security_groups: vec![first(&ask(endpoint, "DescribeSecurityGroups").await, "groupId")],
        instance_profile: None,
        key_name: None,
        user_data: Some("am9pbg==".to_owned()),
        root_volume: None,
        tags: Vec::new(),
    }
}

/// A call of EC2 that the product never makes, and no customer allows it: so it is not the adapter's, and asked by hand.
pub(crate) async fn ask(endpoint: &str, action: &str) -> String {
    ask_of(endpoint, ("ec2", "2016-11-15"), action).await
}

/// The same of another service, in one version of its API.
pub(crate) async fn ask_of(endpoint: &str, (service, version): (&str, &str), action: &str) -> String {
    let host = endpoint.strip_prefix("http://").unwrap().trim_end_matches('/');
    let body = format!("Action={action}&Version={version}");
    let signer = format!("AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {signer}\r\nConnection: close\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The text of the first element of this name.
pub(crate) fn first(xml: &str, name: &str) -> String {
    let from = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml:.300}")).1;
    from.split('<').next().unwrap().to_owned()
}
