//! Office hours: when workloads are up, who says so, and what is known of those that are asleep.

use crate::ids::{ClusterId, CustomerId};
use crate::policy::Mode;
use crate::workload::{Beside, ScaleKind, ScaleRef};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub mod spec;

pub use spec::{Defaults, Dialect, Spec, SpecError};

/// The annotation that keeps the number from before: kube-downscaler's, so that users of it can move here, and back.
pub const ORIGINAL: &str = "downscaler/original-replicas";

/// How long a new object is left alone by default, in seconds: kube-downscaler's 15 minutes.
pub const GRACE_S: u32 = 900;

/// How long before its time a workload is woken by default, in seconds: a node takes two to five minutes to be there, and its
/// images some more.
pub const LEAD_S: u32 = 600;

/// Where the rules for all clusters of a customer stand, among the customer's configuration.
pub const CUSTOMER_KEY: &str = "office-hours";
/// Where the [`fingerprint`] stands that a person has approved; see [`of_cluster`].
pub const APPROVED_KEY: &str = "office-hours-approved";
/// Where it stands until when everything is to be up; see [`of_cluster`].
pub const AWAKE_KEY: &str = "office-hours-awake";

/// The key of a value for one cluster.
pub fn of_cluster(key: &str, cluster: &ClusterId) -> String {
    format!("{key}.{cluster}")
}

/// What a person approves: all that is set, but for the mode. Another rule is another fingerprint.
pub fn fingerprint(policy: &OfficeHoursPolicy, customer: Option<&Rules>) -> String {
    let policy = OfficeHoursPolicy { mode: Mode::Observe, ..policy.clone() };
    let said = serde_json::to_vec(&(policy, customer)).unwrap_or_default();
    data_encoding::HEXLOWER.encode(&Sha256::digest(said))
}

/// The longest lead, in seconds: within it the schedule is looked at minute by minute.
pub const LEAD_S_MAX: u32 = 7_200;

/// What one scope (a workload, a namespace, the cluster, the customer) says. What it leaves open, a wider scope decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct Rules {
    /// When it is up; at all other times it sleeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<Spec>,
    /// When it sleeps; at all other times it is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime: Option<Spec>,
    /// When it is woken; outside of both periods it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upscale_period: Option<Spec>,
    /// When it is put to sleep; outside of both periods it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downscale_period: Option<Spec>,
    /// When it is up, whatever else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_uptime: Option<Spec>,
    /// When it sleeps, whatever else is said but a forced uptime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_downtime: Option<Spec>,
    /// When it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Spec>,
    /// Until when it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_until: Option<Timestamp>,
    /// How many replicas it keeps while it sleeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime_replicas: Option<u32>,
    /// How long a new object is left alone, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_s: Option<u32>,
}

impl Rules {
    /// Whether it says when to be up or down.
    pub fn scheduled(&self) -> bool {
        self.uptime.is_some()
            || self.downtime.is_some()
            || self.upscale_period.is_some()
            || self.downscale_period.is_some()
            || self.force_uptime.is_some()
            || self.force_downtime.is_some()
    }

    /// Two of its values that cannot stand beside each other, if there are any.
    pub fn at_odds(&self) -> Option<(&'static str, &'static str)> {
        let (periods_up, periods_down) = (self.upscale_period.is_some(), self.downscale_period.is_some());
        match (self.uptime.is_some(), self.downtime.is_some()) {
            (true, true) => Some(("uptime", "downtime")),
            (true, false) if periods_up => Some(("uptime", "upscale_period")),
            (true, false) if periods_down => Some(("uptime", "downscale_period")),
            (false, true) if periods_up => Some(("downtime", "upscale_period")),
            (false, true) if periods_down => Some(("downtime", "downscale_period")),
            (true | false, false) | (false, true) => None,
        }
    }
}

/// A kind that sleeps only where the policy names it, as kube-downscaler's `--include-resources` does. The schedule of the cluster
/// holds for it then as for all others: whoever has backups made at night excludes those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub enum Included {
    /// `cronjobs`: suspended, with 1 as the original in the annotation, as kube-downscaler writes it.
    CronJobs,
}

impl TryFrom<String> for Included {
    type Error = String;

    fn try_from(text: String) -> Result<Included, String> {
        let why = match text.to_ascii_lowercase().as_str() {
            "cronjobs" => return Ok(Included::CronJobs),
            "deployments" | "statefulsets" | "horizontalpodautoscalers" | "scaledobjects" => "it always sleeps; leave it out",
            "daemonsets" => {
                "a DaemonSet has no number of replicas; its pods go with their nodes, and agents of the cluster must not go before them"
            }
            "jobs" => "a Job that is suspended loses its pods and what they have done so far; suspend its CronJob instead",
            "poddisruptionbudgets" => "a budget of pods that sleep is in nobody's way, and one that is gone protects nobody in the morning",
            _ => "only `cronjobs` can be named here",
        };
        Err(format!("office_hours.include: {text} is not put to sleep: {why}"))
    }
}

impl From<Included> for String {
    fn from(included: Included) -> String {
        match included {
            Included::CronJobs => "cronjobs".to_owned(),
        }
    }
}

/// What a customer sets for the office hours of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct OfficeHoursPolicy {
    /// How far it may go by itself. `observe` after registration.
    pub mode: Mode,
    /// How annotations in the cluster are read: as the one or the other kube-downscaler reads them.
    pub dialect: Dialect,
    /// Whether annotations in the cluster count at all.
    pub annotations: bool,
    /// Time zone of annotations that name none.
    pub default_zone: Option<String>,
    /// Days of annotations that name none, such as `Mon-Fri`.
    pub default_weekdays: Option<String>,
    /// For the whole cluster.
    pub cluster: Rules,
    /// For namespaces, by name.
    pub namespaces: BTreeMap<String, Rules>,
    /// For workloads, by `namespace/name`.
    pub workloads: BTreeMap<String, Rules>,
    /// Namespaces that are never touched.
    pub excluded_namespaces: Vec<String>,
    /// Only workloads with a label `key=value` that one of these patterns matches as a whole; empty: all.
    pub matching_labels: Vec<String>,
    /// An annotation with the time of the last roll-out: grace counts from it, too.
    pub deployment_time_annotation: Option<String>,
    /// Whether what is excluded while it sleeps is left asleep; else it is woken.
    pub upscale_target_only: bool,
    /// Whether a pod annotated `downscaler/force-uptime: "true"` keeps the whole cluster up. Costs a list of all pods each minute.
    pub pods_force_uptime: bool,
    /// Kinds that sleep beside workloads and their autoscalers; see [`Included`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Included>,
    /// Days on which nothing is woken by its schedule, in the default time zone, or UTC.
    pub holidays: Vec<Date>,
    /// How long before its time a workload is woken, in seconds.
    pub lead_s: u32,
}

impl Default for OfficeHoursPolicy {
    fn default() -> Self {
        OfficeHoursPolicy {
            mode: Mode::Observe,
            dialect: Dialect::Go,
            annotations: true,
            default_zone: None,
            default_weekdays: None,
            cluster: Rules::default(),
            namespaces: BTreeMap::new(),
            workloads: BTreeMap::new(),
            excluded_namespaces: ["kube-system", "kube-public", "kube-node-lease"].map(str::to_owned).to_vec(),
            matching_labels: Vec::new(),
            deployment_time_annotation: None,
            upscale_target_only: false,
            pods_force_uptime: false,
            include: Vec::new(),
            holidays: Vec::new(),
            lead_s: LEAD_S,
        }
    }
}

impl OfficeHoursPolicy {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// One sentence: what does not, and where it stands.
    pub fn check(&self) -> Result<(), String> {
        if self.lead_s > LEAD_S_MAX {
            return Err(format!("office_hours.lead_s is at most {LEAD_S_MAX}, not {}", self.lead_s));
        }
        if let Some(zone) = &self.default_zone {
            spec::zone(zone).map_err(|error| format!("office_hours.default_zone: {error}"))?;
        }
        if let Some(days) = &self.default_weekdays {
            spec::weekdays(days).map_err(|error| format!("office_hours.default_weekdays: {error}"))?;
        }
        if let Some(name) = self.workloads.keys().find(|name| name.split('/').filter(|part| !part.is_empty()).count() != 2) {
            return Err(format!("office_hours.workloads are named namespace/name, not {name:?}"));
        }
        let of = |scope: &str, all: &BTreeMap<String, Rules>| {
            all.iter().find_map(|(name, rules)| Some((format!("{scope}.{name}"), rules.at_odds()?)))
        };
        let odd = self.cluster.at_odds().map(|odds| ("cluster".to_owned(), odds));
        match odd.or_else(|| of("namespaces", &self.namespaces)).or_else(|| of("workloads", &self.workloads)) {
            Some((scope, (one, other))) => Err(format!("office_hours.{scope} sets both {one} and {other}: one of them is enough")),
            None => Ok(()),
        }
    }

    /// What has to be listed for it beside workloads: what it asks for, and what it once asked for and still sleeps.
    pub fn beside(&self, asleep: &[Asleep]) -> Beside {
        let sleeps = asleep.iter().any(|row| row.target.kind == ScaleKind::CronJob);
        Beside { pods: self.pods_force_uptime, cron_jobs: sleeps || self.include.contains(&Included::CronJobs) }
    }

    /// What annotations that leave something open mean.
    pub fn defaults(&self) -> Defaults<'_> {
        Defaults { zone: self.default_zone.as_deref(), weekdays: self.default_weekdays.as_deref() }
    }
}

/// One workload that we put to sleep: the second copy of its original, beside the annotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asleep {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// What sleeps.
    pub target: ScaleRef,
    /// Its uid: a namesake that came later was never put to sleep.
    pub uid: String,
    /// What it had before; `None`: nothing, as with a KEDA object that was not paused.
    pub original: Option<u32>,
    /// What it has while it sleeps.
    pub downtime_replicas: u32,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it was first seen asleep; `None`: not yet.
    pub seen_at: Option<Timestamp>,
}
