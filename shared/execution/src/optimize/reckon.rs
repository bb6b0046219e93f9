//! The ledger of a cluster: its baseline, frozen once, and each hour closed by the first round that sees the cluster whole.

use super::Optimizer;
use super::ask::View;
use crate::ports::{Site, Trouble};
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Run, RunStatus};
use domain::plan::{Action, PlanRecord, Status};
use domain::savings::{Baseline, close, hour_of, seen};
use tracing::info;

impl Optimizer {
    /// Freezes the baseline if there is none yet, and closes the hour if it is still open.
    pub(super) async fn reckon(&self, site: &Site, view: &mut View, runs: &[Run]) -> Result<(), Trouble> {
        let Some(Ok(snapshot)) = &view.snapshot else {
            return Ok(());
        };
        let (customer, cluster) = (&site.cluster.customer, &site.cluster.id);
        let seen = match seen(snapshot, site.cluster.policy.optimization.node_overhead_per_hour) {
            Ok(seen) => seen,
            Err(why) => {
                info!(cluster.id = %cluster, %why, "The cluster was not seen whole; its hour stays open");
                return Ok(());
            }
        };
        let begins = hour_of(seen.at);
        let [before, mut standing] = self.standing(site, &view.standing).await?;
        if standing.closed == Some(begins) {
            return Ok(());
        }
        let baseline = match self.ledger.baseline(customer, cluster).await? {
            Some(baseline) => baseline,
            None => self.ledger.freeze(&Baseline::of(customer.clone(), cluster.clone(), &seen)).await?,
        };
        let (books, open) = futures::try_join!(async { Ok(self.ledger.books(customer, cluster).await?) }, self.opened(site, &view.open))?;
        let hour = close(&baseline, &books, &seen, begins, estimated(&open.proposals, runs), freed(&open.plans));
        if let Some(hour) = hour {
            if self.ledger.close(&hour).await? {
                info!(cluster.id = %cluster, realised = %hour.realised_sum(), cost = %hour.cost, "An hour of the ledger is closed");
            }
            standing.closed = Some(begins);
            view.standing = Some([before, standing]);
        }
        Ok(())
    }
}

/// What open proposals would save, and what this round says of clusters that nothing is proposed for.
fn estimated(open: &[Proposal], runs: &[Run]) -> MicroDollars {
    let proposed: MicroDollars = open.iter().filter(|p| p.state != ProposalState::Opened).map(|p| p.plan.expected_saving).sum();
    let under_way: MicroDollars = open.iter().filter(|p| p.state == ProposalState::Opened).map(|p| p.plan.expected_saving).sum();
    let said = runs.iter().filter(|run| matches!(run.status, RunStatus::Observed | RunStatus::Recommended));
    proposed + under_way + said.map(|run| run.estimated_saving).sum()
}

/// What plans have emptied and is still paid for.
fn freed(plans: &[PlanRecord]) -> MicroDollars {
    let of = |record: &PlanRecord| -> MicroDollars {
        let both = || record.plan.steps.iter().zip(&record.progress.steps);
        let done = |wanted: &str, node: &domain::ids::InstanceId| {
            both().any(|(step, state)| {
                step.action.kind() == wanted
                    && step.action.node().is_some_and(|target| target.instance == *node)
                    && state.status == Status::Done
            })
        };
        let stakes = record.plan.stakes.iter().flat_map(|stakes| stakes.nodes.iter().map(|node| (node, stakes.overhead_per_hour)));
        let emptied = stakes.filter(|(node, _)| done("drain", &node.instance) && !done("terminate", &node.instance));
        emptied.map(|(node, overhead)| node.price_per_hour + overhead).sum()
    };
    let open = plans.iter().filter(|record| record.progress.unwinding.is_none());
    open.filter(|record| record.plan.steps.iter().any(|step| matches!(step.action, Action::Terminate { .. }))).map(of).sum()
}
