//! The last act: a ghost is found, and workloads sleep and wake.

use crate::demo::tell;
use crate::past::{lose_node, scanner};
use crate::say;
use crate::system::System;
use anyhow::{Context, bail, ensure};
use domain::SignedDuration;
use domain::finding::FindingKind;
use domain::office_hours::{OfficeHoursPolicy, Spec};
use domain::policy::Mode;
use domain::ports::Clock;
use domain::watch::ScanOrder;
use domain::workload::{Scalables, ScaleRef};
use execution::office_hours::Minute;
use sim::world::ServiceSpec;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// How long sleeping and waking may take, each.
const PATIENCE_S: u64 = 15;

/// An instance loses its node; two scans see it, and it is watched. A Service is called from other zones than its pods are in.
///
/// # Errors
/// One of them was not found, or the ghost not priced.
pub(super) async fn waste(system: &System, began: Instant) -> anyhow::Result<()> {
    say("\nWaste: an instance is launched, and its node never joins; a Service has all its pods in one zone.\n\n")?;
    told(system).await?;
    system.world.put_service(&system.cluster, ServiceSpec::new(super::sizes::LARGE));
    let ghost = lose_node(system);
    let order = ScanOrder { customer: system.customer.clone(), cluster: system.cluster.clone(), asked_by: "demo".to_owned(), whole: true };
    for hours in [2, 3] {
        let scanned = scanner(system, hours).scan(&order).await?;
        tell(began, &format!("the clock {hours} h on, a scan: {scanned:?}"))?;
    }
    let book = system.ports.watchbooks.watchbook(&system.customer, &system.cluster).await?;
    let watch = book.watches.get(ghost.as_str()).context("the ghost is not watched")?;
    let found = system.scanner.findings.findings_of(&system.customer, &system.cluster, Some(FindingKind::Ghost)).await?;
    let finding = found.iter().find(|finding| finding.subject == ghost.as_str()).context("the ghost was not found")?;
    let cost = finding.cost_per_month.context("the ghost has no price")?;
    tell(began, &format!("{ghost} costs {cost} a month, was seen {} times, and would be ended after 24 h of grace", watch.sightings))?;
    ensure!(watch.sightings == 2, "two scans an hour apart are two sightings");
    let crossing = system.scanner.findings.findings_of(&system.customer, &system.cluster, Some(FindingKind::CrossZone)).await?;
    let crossing = crossing.first().context("what is called across zones was not found")?;
    tell(began, &format!("{}: {}", crossing.subject, crossing.evidence.iter().take(2).cloned().collect::<Vec<_>>().join(" ")))?;
    tell(began, &format!("what a person can do: {}", crossing.remedy))
}

/// Has people told of what scans find.
async fn told(system: &System) -> anyhow::Result<()> {
    let mut cluster = system.ports.registry.cluster(&system.customer, &system.cluster).await?.context("the demo cluster is gone")?;
    (cluster.policy.waste.ghosts, cluster.policy.waste.network) = (Mode::Recommend, Mode::Recommend);
    cluster.version += 1;
    Ok(system.ports.registry.put_cluster(&cluster, Some(cluster.version - 1)).await?)
}

/// Everything of the cluster that runs is put to sleep, and woken: each workload comes back at its own size.
///
/// # Errors
/// Something did not sleep or did not come back.
pub(super) async fn night(system: &System, began: Instant) -> anyhow::Result<()> {
    say("\nOffice hours: the policy says that everything sleeps from now on, and a minute later that it is up.\n\n")?;
    let before = sizes(&look(system).await?);
    hours(system, "always").await?;
    let asleep =
        reach(system, |now| before.keys().all(|target| now.get(target) == Some(&0))).await.context("not everything fell asleep")?;
    tell(began, &format!("{} workloads sleep; what they were stands in the table and on each of them", asleep.len()))?;
    hours(system, "never").await?;
    let up = reach(system, |now| *now == before).await.context("not everything is up again")?;
    let all: Vec<String> = up.iter().map(|(target, size)| format!("{} {size}", target.name)).collect();
    tell(began, &format!("all are up again, as they were: {}", all.join(", ")))
}

/// Sets when the cluster sleeps, and lets the minute come.
async fn hours(system: &System, downtime: &str) -> anyhow::Result<()> {
    let mut cluster = system.ports.registry.cluster(&system.customer, &system.cluster).await?.context("the demo cluster is gone")?;
    let mut policy = OfficeHoursPolicy { mode: Mode::Auto, ..OfficeHoursPolicy::default() };
    policy.cluster.downtime = Some(Spec::try_from(downtime.to_owned())?);
    policy.cluster.grace_s = Some(0);
    *cluster.policy.office_hours = policy;
    cluster.version += 1;
    system.ports.registry.put_cluster(&cluster, Some(cluster.version - 1)).await?;
    let since = Instant::now();
    while since.elapsed().as_secs() < PATIENCE_S {
        // What a plan has in hand is left to it: the next look finds it free.
        if let Minute::Looked(plans) = system.office_hours.minute(cluster.clone()).await?
            && !plans.is_empty()
        {
            return Ok(());
        }
        system.clock.sleep(SignedDuration::from_millis(200)).await;
    }
    bail!("nothing was to be put to sleep or woken")
}

async fn look(system: &System) -> anyhow::Result<Scalables> {
    let cluster = system.ports.registry.cluster(&system.customer, &system.cluster).await?.context("the demo cluster is gone")?;
    Ok(system.ports.clusters.connect(&cluster).await?.scalables(domain::workload::Beside::default()).await?)
}

/// What can sleep, by its size.
fn sizes(seen: &Scalables) -> BTreeMap<ScaleRef, u32> {
    seen.objects.iter().filter_map(|object| Some((object.target.clone(), object.size?))).collect()
}

async fn reach(system: &System, wanted: impl Fn(&BTreeMap<ScaleRef, u32>) -> bool) -> anyhow::Result<BTreeMap<ScaleRef, u32>> {
    let since = Instant::now();
    while since.elapsed().as_secs() < PATIENCE_S {
        let now = sizes(&look(system).await?);
        if wanted(&now) {
            return Ok(now);
        }
        system.clock.sleep(SignedDuration::from_millis(200)).await;
    }
    bail!("it took longer than {PATIENCE_S} s")
}
