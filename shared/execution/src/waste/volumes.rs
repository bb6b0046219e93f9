//! Zombie volumes of one cluster.

use super::open::Due;
use super::{Harvest, Scanner};
use crate::ports::Site;
use domain::Timestamp;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::VolumeId;
use domain::money::MicroDollars;
use domain::plan::action::{Action, AskedBy};
use domain::policy::Mode;
use domain::ports::estate::{EbsVolume, VolumeFilter};
use domain::ports::{Moment, Notice};
use domain::tenant::Cluster;
use planning::volumes::{Look, News, Settings, Zombie, scan};

/// What a GiB costs per month, millionths of a US dollar, in `us-east-1` (AWS price list for EBS, 2026-11): other Regions are up to a
/// half dearer, and nobody is promised more than this.
const GIB_MONTH: [(&str, i64); 6] =
    [("gp3", 80_000), ("gp2", 100_000), ("io1", 125_000), ("io2", 125_000), ("st1", 45_000), ("sc1", 15_000)];
/// What a GiB of a snapshot costs per month: it is what is left to pay.
const SNAPSHOT_GIB_MONTH: i64 = 50_000;
/// Provisioned operations above the 3,000 that a gp3 volume has for nothing, and throughput above its 125 MiB/s, per month.
const GP3_IOPS_MONTH: i64 = 5_000;
const GP3_MIB_MONTH: i64 = 40_000;

impl Scanner {
    /// Looks for volumes: the account's first, then the cluster's.
    ///
    /// # Errors
    /// Why they could not be looked at: nothing is marked, and they are looked at the next time.
    pub(super) async fn volumes(&self, site: &Site, before: &[Finding], harvest: &mut Harvest) -> Result<(), String> {
        let cluster = &site.cluster;
        let volumes = self.ports.cloud.volumes(&site.scope, &VolumeFilter::Unattached).await.map_err(unseen)?;
        let kubernetes = site.kubernetes.as_ref().map_err(unseen)?;
        let persistent = kubernetes.persistent_volumes().await.map_err(unseen)?;
        let now = self.ports.clock.now();
        let look = Look { now, cluster_name: &cluster.name, volumes: &volumes, persistent: &persistent };
        let settings = Settings::from(&cluster.policy.waste);
        let seen = scan(&look, &harvest.book, settings).map_err(unseen)?;
        if cluster.policy.waste.volumes >= Mode::Recommend {
            harvest.notices.extend(seen.news.iter().map(|news| notice(cluster, news, now)));
        }
        let standing = seen.zombies.iter().map(|zombie| {
            let first_seen = seen.book.watches.get(zombie.volume.id.as_str()).map_or(now, |watch| watch.first_seen);
            Finding { first_seen, ..finding(cluster, zombie, now) }
        });
        harvest.standing.insert(FindingKind::ZombieVolume, standing.collect());
        let dismissed = |id: &str| before.iter().any(|f| f.subject == id && matches!(f.state, FindingState::Dismissed { .. }));
        let acting = |id: &str| before.iter().any(|f| f.subject == id && matches!(f.state, FindingState::Acting { .. }));
        for id in seen.due.iter().filter(|id| !dismissed(id) && !acting(id)) {
            let saving = seen.zombies.iter().find(|zombie| zombie.volume.id.as_str() == id).and_then(|zombie| cost(&zombie.volume));
            if let Ok(volume) = VolumeId::parse(id.as_str()) {
                harvest.due.push(Due {
                    kind: FindingKind::ZombieVolume,
                    subject: id.clone(),
                    action: Action::DeleteVolume { volume, by: AskedBy::Scan },
                    saving_per_hour: MicroDollars(saving.unwrap_or_default().0 / 730),
                });
            }
        }
        harvest.book = seen.book;
        Ok(())
    }
}

/// Why something could not be looked at.
pub(super) fn unseen(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What a month without the volume saves: its price less that of the snapshot that is kept of it. `None`: a type without a price.
fn cost(volume: &EbsVolume) -> Option<MicroDollars> {
    let (_, gib) = GIB_MONTH.iter().find(|(kind, _)| *kind == volume.volume_type)?;
    let size = i64::from(volume.size_gib);
    let extra = match volume.volume_type.as_str() {
        "gp3" => {
            let iops = i64::from(volume.iops.saturating_sub(3_000)) * GP3_IOPS_MONTH;
            iops + i64::from(volume.throughput_mib.saturating_sub(125)) * GP3_MIB_MONTH
        }
        _ => 0,
    };
    Some(MicroDollars(size * (gib - SNAPSHOT_GIB_MONTH).max(0) + extra))
}

fn finding(cluster: &Cluster, zombie: &Zombie, now: Timestamp) -> Finding {
    let volume = &zombie.volume;
    let id = volume.id.as_str();
    let mut finding = Finding::new(cluster.customer.clone(), cluster.id.clone(), FindingKind::ZombieVolume, id, now);
    let claim = |tag: &str| volume.tags.get(&format!("kubernetes.io/created-for/pvc/{tag}")).cloned();
    let made_for = claim("namespace").zip(claim("name")).map(|(namespace, name)| format!(" for claim {namespace}/{name}"));
    finding.evidence = vec![
        format!("{id} ({} GiB {}, {}) was made{}.", volume.size_gib, volume.volume_type, volume.zone, made_for.unwrap_or_default()),
        "It is attached to nothing, and no PersistentVolume of the cluster names it.".to_owned(),
    ];
    let restore = format!(
        "To have it back: aws ec2 create-volume --snapshot-id <the snapshot tagged cloudoptim.io/deleted-from={id}> --availability-zone {} \
         --volume-type {}, and name the new volume in a PersistentVolume.",
        volume.zone, volume.volume_type
    );
    finding.remedy = match &zombie.kept {
        Some(why) => why.clone(),
        None => format!("A snapshot would be made of it, and once that is whole, the volume deleted. {restore}"),
    };
    finding.cost_per_month = cost(volume);
    finding
}

fn notice(cluster: &Cluster, news: &News, now: Timestamp) -> Notice {
    let (id, moment, said) = match news {
        News::Found(id) => (id, Moment::Detected, format!("{id} was made for cluster {} and is claimed by nothing.", cluster.name)),
        News::Warned(id) => {
            let said = format!(
                "{id} of cluster {} will be deleted soon, after a snapshot. Tag it cloudoptim.io/do-not-terminate to keep it.",
                cluster.name
            );
            (id, Moment::Before, said)
        }
    };
    let what = (FindingKind::ZombieVolume.as_str(), moment);
    Notice::new((&cluster.customer, &cluster.id), what, (id, now), vec![said], now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_costs_its_price_less_that_of_its_snapshot() {
        let volume = |kind: &str, iops, throughput_mib| EbsVolume {
            id: VolumeId::parse("vol-1").unwrap(),
            zone: "us-east-1a".to_owned().try_into().unwrap(),
            size_gib: 100,
            volume_type: kind.to_owned(),
            iops,
            throughput_mib,
            available: true,
            attached: false,
            created_at: None,
            tags: Default::default(),
        };
        assert_eq!(cost(&volume("gp3", 3_000, 125)), Some(MicroDollars(3_000_000)));
        assert_eq!(cost(&volume("gp3", 4_000, 225)), Some(MicroDollars(3_000_000 + 5_000_000 + 4_000_000)));
        assert_eq!(cost(&volume("sc1", 0, 0)), Some(MicroDollars(0)), "a snapshot of it is dearer than it is");
        assert_eq!(cost(&volume("standard", 0, 0)), None);
    }
}
