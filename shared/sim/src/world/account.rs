//! What the role of an account may do: everything that `infra/customer/cloudformation.yaml` grants, but for what was taken away.

use super::World;
use super::state::State;
use async_trait::async_trait;
use domain::ids::{AccountId, InstanceId, VolumeId};
use domain::plan::precondition::{CLUSTER_TAG, PROTECT_TAG};
use domain::ports::account::{Question, Said};
use domain::ports::estate::EbsVolume;
use domain::ports::{AccountRights, CloudError};
use domain::tenant::AwsScope;
use std::collections::BTreeMap;

/// EKS's own mark of an instance.
const EKS_TAG: &str = "aws:eks:cluster-name";
/// The mark of the EBS driver.
const DRIVER_TAG: &str = "ebs.csi.aws.com/cluster";

/// The actions that a question is about.
fn actions(question: &Question) -> Vec<&'static str> {
    match question {
        Question::Read(read) => vec![read.action()],
        Question::Attribute(..) => vec!["ec2:DescribeInstanceAttribute"],
        Question::Launch(_) => vec!["ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"],
        Question::End(_) => vec!["ec2:TerminateInstances"],
        Question::Snapshot(_) => vec!["ec2:CreateSnapshot", "ec2:CreateTags"],
        Question::DeleteVolume(_) => vec!["ec2:DeleteVolume"],
        Question::GoOn => vec!["autoscaling:CompleteLifecycleAction"],
    }
}

fn no(action: &str) -> Said {
    Said::No { action: Some(action.to_owned()) }
}

impl State {
    /// Whether an action was taken away from the role of an account.
    pub(crate) fn is_denied(&self, account: &AccountId, action: &str) -> bool {
        self.estates.denied.contains(&(account.clone(), action.to_owned()))
    }

    fn may(&self, scope: &AwsScope, question: &Question) -> Said {
        if let Some(action) = actions(question).into_iter().find(|action| self.is_denied(&scope.account, action)) {
            return no(action);
        }
        match question {
            Question::Read(_) | Question::GoOn => Said::Yes,
            Question::Launch(request) => {
                let tagged = request.tags.get(CLUSTER_TAG).is_some_and(|value| !value.is_empty());
                if tagged { Said::Yes } else { no("ec2:RunInstances") }
            }
            Question::Attribute(instance, _) => self.on_instance(instance, |_| true),
            Question::End(instance) => self.on_instance(instance, |tags| {
                (tags.contains_key(CLUSTER_TAG) || tags.contains_key(EKS_TAG)) && !tags.contains_key(PROTECT_TAG)
            }),
            Question::Snapshot(volume) => self.on_volume(volume, "ec2:CreateSnapshot", |_| true),
            Question::DeleteVolume(volume) => self.on_volume(volume, "ec2:DeleteVolume", |volume| !volume.tags.contains_key(PROTECT_TAG)),
        }
    }

    fn on_instance(&self, id: &InstanceId, fits: impl Fn(&BTreeMap<String, String>) -> bool) -> Said {
        match self.machines.get(id) {
            Some(machine) if fits(&machine.tags) => Said::Yes,
            Some(_) => no("ec2:TerminateInstances"),
            None => Said::Unclear("InvalidInstanceID.NotFound".to_owned()),
        }
    }

    fn on_volume(&self, id: &VolumeId, action: &str, fits: impl Fn(&EbsVolume) -> bool) -> Said {
        let of_claims = self.clusters.iter().flat_map(super::state::Kube::ebs_volumes);
        let found = self.estates.volumes.values().cloned().chain(of_claims).find(|volume| volume.id == *id);
        match found {
            Some(volume) if volume.tags.get(DRIVER_TAG).is_some_and(|word| word == "true") && fits(&volume) => Said::Yes,
            Some(_) => no(action),
            None => Said::Unclear("InvalidVolume.NotFound".to_owned()),
        }
    }
}

impl World {
    /// Takes an action away from the role of an account: `ec2:RunInstances`.
    pub fn deny_action(&self, account: &AccountId, action: &str) {
        self.with(|state| state.estates.denied.insert((account.clone(), action.to_owned())));
    }

    /// Gives every action back.
    pub fn allow_actions(&self) {
        self.with(|state| state.estates.denied.clear());
    }
}

#[async_trait]
impl AccountRights for World {
    async fn may(&self, scope: &AwsScope, question: &Question) -> Result<Said, CloudError> {
        self.call("may", |state| super::cloud_port::access(state, scope).map(|()| state.may(scope, question)))
    }
}
