//! The contract of the table, the queues and the key service.

use domain::Timestamp;
use domain::ports::{
    Findings, Idempotency, Journal, Ledger, Nights, Optimizations, Outbox, Pools, Quotas, Registry, Routes, Trail, Usages, Watchbooks,
};

mod findings;
mod journal;
mod ledger;
mod make;
mod nights;
mod optimizations;
mod outbox;
mod queue;
mod registry;
mod routes;
mod short;
mod trail;
mod usages;
mod vault;

pub use queue::{Taken, queue, rounds};
pub use vault::vault;

/// All ports that one table serves.
pub trait Store:
    Journal
    + Registry
    + Routes
    + Pools
    + Idempotency
    + Optimizations
    + Ledger
    + Findings
    + Nights
    + Outbox
    + Watchbooks
    + Trail
    + Quotas
    + Usages
{
}
impl<
    T: Journal
        + Registry
        + Routes
        + Pools
        + Idempotency
        + Optimizations
        + Ledger
        + Findings
        + Nights
        + Outbox
        + Watchbooks
        + Trail
        + Quotas
        + Usages,
> Store for T
{
}

/// Runs every law of the table. Laws use names of their own, so the table may hold other things, as long as nobody else
/// writes to it meanwhile.
pub async fn store(store: &dyn Store) {
    journal::one_of_forty_racers_opens_a_plan(store).await;
    journal::one_of_forty_equal_writes_is_taken(store).await;
    journal::a_stale_version_is_refused_and_changes_nothing(store).await;
    journal::a_plan_that_is_not_there_cannot_be_gone_on_with(store).await;
    journal::rows_and_events_are_written_with_their_plan_or_not_at_all(store).await;
    journal::a_row_that_is_closed_takes_the_place_of_the_open_one(store).await;
    journal::unfinished_plans_are_due_oldest_first(store).await;
    journal::a_plan_leaves_the_lists_with_its_outcome(store).await;
    journal::open_plans_are_those_of_one_cluster(store).await;
    journal::spot_events_are_listed_newest_first_and_paged_by_time(store).await;
    journal::a_spot_event_is_recorded_once(store).await;
    journal::an_operation_is_its_customers_own(store).await;
    registry::a_customer_is_read_as_written(store).await;
    registry::a_cluster_is_written_against_its_version(store).await;
    registry::another_customers_cluster_is_absent(store).await;
    registry::clusters_are_paged_by_id(store).await;
    registry::all_clusters_are_paged_over_customers(store).await;
    registry::a_deleted_cluster_leaves_no_trace_but_history(store).await;
    registry::configuration_and_keys_are_read_as_written(store).await;
    registry::keys_are_listed_by_name_and_their_customers_own(store).await;
    registry::the_widest_stop_holds(store).await;
    trail::requests_are_listed_newest_first_and_closed_in_place(store).await;
    trail::actions_of_all_plans_are_one_list(store).await;
    trail::plans_and_operations_are_listed_newest_first(store).await;
    trail::what_is_used_adds_up_by_key_and_window(store).await;
    routes::a_node_is_found_by_its_instance(store).await;
    routes::a_refresh_replaces_the_nodes_of_its_cluster_only(store).await;
    routes::two_hundred_nodes_are_replaced(store).await;
    routes::an_instance_of_two_clusters_leads_to_the_newer_look(store).await;
    routes::nodes_of_another_cluster_are_refused(store).await;
    routes::clusters_are_found_by_account(store).await;
    short::an_idempotency_key_goes_through_its_states(store).await;
    short::an_unfinished_claim_falls_free_after_a_minute(store).await;
    short::an_answer_is_forgotten_after_a_day(store).await;
    short::one_of_forty_racers_claims_a_key(store).await;
    short::a_key_is_its_customers_own(store).await;
    short::a_pool_is_avoided_until_its_time(store).await;
    short::pools_are_avoided_in_one_account_and_region(store).await;
    optimizations::a_run_and_its_proposals_are_written_together_and_once(store).await;
    optimizations::one_of_forty_workers_decides(store).await;
    optimizations::runs_are_listed_newest_first(store).await;
    optimizations::runs_that_lead_to_nothing_are_written_together_and_once(store).await;
    optimizations::runs_are_turned_over_page_by_page_however_they_were_written(store).await;
    optimizations::a_proposal_changes_against_its_version(store).await;
    optimizations::an_ended_plan_and_the_books_are_written_both_or_not_at_all(store).await;
    optimizations::what_stands_between_rounds_is_written_against_its_version(store).await;
    ledger::a_baseline_is_frozen_once(store).await;
    ledger::an_hour_is_closed_once_and_hours_are_listed_oldest_first(store).await;
    ledger::a_month_is_the_sum_of_its_hours_each_counted_once(store).await;
    findings::a_finding_is_written_against_its_version(store).await;
    findings::findings_of_a_cluster_are_told_apart_by_kind(store).await;
    findings::findings_of_a_customer_are_listed_last_seen_first(store).await;
    usages::what_is_remembered_of_containers_is_read_as_written(store).await;
    usages::rounds_are_kept_in_order_until_they_are_folded_in(store).await;
    outbox::a_target_is_written_against_its_version(store).await;
    outbox::a_notice_enters_a_lane_once_and_waits_in_order(store).await;
    outbox::what_has_arrived_leaves_its_lane_and_enters_the_log_in_one_write(store).await;
    outbox::a_lane_in_somebodys_hand_is_not_written_by_who_enters_it(store).await;
    outbox::lanes_are_due_longest_due_first_and_leave_with_their_target(store).await;
    findings::a_watchbook_is_written_against_its_version(store).await;
    nights::what_sleeps_is_read_as_written_until_it_is_removed(store).await;
}

/// An instant, for laws.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
