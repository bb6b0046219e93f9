//! EC2 over Query and XML, answered out of the world through its Cloud port: tokens, capacity and lag are the world's own.

mod estate;
mod launch;
mod lists;
mod rows;

use super::Server;
use super::answer::{Fault, Xml};
use super::dry;
use super::query::Params;
use super::sts::Signer;
use domain::ids::{ClusterId, CustomerId, InstanceId};
use domain::ports::{CloudError, InstanceFilter};
use domain::tenant::AwsScope;

/// One call. `Err` is answered in EC2's form of an error.
pub(super) async fn call(server: &Server, action: &str, params: &Params, signer: Option<&Signer>) -> Result<Xml, Fault> {
    allowed(server, "ec2", action, params, signer)?;
    let caller = Caller { server, scope: scope(server, signer)?, params };
    dry::granted(server, &caller.scope, "ec2", action)?;
    if params.get("DryRun") == Some("true") {
        let launch = if action == "RunInstances" { Some(launch::request(&caller)?) } else { None };
        return Err(dry::run(server, &caller.scope, action, params, launch).await);
    }
    match action {
        "RunInstances" => launch::run(&caller).await,
        "TerminateInstances" => terminate(&caller).await,
        "DescribeInstances" => lists::instances(&caller).await,
        "DescribeInstanceAttribute" => lists::attribute(&caller).await,
        "DescribeVolumes" => estate::volumes(&caller).await,
        "DeleteVolume" => estate::delete_volume(&caller).await,
        "DescribeSnapshots" => estate::snapshots(&caller).await,
        "CreateSnapshot" => estate::create_snapshot(&caller).await,
        "DescribeAddresses" => estate::addresses(&caller).await,
        "DescribeNatGateways" => estate::nat_gateways(&caller).await,
        "DescribeRouteTables" => estate::route_tables(&caller).await,
        "DescribeSpotInstanceRequests" => lists::spot_requests(&caller).await,
        "DescribeReservedInstances" => lists::reserved(&caller).await,
        "DescribeSpotPriceHistory" => lists::spot_prices(&caller).await,
        other => Err(Fault::client("InvalidAction", format!("The action {other} is not valid for this web service."))),
    }
}

/// Who calls, and with what.
struct Caller<'a> {
    server: &'a Server,
    scope: AwsScope,
    params: &'a Params,
}

/// The scope that a signature acts in: account out of the role, Region out of the signature. Nothing here may be done without a
/// role: a caller that forgot to assume one is refused.
pub(super) fn scope(server: &Server, signer: Option<&Signer>) -> Result<AwsScope, Fault> {
    let denied = || Fault::client("AuthFailure", "AWS was not able to validate the provided access credentials").status(401);
    let signer = signer.ok_or_else(denied)?;
    let role = server.sts.role_of(signer)?;
    Ok(AwsScope {
        // Customer and cluster do not travel over the wire, and the world does not ask for them.
        customer: CustomerId::parse("wire").map_err(|_| denied())?,
        cluster: ClusterId::parse("wire").map_err(|_| denied())?,
        cluster_name: String::new(),
        account: role.account,
        region: signer.region.clone().ok_or_else(denied)?,
        role_arn: role.role_arn,
        external_id: String::new(),
    })
}

/// Refuses what the session policy of the caller does not allow, as IAM does.
pub(super) fn allowed(server: &Server, service: &str, action: &str, params: &Params, signer: Option<&Signer>) -> Result<(), Fault> {
    let policy = signer.and_then(|signer| server.sts.role_of(signer).ok()).and_then(|role| role.policy);
    match policy {
        Some(policy) if !policy.allows(&format!("{service}:{action}"), params) => {
            let message = format!("You are not authorized to perform {service}:{action}: no session policy allows it");
            Err(Fault::client("UnauthorizedOperation", message).status(403))
        }
        Some(_) | None => Ok(()),
    }
}

async fn terminate(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let ids = instance_ids(&caller.params.list("InstanceId"))?;
    for id in &ids {
        caller.server.cloud.terminate(&caller.scope, id).await.map_err(fault)?;
    }
    let after = caller.server.cloud.instances(&caller.scope, &InstanceFilter::Ids(ids.clone())).await.map_err(fault)?;
    if let Some(unknown) = ids.iter().find(|id| after.iter().all(|i| i.id != **id)) {
        return Err(no_instance(unknown));
    }
    let mut xml = Xml::default();
    xml.items("instancesSet", &after, |xml, instance| {
        xml.text("instanceId", instance.id.as_str()).nest("currentState", |xml| rows::state(xml, instance.state));
    });
    Ok(xml)
}

fn instance_ids(texts: &[String]) -> Result<Vec<InstanceId>, Fault> {
    let malformed = |text: &String| Fault::client("InvalidInstanceID.Malformed", format!("Invalid id: \"{text}\""));
    texts.iter().map(|text| InstanceId::parse(text.as_str()).map_err(|_| malformed(text))).collect()
}

fn no_instance(id: &InstanceId) -> Fault {
    Fault::client("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
}

/// A refusal of the world as EC2 words it.
pub(super) fn fault(error: CloudError) -> Fault {
    match error {
        // Not a slip: EC2 answers a lack of capacity with a 500.
        CloudError::NoCapacity(why) => Fault { status: 500, code: "InsufficientInstanceCapacity", message: why },
        CloudError::Refused(why) => {
            let codes = ["InvalidSubnetID.NotFound", "InvalidInstanceID.NotFound", "InvalidVolume.NotFound", "VolumeInUse"];
            let known = codes.into_iter().find(|code| why.starts_with(code));
            Fault::client(known.unwrap_or("InvalidParameterValue"), why)
        }
        CloudError::TokenMismatch => {
            Fault::client("IdempotentParameterMismatch", "The specified client token was used with other parameters.")
        }
        CloudError::Ambiguous(why) => Fault { status: 500, code: "InternalError", message: why },
        CloudError::Throttled => Fault { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded.".to_owned() },
        CloudError::NoAccess(why) => Fault { status: 403, code: "UnauthorizedOperation", message: why },
    }
}
