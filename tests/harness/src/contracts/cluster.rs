//! The contract of a cluster: what the simulated one and the adapter to a real API server must both do.

use domain::ids::NodeName;
use domain::node::{NodeTarget, NodeView, Taint};
use domain::pod::{PodRef, PodView};
use domain::ports::Cluster;
use domain::ports::inventory::Flow;
use domain::scheduling::Scheduling;
use sim::world::Volume;
use std::collections::BTreeMap;
use std::sync::Arc;

mod cordons;
mod details;
mod evictions;
mod reads;
mod removals;
mod requests;
mod services;
mod sizes;
mod workloads;

/// Sets the scene in the world behind the cluster. Every law uses nodes and names of its own.
pub trait Stage: Send + Sync {
    /// A new node: ready, on EC2, with these taints and without pods. Answers its name.
    fn node(&self, taints: Vec<Taint>) -> NodeName;
    /// A Deployment whose pods, labelled `app: <name>`, are ready on this node at once and end 2 s after they are asked to.
    fn deployment(&self, namespace: &str, name: &str, replicas: u32, on: &NodeName);
    /// A HorizontalPodAutoscaler with this lower bound, or a KEDA object without one, of the Deployment of the same name.
    fn scaler(&self, namespace: &str, name: &str, size: Option<u32>);
    /// A CronJob in the namespace `default`, not suspended.
    fn cron_job(&self, name: &str);
    /// Annotates a namespace.
    fn annotated_namespace(&self, namespace: &str, key: &str, value: &str);
    /// A DaemonSet in the namespace `default`; its pods are on every node.
    fn daemon_set(&self, name: &str);
    /// A pod in the namespace `default` without a controller that mounts an `emptyDir`, asks to be left alone, has the label `app:
    /// <name>`, a grace of 7 s, the priority 1000, and requests of 300 thousandths of a core and 64 MiB.
    fn odd_pod(&self, name: &str, on: &NodeName);
    /// A pod in the namespace `default` without a controller that asks for this, and requests this besides CPU and memory. It is on
    /// the node whether it may be there or not.
    fn asking_pod(&self, name: &str, scheduling: Scheduling, extended: BTreeMap<String, u64>, on: &NodeName);
    /// A pod in the namespace `default` without a controller that mounts a claim of its own; without a node it waits, and asks for
    /// what no node has.
    fn pod_with_volume(&self, name: &str, volume: Volume, on: Option<&NodeName>);
    /// Has the next lists of pods in detail expire between two pages.
    fn lists_expire(&self, times: u32);
    /// The image of a static pod.
    fn mirror_pod(&self, name: &str, on: &NodeName);
    /// A budget in the namespace `default` over the pods labelled `app: <app>`.
    fn budget(&self, name: &str, app: &str, max_unavailable: u32);
    /// Makes the counts of a budget of the namespace `default` be behind for a minute.
    fn budget_is_behind(&self, name: &str);
    /// Begins to remove a namespace.
    fn namespace_goes(&self, namespace: &str);
    /// Makes a node unschedulable, as `kubectl cordon` does.
    fn person_cordons(&self, node: &NodeName);
    /// Kills the container of a pod for lack of memory; it is started again.
    fn kill_for_memory(&self, pod: &PodRef);
    /// Puts an autoscaler on a Deployment of the namespace `default`.
    fn autoscale(&self, name: &str, cpu: bool, memory: bool);
    /// Gives the cluster the resize subresource of pods, which it does not have before.
    fn resizes_in_place(&self);
    /// A Service of the namespace `default` over the pods labelled `app: <name>`.
    fn service(&self, name: &str, balanced: bool, headless: bool, distribution: Option<&str>);
    /// Puts a Prometheus at `<namespace>/<service>:<port>` that tells this.
    fn traffic(&self, source: &str, flows: Vec<Flow>);
    /// Lets time go by.
    fn pass(&self, seconds: i64);
}

/// A law's tools.
struct Scene<'a> {
    cluster: Arc<dyn Cluster>,
    stage: &'a dyn Stage,
}

/// Runs every law.
pub async fn suite(cluster: Arc<dyn Cluster>, stage: &dyn Stage) {
    let scene = &Scene { cluster, stage };
    read_only(&scene.cluster).await;
    reads::a_node_is_listed_as_it_is_read(scene).await;
    reads::a_node_that_is_not_there_is_gone(scene).await;
    reads::pods_of_a_node_are_those_bound_to_it(scene).await;
    reads::a_pod_is_read_with_what_decides_about_it(scene).await;
    reads::a_long_list_is_complete_and_without_doubles(scene).await;
    reads::budgets_come_with_their_counts(scene).await;
    reads::daemon_sets_are_named(scene).await;
    reads::use_is_told_per_node(scene).await;
    details::a_pod_in_detail_asks_what_it_was_made_to_ask(scene).await;
    details::pods_in_detail_are_all_pods_each_once(scene).await;
    details::a_list_in_detail_that_expires_begins_anew(scene).await;
    details::a_claim_is_where_its_volume_was_made(scene).await;
    details::a_claim_that_waits_for_its_first_pod_is_anywhere(scene).await;
    cordons::a_cordon_leaves_its_four_marks_and_other_taints(scene).await;
    cordons::a_cordon_that_is_there_changes_nothing(scene).await;
    cordons::a_cordon_needs_no_fresh_look_at_the_taints(scene).await;
    cordons::a_node_never_seen_is_known_by_its_instance(scene).await;
    cordons::a_namesake_is_never_touched(scene).await;
    cordons::a_plan_takes_back_its_own_cordon_only(scene).await;
    cordons::a_later_plan_takes_a_cordon_over(scene).await;
    cordons::whoever_names_no_plan_takes_back_any_cordon_of_ours(scene).await;
    cordons::what_a_person_cordoned_stays_cordoned(scene).await;
    evictions::an_evicted_pod_goes_and_going_twice_is_no_error(scene).await;
    evictions::a_namesake_is_not_evicted(scene).await;
    evictions::a_budget_without_room_refuses_and_says_so(scene).await;
    evictions::a_budget_that_is_being_counted_is_not_a_refusal(scene).await;
    evictions::two_budgets_on_a_pod_are_told(scene).await;
    evictions::a_namespace_that_goes_is_told(scene).await;
    evictions::a_burst_of_evictions_is_taken_whole(scene).await;
    removals::a_deletion_goes_past_a_budget(scene).await;
    removals::a_namesake_of_a_pod_is_not_deleted(scene).await;
    removals::a_node_is_removed_once_and_never_a_namesake(scene).await;
    workloads::a_workload_is_scaled_and_read_back(scene).await;
    workloads::a_workload_that_is_not_there_is_gone(scene).await;
    requests::a_template_is_listed_as_it_is_read(scene).await;
    requests::new_sizes_are_rolled_out_and_can_be_put_back(scene).await;
    requests::a_patch_over_what_was_not_read_is_refused(scene).await;
    requests::use_is_told_per_container(scene).await;
    requests::a_kill_for_lack_of_memory_is_told_with_its_name(scene).await;
    requests::an_autoscaler_is_told_with_what_it_works_on(scene).await;
    requests::a_pod_is_resized_in_place_where_the_cluster_can(scene).await;
    services::a_service_says_how_it_leads_connections(scene).await;
    services::endpoints_are_the_pods_of_a_service_with_their_zone(scene).await;
    services::a_source_of_traffic_tells_who_sent_how_much(scene).await;
    sizes::a_workload_sleeps_with_a_note_and_is_woken_without_one(scene).await;
    sizes::who_was_faster_is_left_alone(scene).await;
    sizes::autoscalers_have_sizes_of_their_own(scene).await;
    sizes::a_cron_job_is_suspended_with_a_note_and_goes_on_without_one(scene).await;
    sizes::a_namespace_is_read_with_its_annotations(scene).await;
}

/// The laws that need no scene and change nothing: for clusters that belong to somebody.
pub async fn read_only(cluster: &Arc<dyn Cluster>) {
    reads::every_list_answers_or_says_which_right_is_missing(cluster).await;
}

impl Scene<'_> {
    async fn view(&self, node: &NodeName) -> NodeView {
        self.cluster.node(node).await.unwrap()
    }

    /// The node as it is now, as something to act on.
    async fn target(&self, node: &NodeName) -> NodeTarget {
        self.view(node).await.target().unwrap()
    }

    /// The pods of a workload, by its label.
    async fn pods(&self, app: &str) -> Vec<PodView> {
        let all = self.cluster.pods(None).await.unwrap();
        all.into_iter().filter(|pod| pod.labels.get("app").is_some_and(|label| label == app)).collect()
    }

    /// A node with a workload in the namespace `default`, and the workload's pods.
    async fn deployed(&self, app: &str, replicas: u32) -> Vec<PodView> {
        let node = self.stage.node(Vec::new());
        self.stage.deployment("default", app, replicas, &node);
        let pods = self.pods(app).await;
        assert_eq!(pods.len(), replicas as usize, "the stage made the pods");
        pods
    }
}

fn taint(key: &str) -> Taint {
    Taint { key: key.to_owned(), value: "yes".to_owned(), effect: "PreferNoSchedule".to_owned(), time_added: None }
}
