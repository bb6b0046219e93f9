//! RunInstances.

use super::super::answer::{Fault, Xml};
use super::{Caller, fault, rows};
use domain::ids::{InstanceId, InstanceType, SubnetId, Zone};
use domain::node::{NodeTemplate, RootVolume};
use domain::offering::{CapacityType, Offering, Pool};
use domain::ports::LaunchRequest;

/// The wire does not say which instance a template was copied from.
const COPIED_FROM: &str = "i-00000000000000000";

pub(super) async fn run(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let request = request(caller)?;
    let instance = caller.server.cloud.launch(&caller.scope, &request).await.map_err(fault)?;
    let template = caller.server.cloud.template_of(&caller.scope, &instance.id).await.ok();
    let mut xml = Xml::default();
    rows::reservation(&mut xml, &caller.scope.account, &instance, template.as_ref());
    Ok(xml)
}

pub(super) fn request(caller: &Caller<'_>) -> Result<LaunchRequest, Fault> {
    let params = caller.params;
    for name in ["MinCount", "MaxCount"] {
        if params.get(name) != Some("1") {
            return Err(Fault::client("InvalidParameterValue", format!("{name} must be 1 here: the journal counts instances one by one")));
        }
    }
    let spot = params.get("InstanceMarketOptions.MarketType") == Some("spot");
    let subnet: SubnetId = required(caller, "SubnetId")?;
    let pool = Pool {
        instance_type: required::<InstanceType>(caller, "InstanceType")?,
        zone: zone_of(caller, &subnet)?,
        capacity: if spot { CapacityType::Spot } else { CapacityType::OnDemand },
    };
    Ok(LaunchRequest {
        // EC2 makes a token up where there is none; here a caller without one is wrong.
        client_token: params.text("ClientToken").unwrap_or_default(),
        template: template(caller)?,
        offering: Offering { pool, subnet, price_per_hour: None },
        tags: params.tags("instance").into_iter().collect(),
    })
}

fn required<T: TryFrom<String>>(caller: &Caller<'_>, name: &str) -> Result<T, Fault> {
    let missing = || Fault::client("MissingParameter", format!("The request must contain the parameter {name}"));
    let text = caller.params.text(name).ok_or_else(missing)?;
    let invalid = format!("Value ({text}) for parameter {name} is invalid.");
    T::try_from(text).map_err(|_| Fault::client("InvalidParameterValue", invalid))
}

fn zone_of(caller: &Caller<'_>, subnet: &SubnetId) -> Result<Zone, Fault> {
    let scope = &caller.scope;
    let found = caller.server.world.with(|state| {
        let here = state.clusters.iter().filter(|kube| kube.spec.account == scope.account && kube.spec.region == scope.region);
        here.flat_map(|kube| &kube.subnets).find(|(_, id)| *id == subnet).map(|(zone, _)| zone.clone())
    });
    found.ok_or_else(|| Fault::client("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet}' does not exist")))
}

fn template(caller: &Caller<'_>) -> Result<NodeTemplate, Fault> {
    let params = caller.params;
    if let Some(id) = params.text("LaunchTemplate.LaunchTemplateId") {
        let version = params.text("LaunchTemplate.Version").unwrap_or_else(|| "$Default".to_owned());
        return Ok(NodeTemplate::LaunchTemplate { id, version });
    }
    let from = InstanceId::parse(COPIED_FROM).map_err(|error| Fault::client("InternalError", error.to_string()))?;
    Ok(NodeTemplate::Clone {
        from,
        image: required(caller, "ImageId")?,
        security_groups: params.list("SecurityGroupId"),
        instance_profile: params.text("IamInstanceProfile.Arn").or_else(|| params.text("IamInstanceProfile.Name")),
        key_name: params.text("KeyName"),
        user_data: params.text("UserData"),
        root_volume: root_volume(caller),
        tags: Vec::new(),
    })
}

fn root_volume(caller: &Caller<'_>) -> Option<RootVolume> {
    let of = |name: &str| caller.params.text(&format!("BlockDeviceMapping.1.{name}"));
    Some(RootVolume {
        device: of("DeviceName")?,
        size_gib: of("Ebs.VolumeSize")?.parse().ok()?,
        volume_type: of("Ebs.VolumeType")?,
        encrypted: of("Ebs.Encrypted").as_deref() == Some("true"),
    })
}
