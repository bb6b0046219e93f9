//! The table's copies of the originals: written before anything sleeps, removed after it was seen awake.

use super::OfficeHours;
use super::plans::Sleeper;
use crate::ports::Trouble;
use domain::Timestamp;
use domain::office_hours::Asleep;
use domain::tenant::Cluster;
use domain::workload::{Scalables, ScaleRef};
use futures::{StreamExt, TryStreamExt};
use planning::office_hours::{Judged, Verdict, asleep_since};
use std::collections::BTreeSet;

/// How many rows are written side by side.
const SIDE_BY_SIDE: usize = 16;

impl OfficeHours {
    /// Brings the rows up to what was seen: what sleeps is noted as seen asleep, and what is up or gone has none.
    pub(super) async fn keep(
        &self,
        rows: &[Asleep],
        judged: &[Judged<'_>],
        busy: &BTreeSet<ScaleRef>,
        scalables: &Scalables,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        for row in rows.iter().filter(|row| !busy.contains(&row.target)) {
            let Some(seen) = scalables.objects.iter().find(|object| object.target == row.target && object.uid == row.uid) else {
                self.nights.remove_asleep(&row.customer, &row.cluster, &row.target).await?;
                continue;
            };
            let asleep = seen.size == Some(row.downtime_replicas);
            let decision = judged.iter().find(|judged| judged.on.object.target == row.target).map(|judged| &judged.decision);
            let by_day = decision.is_some_and(|decision| decision.wanted_up);
            // What is not woken by day is seen asleep anew by night: what others set in between is by day or by night, and both are told apart.
            let seen_at = if by_day { None } else { row.seen_at.or(Some(now)) };
            if asleep && seen_at != row.seen_at {
                self.nights.put_asleep(&Asleep { seen_at, ..row.clone() }).await?;
            }
            let stays = decision.is_some_and(|decision| matches!(decision.verdict, Verdict::Leave | Verdict::ClearNote));
            if !asleep && by_day && stays {
                self.nights.remove_asleep(&row.customer, &row.cluster, &row.target).await?;
            }
        }
        Ok(())
    }

    /// Writes the originals down.
    pub(super) async fn write_down(&self, cluster: &Cluster, sleepers: &[Sleeper<'_>], now: Timestamp) -> Result<(), Trouble> {
        let rows = sleepers.iter().map(|sleeper| {
            let object = sleeper.judged.on.object;
            let original = sleeper.original.size();
            let same = sleeper.judged.on.asleep.is_some_and(|row| row.original == original);
            Asleep {
                customer: cluster.customer.clone(),
                cluster: cluster.id.clone(),
                target: object.target.clone(),
                uid: object.uid.clone(),
                original,
                downtime_replicas: sleeper.to,
                decided_at: now,
                seen_at: asleep_since(&sleeper.judged.on).filter(|_| same),
            }
        });
        let writes = futures::stream::iter(rows).map(|row| async move { self.nights.put_asleep(&row).await });
        writes.buffer_unordered(SIDE_BY_SIDE).try_collect::<()>().await?;
        Ok(())
    }
}
