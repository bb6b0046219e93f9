//! Office hours, as they are shown.

use domain::Timestamp;
use domain::ids::ClusterId;
use domain::policy::Mode;
use domain::workload::ScaleKind;
use schemars::JsonSchema;
use serde::Serialize;

/// An object with a size: whether it sleeps, what is next and why, and what that is worth.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SleepingObject {
    /// What it is.
    pub kind: ScaleKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its size now.
    pub size: Option<u32>,
    /// Whether it sleeps.
    pub asleep: bool,
    /// What it was, while it sleeps.
    pub original: Option<String>,
    /// `none`, `sleep`, `wake`, `clear-note` or `refused`.
    pub next: &'static str,
    /// Why, in one sentence.
    pub why: String,
    /// How much of the coming week it sleeps.
    pub asleep_percent_of_week: i64,
    /// What that is worth in a month.
    pub worth_usd_per_month: f64,
}

/// What sleeps in a cluster, and what will.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OfficeHours {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// How far it may go by itself.
    pub mode: Mode,
    /// When this was looked at.
    pub now: Timestamp,
    /// Until when a person keeps everything up.
    pub awake_until: Option<Timestamp>,
    /// What a person approves.
    pub fingerprint: String,
    /// Whether a person has approved these rules.
    pub approved: bool,
    /// Every object with a size.
    pub objects: Vec<SleepingObject>,
    /// What is freed now.
    pub freed_usd_per_hour: f64,
    /// What the schedule is worth in a month.
    pub worth_usd_per_month: f64,
    /// What the prices mean.
    pub note: &'static str,
}

/// An approval, as it was taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApprovedHours {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// The rules that are approved.
    pub fingerprint: String,
    /// True.
    pub approved: bool,
}

/// Until when a cluster is kept awake.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Awake {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Until when; in the past: not any more.
    pub awake_until: Timestamp,
}
