use super::*;
use crate::pod::tests::{owner, pod};
use crate::pod::{PodPhase, PodView};

const NOTHING: Accepts = Accepts { daemon_sets: false, empty_dir: false, no_controller: false };
const IGNORE_DAEMON_SETS: Accepts = Accepts { daemon_sets: true, ..NOTHING };
const DELETE_EMPTY_DIR: Accepts = Accepts { empty_dir: true, ..NOTHING };
const FORCE: Accepts = Accepts { no_controller: true, ..NOTHING };

/// The DaemonSet `logs` exists; no other does.
fn judged(pod: &PodView, accepts: Accepts) -> Fate {
    judge(pod, accepts, Some(&BTreeSet::from([("default".to_owned(), "logs".to_owned())])))
}

fn of(kind: &str) -> PodView {
    PodView { controller: owner(kind, "web"), ..pod("a") }
}

fn naked() -> PodView {
    PodView { controller: None, ..pod("a") }
}

fn of_daemon_set(name: &str) -> PodView {
    PodView { controller: owner("DaemonSet", name), ..pod("a") }
}

fn finished(of: PodView) -> PodView {
    PodView { phase: PodPhase::Succeeded, ..of }
}

fn with_data(of: PodView) -> PodView {
    PodView { empty_dir: true, ..of }
}

#[test]
fn the_truth_table_of_kubectl_drain_holds() {
    let stays = Fate::Stay(Stay::DaemonSet);
    let both = Accepts { empty_dir: true, ..FORCE };
    let table = [
        ("a pod of a ReplicationController goes", of("ReplicationController"), NOTHING, Fate::Evict),
        ("a pod of a ReplicaSet goes", of("ReplicaSet"), NOTHING, Fate::Evict),
        ("a pod of a StatefulSet goes", of("StatefulSet"), NOTHING, Fate::Evict),
        ("a pod of a Job goes", of("Job"), NOTHING, Fate::Evict),
        ("a pod of a controller that we do not know goes", of("CloneSet"), NOTHING, Fate::Evict),
        ("a finished pod of a Job goes", finished(of("Job")), NOTHING, Fate::Evict),
        ("a pod of a Job with data goes with both flags", with_data(of("Job")), both, Fate::Evict),
        ("a DaemonSet's pod refuses", of_daemon_set("logs"), NOTHING, Fate::Refuse(Refusal::DaemonSet)),
        ("a DaemonSet's pod refuses even under force", of_daemon_set("logs"), FORCE, Fate::Refuse(Refusal::DaemonSet)),
        ("a DaemonSet's pod stays", of_daemon_set("logs"), IGNORE_DAEMON_SETS, stays),
        ("a DaemonSet's pod with data stays", with_data(of_daemon_set("logs")), IGNORE_DAEMON_SETS, stays),
        ("a finished pod of a DaemonSet goes", finished(of_daemon_set("logs")), NOTHING, Fate::Evict),
        ("an orphan of a DaemonSet refuses", of_daemon_set("gone"), NOTHING, Fate::Refuse(Refusal::OrphanOfDaemonSet)),
        ("an orphan is no pod to ignore", of_daemon_set("gone"), IGNORE_DAEMON_SETS, Fate::Refuse(Refusal::OrphanOfDaemonSet)),
        ("an orphan of a DaemonSet goes under force", of_daemon_set("gone"), FORCE, Fate::Evict),
        ("an orphan with data refuses", with_data(of_daemon_set("gone")), FORCE, Fate::Refuse(Refusal::EmptyDir)),
        ("a finished orphan goes", finished(of_daemon_set("gone")), NOTHING, Fate::Evict),
        ("a naked pod refuses", naked(), NOTHING, Fate::Refuse(Refusal::NoController)),
        ("a naked pod goes under force", naked(), FORCE, Fate::Evict),
        ("a finished naked pod goes", finished(naked()), NOTHING, Fate::Evict),
        ("data refuses under force alone", with_data(naked()), FORCE, Fate::Refuse(Refusal::EmptyDir)),
        ("data is asked before the controller", with_data(naked()), NOTHING, Fate::Refuse(Refusal::EmptyDir)),
        ("a naked pod with data needs force, too", with_data(naked()), DELETE_EMPTY_DIR, Fate::Refuse(Refusal::NoController)),
        ("data of a finished pod refuses nothing", finished(with_data(naked())), NOTHING, Fate::Evict),
        ("data refuses", with_data(of("ReplicaSet")), NOTHING, Fate::Refuse(Refusal::EmptyDir)),
        ("data may be lost where that is accepted", with_data(of("ReplicaSet")), DELETE_EMPTY_DIR, Fate::Evict),
    ];
    for (law, pod, accepts, fate) in table {
        assert_eq!(judged(&pod, accepts), fate, "{law}");
    }
}

#[test]
fn a_static_pod_stays_silently_whatever_else_it_is() {
    for of in [naked(), with_data(naked()), finished(naked()), of("Node"), of_daemon_set("gone")] {
        for accepts in [FORCE, Accepts::DYING] {
            assert_eq!(judged(&PodView { mirror: true, ..of.clone() }, accepts), Fate::Stay(Stay::Mirror));
        }
    }
}

#[test]
fn a_daemon_set_of_another_namespace_with_the_same_name_is_another() {
    let mut elsewhere = of_daemon_set("logs");
    elsewhere.pod.namespace = "other".to_owned();
    assert_eq!(judged(&elsewhere, NOTHING), Fate::Refuse(Refusal::OrphanOfDaemonSet));
}

#[test]
fn where_daemon_sets_cannot_be_read_the_owner_reference_is_trusted() {
    assert_eq!(judge(&of_daemon_set("gone"), Accepts::DYING, None), Fate::Stay(Stay::DaemonSet));
}

#[test]
fn a_pod_on_its_way_out_is_waited_for_and_not_evicted_again() {
    let leaving = |of: PodView| PodView { deletion_at: Some(jiff::Timestamp::UNIX_EPOCH), ..of };
    for of in [of("ReplicaSet"), finished(of("Job")), with_data(naked()), of_daemon_set("gone")] {
        assert_eq!(judged(&leaving(of), Accepts::DYING), Fate::Leaving);
    }
    assert_eq!(judged(&leaving(of_daemon_set("logs")), Accepts::DYING), Fate::Stay(Stay::DaemonSet));
}

#[test]
fn nothing_forbids_the_drain_of_a_dying_node() {
    for controller in [None, owner("DaemonSet", "logs"), owner("DaemonSet", "gone"), owner("ReplicaSet", "web")] {
        for bits in 0..16_u8 {
            let pod = PodView {
                controller: controller.clone(),
                mirror: bits & 1 != 0,
                empty_dir: bits & 2 != 0,
                phase: if bits & 4 != 0 { PodPhase::Failed } else { PodPhase::Unknown },
                do_not_disrupt: bits & 8 != 0,
                ..pod("a")
            };
            assert!(!matches!(judged(&pod, Accepts::DYING), Fate::Refuse(_)), "{pod:?}");
        }
    }
}
