//! The contract of what an account allows: the answer is the role's, and nothing is changed by asking.

use domain::ids::{InstanceId, VolumeId};
use domain::permissions::account::{ACCOUNT_CAPABILITIES, AccountCapability};
use domain::ports::account::{Attribute, Question, Read, Said};
use domain::ports::estate::VolumeFilter;
use domain::ports::{Cloud, InstanceFilter, LaunchRequest};
use domain::tenant::AwsScope;
use std::collections::BTreeSet;

/// Hands that change the role of the account.
pub trait Hands {
    /// Takes an action away.
    fn deny(&self, action: &str);
    /// Gives everything back.
    fn allow(&self);
    /// How many snapshots there are.
    fn snapshots(&self) -> usize;
}

/// An account to judge.
pub struct Bench<'a> {
    /// It.
    pub cloud: &'a dyn Cloud,
    /// A scope whose role holds what the template grants.
    pub scope: AwsScope,
    /// A scope whose role cannot be assumed.
    pub denied: AwsScope,
    /// Hands.
    pub hands: &'a dyn Hands,
    /// A launch for the cluster.
    pub launch: LaunchRequest,
    /// An instance of ours, one that EKS has marked, one that is neither, and one of ours that nobody may end.
    pub instances: [InstanceId; 4],
    /// A volume of the EBS driver, and one that is not.
    pub volumes: [VolumeId; 2],
}

impl Bench<'_> {
    async fn may(&self, question: &Question) -> Said {
        self.cloud.may(&self.scope, question).await.unwrap()
    }

    /// Every question that a role with everything says yes to, each with the actions that it takes.
    fn questions(&self) -> Vec<(Question, Vec<&'static str>)> {
        let ours = self.instances[0].clone();
        let mut all: Vec<(Question, Vec<&'static str>)> =
            Read::ALL.into_iter().map(|read| (Question::Read(read), vec![read.action()])).collect();
        for attribute in [Attribute::UserData, Attribute::DisableApiTermination] {
            all.push((Question::Attribute(ours.clone(), attribute), vec!["ec2:DescribeInstanceAttribute"]));
        }
        let launch = Question::Launch(Box::new(self.launch.clone()));
        all.extend([
            (launch, vec!["ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"]),
            (Question::End(ours), vec!["ec2:TerminateInstances"]),
            (Question::End(self.instances[1].clone()), vec!["ec2:TerminateInstances"]),
            (Question::Snapshot(self.volumes[0].clone()), vec!["ec2:CreateSnapshot", "ec2:CreateTags"]),
            (Question::DeleteVolume(self.volumes[0].clone()), vec!["ec2:DeleteVolume"]),
            (Question::GoOn, vec!["autoscaling:CompleteLifecycleAction"]),
        ]);
        all
    }
}

/// Runs every law.
///
/// # Panics
/// Where one does not hold.
pub async fn account(bench: &Bench<'_>) {
    a_role_that_has_everything_is_told_so_and_nothing_is_done(bench).await;
    an_action_that_is_missing_is_named(bench).await;
    what_carries_no_mark_of_ours_may_not_be_touched(bench).await;
    what_is_not_there_tells_nothing(bench).await;
    a_role_that_cannot_be_assumed_answers_nothing(bench).await;
}

async fn a_role_that_has_everything_is_told_so_and_nothing_is_done(bench: &Bench<'_>) {
    let all = async || {
        let instances = bench.cloud.instances(&bench.scope, &InstanceFilter::Cluster(bench.scope.cluster_name.clone())).await.unwrap();
        let volumes = bench.cloud.volumes(&bench.scope, &VolumeFilter::Unattached).await.unwrap();
        (instances, volumes, bench.hands.snapshots())
    };
    let before = all().await;
    assert!(before.0.len() >= 4 && before.1.len() >= 2, "{before:?}");
    for (question, _) in bench.questions() {
        assert_eq!(bench.may(&question).await, Said::Yes, "{question:?}");
    }
    assert_eq!(all().await, before, "something was done");
}

async fn an_action_that_is_missing_is_named(bench: &Bench<'_>) {
    let mut missed = BTreeSet::new();
    for (question, actions) in bench.questions() {
        for action in actions {
            bench.hands.deny(action);
            assert_eq!(bench.may(&question).await, Said::No { action: Some(action.to_owned()) }, "{question:?}");
            bench.hands.allow();
            missed.insert(action);
        }
    }
    // But for what can only be done.
    let taken: BTreeSet<&str> = ACCOUNT_CAPABILITIES.iter().flat_map(AccountCapability::grants).map(|grant| grant.action).collect();
    let unasked: Vec<&&str> = taken.difference(&missed).collect();
    assert_eq!(unasked, [&"autoscaling:TerminateInstanceInAutoScalingGroup"]);
}

async fn what_carries_no_mark_of_ours_may_not_be_touched(bench: &Bench<'_>) {
    let untagged = LaunchRequest { tags: Default::default(), ..bench.launch.clone() };
    let [_, _, stranger, protected] = bench.instances.clone();
    let foreign = bench.volumes[1].clone();
    for question in [
        Question::End(stranger),
        Question::End(protected),
        Question::Snapshot(foreign.clone()),
        Question::DeleteVolume(foreign),
        Question::Launch(Box::new(untagged)),
    ] {
        assert!(matches!(bench.may(&question).await, Said::No { .. }), "{question:?}");
    }
}

async fn what_is_not_there_tells_nothing(bench: &Bench<'_>) {
    let nobody = InstanceId::parse("i-0fffffffffffffff0").unwrap();
    assert_eq!(bench.may(&Question::End(nobody)).await, Said::Unclear("InvalidInstanceID.NotFound".to_owned()));
    let none = VolumeId::parse("vol-0fffffffffffffff0").unwrap();
    assert_eq!(bench.may(&Question::DeleteVolume(none)).await, Said::Unclear("InvalidVolume.NotFound".to_owned()));
}

async fn a_role_that_cannot_be_assumed_answers_nothing(bench: &Bench<'_>) {
    for question in [Question::Read(Read::Instances), Question::End(bench.instances[0].clone()), Question::GoOn] {
        let answer = bench.cloud.may(&bench.denied, &question).await;
        assert!(matches!(answer, Err(domain::ports::CloudError::NoAccess(_))), "{question:?}: {answer:?}");
    }
}
