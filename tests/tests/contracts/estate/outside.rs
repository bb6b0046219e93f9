//! The real adapter over an endpoint beside, where one is named.

use super::super::cloud::outside::{ask, ask_of, first};
use super::super::cloud::scope;
use async_trait::async_trait;
use domain::ids::{InstanceId, VolumeId};
use domain::ports::estate::BalancerKind;
use harness::contracts::estate::{Bench, Hands, Knows, Tags, estate};

/// What moto 5.2 knows: it ends a member below the least size of its group, and serves both generations of load balancers.
const MOTO: Knows = Knows { minimum: false, balancers: true };
/// The services and the versions of their APIs.
const SCALING: (&str, &str) = ("autoscaling", "2011-01-01");
const TODAY: (&str, &str) = ("elasticloadbalancing", "2015-12-01");
const CLASSIC: (&str, &str) = ("elasticloadbalancing", "2012-06-01");

struct Moto {
    endpoint: String,
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_estate() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let run = format!("{:08x}", fastrand::u32(..));
    let ec2 = ec2::Ec2::new(aws::local_config(&endpoint, "us-east-1"));
    // The account of moto's default credentials.
    let scope = scope("123456789012", "the-external-id");
    let hands = Moto { endpoint };
    estate(&Bench { estate: &ec2, scope, hands: &hands, knows: MOTO, run }).await;
}

/// Tags as parameters of a call: `TagSpecification` of EC2, members of the others.
fn specified(kind: &str, tags: &Tags) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let pairs = tags.iter().enumerate().map(|(n, (key, value))| {
        let tag = format!("TagSpecification.1.Tag.{}", n + 1);
        format!("&{tag}.Key={key}&{tag}.Value={value}")
    });
    format!("&TagSpecification.1.ResourceType={kind}{}", pairs.collect::<String>())
}

fn members(tags: &Tags) -> String {
    let pairs = tags.iter().enumerate().map(|(n, (key, value))| format!("&Tags.member.{0}.Key={key}&Tags.member.{0}.Value={value}", n + 1));
    pairs.collect()
}

impl Moto {
    async fn ec2(&self, action: &str) -> String {
        ask(&self.endpoint, action).await
    }

    async fn subnet(&self, zone: &str) -> String {
        let asked = format!("DescribeSubnets&Filter.1.Name=availability-zone&Filter.1.Value.1={zone}");
        first(&self.ec2(&asked).await, "subnetId")
    }

    async fn vpc(&self) -> String {
        first(&self.ec2("DescribeVpcs").await, "vpcId")
    }

    async fn image(&self) -> String {
        first(&self.ec2("DescribeImages&Owner.1=amazon").await, "imageId")
    }

    async fn today(&self, kind: &str, name: &str, any: bool, tags: &Tags) -> String {
        let (one, other) = (self.subnet("us-east-1a").await, self.subnet("us-east-1b").await);
        let asked = format!("CreateLoadBalancer&Name={name}&Type={kind}&Subnets.member.1={one}&Subnets.member.2={other}{}", members(tags));
        let arn = first(&ask_of(&self.endpoint, TODAY, &asked).await, "LoadBalancerArn");
        let (vpc, protocol) = (self.vpc().await, if kind == "network" { "TCP" } else { "HTTP" });
        for n in 0..2 {
            let asked = format!("CreateTargetGroup&Name={name}-g{n}&Protocol={protocol}&Port=80&VpcId={vpc}&TargetType=ip");
            let group = first(&ask_of(&self.endpoint, TODAY, &asked).await, "TargetGroupArn");
            let asked = format!(
                "CreateListener&LoadBalancerArn={arn}&Protocol={protocol}&Port={}&DefaultActions.member.1.Type=forward\
                 &DefaultActions.member.1.TargetGroupArn={group}",
                80 + n
            );
            first(&ask_of(&self.endpoint, TODAY, &asked).await, "ListenerArn");
            if any && n == 1 {
                let asked = format!("RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id=172.31.0.9&Targets.member.1.Port=80");
                ask_of(&self.endpoint, TODAY, &asked).await;
            }
        }
        arn
    }

    async fn classic(&self, name: &str, any: bool, tags: &Tags) -> String {
        let asked = format!(
            "CreateLoadBalancer&LoadBalancerName={name}&AvailabilityZones.member.1=us-east-1a&Listeners.member.1.Protocol=HTTP\
             &Listeners.member.1.LoadBalancerPort=80&Listeners.member.1.InstancePort=80{}",
            members(tags)
        );
        first(&ask_of(&self.endpoint, CLASSIC, &asked).await, "DNSName");
        if any {
            let instance = self.instance(false).await;
            let asked = format!("RegisterInstancesWithLoadBalancer&LoadBalancerName={name}&Instances.member.1.InstanceId={instance}");
            ask_of(&self.endpoint, CLASSIC, &asked).await;
        }
        name.to_owned()
    }
}

#[async_trait]
impl Hands for Moto {
    async fn volume(&self, size_gib: u32, tags: &Tags) -> VolumeId {
        let asked = format!("CreateVolume&AvailabilityZone=us-east-1a&VolumeType=gp3&Size={size_gib}{}", specified("volume", tags));
        VolumeId::parse(first(&self.ec2(&asked).await, "volumeId")).unwrap()
    }

    async fn address(&self, associated: bool, tags: &Tags) -> String {
        let asked = format!("AllocateAddress&Domain=vpc{}", specified("elastic-ip", tags));
        let id = first(&self.ec2(&asked).await, "allocationId");
        if associated {
            let instance = self.instance(false).await;
            self.ec2(&format!("AssociateAddress&AllocationId={id}&InstanceId={instance}")).await;
        }
        id
    }

    async fn gateway(&self, routed: bool, tags: &Tags) -> String {
        let (subnet, address) = (self.subnet("us-east-1a").await, self.address(false, &Tags::new()).await);
        let asked = format!("CreateNatGateway&SubnetId={subnet}&AllocationId={address}{}", specified("natgateway", tags));
        let id = first(&self.ec2(&asked).await, "natGatewayId");
        if routed {
            let table = first(&self.ec2(&format!("CreateRouteTable&VpcId={}", self.vpc().await)).await, "routeTableId");
            self.ec2(&format!("CreateRoute&RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0&NatGatewayId={id}")).await;
        }
        id
    }

    async fn balancer(&self, kind: BalancerKind, name: &str, any: bool, tags: &Tags) -> String {
        match kind {
            BalancerKind::Application => self.today("application", name, any, tags).await,
            BalancerKind::Network => self.today("network", name, any, tags).await,
            BalancerKind::Gateway => self.today("gateway", name, any, tags).await,
            BalancerKind::Classic => self.classic(name, any, tags).await,
        }
    }

    async fn group(&self, name: &str, instances: u32, min: u32) -> Vec<InstanceId> {
        let image = self.image().await;
        let launch = format!("CreateLaunchConfiguration&LaunchConfigurationName=l-{name}&ImageId={image}&InstanceType=m6i.large");
        ask_of(&self.endpoint, SCALING, &launch).await;
        let asked = format!(
            "CreateAutoScalingGroup&AutoScalingGroupName={name}&LaunchConfigurationName=l-{name}&MinSize={min}&MaxSize=9\
             &DesiredCapacity={instances}&AvailabilityZones.member.1=us-east-1a"
        );
        ask_of(&self.endpoint, SCALING, &asked).await;
        let listed = ask_of(&self.endpoint, SCALING, &format!("DescribeAutoScalingGroups&AutoScalingGroupNames.member.1={name}")).await;
        let ids = listed.split("<InstanceId>").skip(1).filter_map(|rest| rest.split('<').next());
        ids.map(|id| InstanceId::parse(id).unwrap()).collect()
    }

    async fn instance(&self, protected: bool) -> InstanceId {
        let (image, subnet) = (self.image().await, self.subnet("us-east-1a").await);
        let asked = format!("RunInstances&ImageId={image}&InstanceType=m6i.large&MinCount=1&MaxCount=1&SubnetId={subnet}");
        let id = first(&self.ec2(&asked).await, "instanceId");
        // Moto forgets it of a launch.
        self.ec2(&format!("ModifyInstanceAttribute&InstanceId={id}&DisableApiTermination.Value={protected}")).await;
        InstanceId::parse(id).unwrap()
    }

    /// Snapshots of moto are whole at once.
    async fn pass(&self) {}
}
