//! The functions, as they are put together for Lambda: over one table, one queue and the wires.

use super::thinking::Thinking;
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::ports::Rights;
use execution::Ports;
use execution::office_hours::OfficeHours;
use execution::optimize::{Lookout, Optimizer, Settings, Sizing};
use execution::permissions::Inspector;
use execution::waste::Scanner;
use sim::store::{MemoryQueue, MemoryTrust};
use std::sync::Arc;

pub fn optimizer(ports: &Ports, table: &Arc<aws::Table>, queue: &Arc<MemoryQueue>, thinking: &Arc<Thinking>) -> Optimizer {
    Optimizer {
        surveyor: Arc::new(Lookout::new(ports.clone())),
        ports: ports.clone(),
        optimizations: table.clone(),
        sizing: Some(Sizing { usages: table.clone(), findings: table.clone(), rightsizing: true, oom: true }),
        ledger: table.clone(),
        rounds: queue.clone(),
        advisor: thinking.clone(),
        settings: Settings {
            interval: SignedDuration::from_mins(10),
            enabled: vec![DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize],
        },
    }
}

pub fn office_hours(ports: &Ports, table: &Arc<aws::Table>, queue: &Arc<MemoryQueue>) -> OfficeHours {
    OfficeHours {
        registry: table.clone(),
        journal: table.clone(),
        clusters: ports.clusters.clone(),
        nights: table.clone(),
        queue: queue.clone(),
        clock: ports.clock.clone(),
        meter: ports.meter.clone(),
        enabled: true,
        idle: Default::default(),
        roster: Default::default(),
    }
}

pub fn scanner(ports: &Ports, table: &Arc<aws::Table>, queue: &Arc<MemoryQueue>, rights: Arc<dyn Rights>) -> Scanner {
    Scanner {
        ports: ports.clone(),
        findings: table.clone(),
        notices: ports.notices.clone(),
        scans: queue.clone(),
        inspector: Some(Inspector::on(ports, rights, Arc::new(MemoryTrust::default()))),
        settings: execution::waste::Settings { ghosts: true, volumes: true, network: true },
    }
}
