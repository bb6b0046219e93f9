//! Looks what we may do in an account: which questions there are, and of what they are asked.
//!
//! A right that holds for certain instances or volumes only is asked of one for which it must hold: AWS answers no where such a one carries
//! other tags, and an id that nobody has carries none. Where there is no such one, it is said so, and nothing is guessed.

use domain::offering::Offering;
use domain::permissions::account::{ACCOUNT_CAPABILITIES, AccountCapability, COPY_BOOTSTRAP, Grant, GrantFound};
use domain::plan::precondition::{CLUSTER_TAG, CUSTOMER_TAG, PLAN_TAG, PROTECT_TAG};
use domain::ports::account::{Attribute, Question, Read, Said};
use domain::ports::estate::{EbsVolume, VolumeFilter};
use domain::ports::{Cloud, CloudError, Instance, InstanceFilter, LaunchRequest};
use domain::tenant::AwsScope;
use futures::StreamExt;
use std::collections::BTreeMap;

/// Questions under way at the same time: far below half of an account's rate (`shared/ec2/src/throttle.rs`).
const AT_ONCE: usize = 5;
/// Under what a launch is asked about. No launch is ever made under it.
const DRY: &str = "cloudoptim-dry-run";
/// EKS's own mark of an instance: nobody else can set it.
const EKS_TAG: &str = "aws:eks:cluster-name";
/// The mark of the EBS driver.
const DRIVER_TAG: &str = "ebs.csi.aws.com/cluster";

const NO_NODE: &str = "There is no running instance of the cluster to ask about.";
const NO_OWN: &str = "CloudOptim has no instance in the cluster yet to ask about.";
const NO_EKS: &str = "There is no running instance that EKS has marked as the cluster's to ask about.";
const NO_VOLUME: &str = "There is no unattached volume of the EBS driver to ask about.";
const NO_DRY_RUN: &str = "AWS has no way to ask for this without doing it.";
const UNREAD: &str = "It cannot be asked about while what there is cannot be listed.";
const HIDDEN: &str = "It cannot be told while another right of the same request is missing.";

/// Whether we have something; `Err`: why that is not known.
type Known = Result<bool, String>;

/// Every grant of every capability, with what was found of it.
pub(super) async fn look(cloud: &dyn Cloud, scope: &AwsScope) -> Vec<GrantFound> {
    let mut found: BTreeMap<(&str, &str), Known> = BTreeMap::new();
    let reads = futures::stream::iter(Read::ALL).map(|read| async move { (read, ask(cloud, scope, &Question::Read(read)).await) });
    let reads: Vec<(Read, Result<Said, String>)> = reads.buffer_unordered(AT_ONCE).collect().await;
    found.extend(reads.into_iter().map(|(read, said)| (("Look", read.action()), said.and_then(plain))));
    found.extend(Box::pin(on_instances(cloud, scope)).await);
    found.extend(Box::pin(on_volumes(cloud, scope)).await);
    let go_on = ask(cloud, scope, &Question::GoOn).await.and_then(plain);
    found.insert(("LetGroupsGoOn", "autoscaling:CompleteLifecycleAction"), go_on);
    found.insert(("EndGhostsOfGroups", "autoscaling:TerminateInstanceInAutoScalingGroup"), unknown(NO_DRY_RUN));
    let mut grants: Vec<Grant> = ACCOUNT_CAPABILITIES.iter().flat_map(AccountCapability::grants).collect();
    grants.sort();
    grants.dedup();
    grants
        .into_iter()
        .map(|Grant { statement, action }| {
            let known = found.remove(&(statement, action)).unwrap_or_else(|| unknown("Nobody asks about it."));
            let (held, why) = match known {
                Ok(held) => (Some(held), None),
                Err(why) => (None, Some(why)),
            };
            GrantFound { statement: statement.to_owned(), action: action.to_owned(), held, why }
        })
        .collect()
}

fn unknown(why: &str) -> Known {
    Err(why.to_owned())
}

/// Asks; an error becomes words that customers read.
async fn ask(cloud: &dyn Cloud, scope: &AwsScope, question: &Question) -> Result<Said, String> {
    Box::pin(cloud.may(scope, question)).await.map_err(|error| said(&error).to_owned())
}

fn said(error: &CloudError) -> &'static str {
    match error {
        CloudError::NoAccess(_) => "The role cannot be assumed.",
        CloudError::Throttled => "AWS has no room for the question now.",
        CloudError::NoCapacity(_) | CloudError::Refused(_) | CloudError::TokenMismatch | CloudError::Ambiguous(_) => "AWS does not answer.",
    }
}

fn plain(said: Said) -> Known {
    match said {
        Said::Yes => Ok(true),
        Said::No { action: _ } => Ok(false),
        Said::Unclear(code) => Err(format!("AWS says {code}, which tells nothing of the right.")),
    }
}

type Found = Vec<((&'static str, &'static str), Known)>;

/// What is asked of instances of the cluster.
async fn on_instances(cloud: &dyn Cloud, scope: &AwsScope) -> Found {
    let end = "ec2:TerminateInstances";
    let bootstrap = (COPY_BOOTSTRAP, "ec2:DescribeInstanceAttribute");
    let Ok(mut all) = cloud.instances(scope, &InstanceFilter::Cluster(scope.cluster_name.clone())).await else {
        let mut found: Found = launch_grants().into_iter().map(|grant| (grant, unknown(UNREAD))).collect();
        found.extend([bootstrap, ("EndOurs", end), ("EndGhosts", end)].map(|grant| (grant, unknown(UNREAD))));
        return found;
    };
    all.retain(|instance| instance.state.live());
    let mut found = Found::new();
    let looked = match all.first() {
        Some(node) => bootstrap_of(cloud, scope, node).await,
        None => unknown(NO_NODE),
    };
    found.push((bootstrap, looked));
    found.extend(launch(cloud, scope, all.iter().find(|node| node.subnet.is_some())).await);
    let open = |node: &&Instance| !node.tags.contains_key(PROTECT_TAG);
    let own = all.iter().filter(open).find(|node| node.tags.get(CLUSTER_TAG).is_some_and(|id| id == scope.cluster.as_str()));
    let of_eks = all.iter().filter(open).find(|node| node.tags.contains_key(EKS_TAG) && !node.tags.contains_key(CLUSTER_TAG));
    for (statement, one, none) in [("EndOurs", own, NO_OWN), ("EndGhosts", of_eks, NO_EKS)] {
        let known = match one {
            Some(node) => ask(cloud, scope, &Question::End(node.id.clone())).await.and_then(plain),
            None => unknown(none),
        };
        found.push(((statement, end), known));
    }
    found
}

/// Both attributes are one statement: it is whole, or it is missing.
async fn bootstrap_of(cloud: &dyn Cloud, scope: &AwsScope, node: &Instance) -> Known {
    let mut known = Ok(true);
    for attribute in [Attribute::UserData, Attribute::DisableApiTermination] {
        match ask(cloud, scope, &Question::Attribute(node.id.clone(), attribute)).await.and_then(plain) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(why) => known = Err(why),
        }
    }
    known
}

fn launch_grants() -> [(&'static str, &'static str); 4] {
    [
        ("LaunchFrom", "ec2:RunInstances"),
        ("LaunchTagged", "ec2:RunInstances"),
        ("TagWhileLaunching", "ec2:CreateTags"),
        ("GiveNodesTheirRole", "iam:PassRole"),
    ]
}

/// A launch like this node, as a rescue would make it. One that is allowed holds every grant; of one that is not AWS names the action.
async fn launch(cloud: &dyn Cloud, scope: &AwsScope, like: Option<&Instance>) -> Found {
    let all = |known: Known| launch_grants().map(|grant| (grant, known.clone())).into();
    let Some((node, subnet)) = like.and_then(|node| Some((node, node.subnet.clone()?))) else { return all(unknown(NO_NODE)) };
    let template = match cloud.template_of(scope, &node.id).await {
        Ok(template) => template,
        Err(_) => return all(unknown("A node of the cluster cannot be looked into, so there is nothing to ask for a copy of.")),
    };
    let request = LaunchRequest {
        client_token: DRY.to_owned(),
        template,
        offering: Offering { pool: node.pool.clone(), subnet, price_per_hour: None },
        tags: BTreeMap::from([
            (CUSTOMER_TAG.to_owned(), scope.customer.to_string()),
            (CLUSTER_TAG.to_owned(), scope.cluster.to_string()),
            (PLAN_TAG.to_owned(), DRY.to_owned()),
            (format!("kubernetes.io/cluster/{}", scope.cluster_name), "owned".to_owned()),
        ]),
    };
    match ask(cloud, scope, &Question::Launch(Box::new(request))).await {
        Ok(Said::No { action }) => {
            let missing = action.as_deref().unwrap_or("ec2:RunInstances");
            // The others are asked for once this one is there.
            launch_grants().map(|grant| (grant, if grant.1 == missing { Ok(false) } else { unknown(HIDDEN) })).into()
        }
        Ok(other @ (Said::Yes | Said::Unclear(_))) => all(plain(other)),
        Err(why) => all(Err(why)),
    }
}

/// What is asked of a volume.
async fn on_volumes(cloud: &dyn Cloud, scope: &AwsScope) -> Found {
    let snapshot =
        [("SnapshotVolumes", "ec2:CreateSnapshot"), ("SnapshotTagged", "ec2:CreateSnapshot"), ("TagSnapshots", "ec2:CreateTags")];
    let delete = ("DeleteVolumes", "ec2:DeleteVolume");
    let all = |why: &str| snapshot.into_iter().chain([delete]).map(|grant| (grant, unknown(why))).collect();
    let Ok(volumes) = cloud.volumes(scope, &VolumeFilter::Unattached).await else { return all(UNREAD) };
    let fits =
        |volume: &&EbsVolume| volume.tags.get(DRIVER_TAG).is_some_and(|word| word == "true") && !volume.tags.contains_key(PROTECT_TAG);
    let Some(volume) = volumes.iter().find(fits) else { return all(NO_VOLUME) };
    let mut found = Found::new();
    match ask(cloud, scope, &Question::Snapshot(volume.id.clone())).await {
        Ok(Said::No { action }) => {
            let missing = action.as_deref().unwrap_or("ec2:CreateSnapshot");
            let of = |grant: (&'static str, &'static str)| (grant, if grant.1 == missing { Ok(false) } else { unknown(HIDDEN) });
            found.extend(snapshot.map(of));
        }
        Ok(other @ (Said::Yes | Said::Unclear(_))) => {
            let known = plain(other);
            found.extend(snapshot.map(|grant| (grant, known.clone())));
        }
        Err(why) => found.extend(snapshot.map(|grant| (grant, Err(why.clone())))),
    }
    found.push((delete, ask(cloud, scope, &Question::DeleteVolume(volume.id.clone())).await.and_then(plain)));
    found
}
