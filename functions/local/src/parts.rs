//! Functions on the ports of local mode, each put together as its `main.rs` does on AWS.

use domain::ports::{Courier, Rights, Vault};
use execution::Ports;
use execution::office_hours::OfficeHours;
use execution::permissions::Inspector;
use execution::waste::Scanner;
use sim::store::{MemoryObjects, MemoryQueue, MemoryTrust};
use sim::world::World;
use std::path::Path;
use std::sync::Arc;

/// The market function: the simulated market is its source.
pub(crate) fn market(ports: &Ports, world: &Arc<World>, table: &Arc<aws::DecisionTable>) -> market::Deps {
    market::Deps {
        registry: ports.registry.clone(),
        source: world.clone(),
        store: table.clone(),
        wishes: table.clone(),
        work: table.clone(),
        clock: ports.clock.clone(),
        meter: ports.meter.clone(),
    }
}

/// Files of models: in the folder of the state, put there through this process's own door.
pub(crate) fn objects(ports: &Ports, origin: &str, folder: Option<&Path>) -> Arc<MemoryObjects> {
    let objects = MemoryObjects::new(origin, ports.clock.clone(), api::random_ids());
    Arc::new(match folder {
        Some(folder) => objects.kept_in(folder.join("files")),
        None => objects,
    })
}

/// The scanner on the same ports.
pub(crate) fn scanner(ports: &Ports, table: &Arc<aws::Table>, queue: &Arc<MemoryQueue>, rights: Arc<dyn Rights>) -> Scanner {
    Scanner {
        ports: ports.clone(),
        findings: table.clone(),
        notices: queue.clone(),
        scans: queue.clone(),
        inspector: Some(Inspector::on(ports, rights, Arc::new(MemoryTrust::default()))),
        settings: execution::waste::Settings { ghosts: true, volumes: true, network: true },
    }
}

/// Office hours on the same ports.
pub(crate) fn office_hours(ports: &Ports, table: &Arc<aws::Table>) -> OfficeHours {
    OfficeHours {
        registry: ports.registry.clone(),
        journal: ports.journal.clone(),
        clusters: ports.clusters.clone(),
        nights: table.clone(),
        queue: ports.queue.clone(),
        clock: ports.clock.clone(),
        meter: ports.meter.clone(),
        enabled: true,
        idle: Default::default(),
        roster: Default::default(),
    }
}

/// The real notifier. Mail needs SES, and is said to be unsent.
pub(crate) fn notifier(
    ports: &Ports,
    table: &Arc<aws::Table>,
    queue: &Arc<MemoryQueue>,
    vault: &Arc<dyn Vault>,
    courier: Option<Arc<dyn Courier>>,
) -> anyhow::Result<notifier::Deps> {
    let courier = match courier {
        Some(courier) => courier,
        None => Arc::new(runtime::courier::HttpCourier::new(gate::Gate::this_machine(), None)?),
    };
    let desk = execution::notify::Desk {
        outbox: table.clone(),
        vault: vault.clone(),
        courier,
        notices: queue.clone(),
        clock: ports.clock.clone(),
        meter: ports.meter.clone(),
    };
    Ok(notifier::Deps { desk, queue: queue.clone() })
}
