//! Clusters of middle size, by seed.

use super::world::{ZONES, class, daemon, disturb, node, request, term, zone};
use domain::decision::{DecisionRequest, DecisionType};
use domain::offering::CapacityType;
use domain::scheduling::HostPort;
use domain::snapshot::{Placed, SnapshotNode};

/// A cluster of so many nodes that are filled to between a quarter and nine tenths, with constraints on three classes of ten.
pub(crate) fn filled(seed: u64, nodes: usize) -> DecisionRequest {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut classes = vec![daemon("logs")];
    for at in 0..20 {
        let name = format!("app-{at}");
        let mut class = class(&name, [100, 250, 500, 1_000, 1_500][rng.usize(..5)], [1, 1, 2, 4][rng.usize(..4)]);
        let scheduling = &mut class.scheduling;
        match at {
            0 | 1 => scheduling.anti_affinity.push(term(&name, "kubernetes.io/hostname")),
            2 => scheduling.volume_zones = Some(vec![zone(ZONES[rng.usize(..3)])]),
            3 => {
                scheduling.node_selector.insert("team".to_owned(), "red".to_owned());
            }
            4 => scheduling.affinity.push(term(&name, "topology.kubernetes.io/zone")),
            5 => scheduling.host_ports.push(HostPort { ip: String::new(), protocol: "TCP".to_owned(), port: 8080 }),
            _ => {}
        }
        classes.push(class);
    }
    let types = ["m6i.xlarge", "r6i.xlarge", "c6i.2xlarge", "m6i.2xlarge", "m6i.4xlarge"];
    let make = |number: usize, rng: &mut fastrand::Rng| {
        let mut node = node(number, types[rng.usize(..types.len())], CapacityType::OnDemand, &[(0, 1)]);
        disturb(rng, &mut node);
        node
    };
    let nodes: Vec<SnapshotNode> = (0..nodes).map(|number| make(number, &mut rng)).collect();
    let mut request = request(DecisionType::BinPack, classes, nodes);
    let empty = request.snapshot.clone();
    let index = crate::placement::Index::new(&empty);
    let mut state = crate::placement::State::new(&index);
    for (id, node) in request.snapshot.nodes.iter_mut().enumerate() {
        let share = rng.u64(25..90);
        for _ in 0..40 {
            let class = rng.usize(1..empty.classes.len());
            let used = empty.requested(node).cpu_millis * 100 >= node.allocatable.cpu_millis * share;
            if !used && state.fits(class, id) {
                state.place(class, id);
                let class = u32::try_from(class).unwrap();
                match node.pods.iter_mut().find(|placed| placed.class == class) {
                    Some(placed) => placed.count += 1,
                    None => node.pods.push(Placed { class, count: 1 }),
                }
            }
        }
    }
    request
}
