//! Rows of the embedded tables.

use super::sheet::BadTable;
use domain::Timestamp;
use domain::catalog::{Arch, Hypervisor, TypeInfo};
use domain::ids::InstanceType;
use domain::market::{Advice, Band};

/// Reads the table of types. They come out by name, whatever their order in the file.
pub(super) fn types(text: &str) -> Result<Vec<TypeInfo>, BadTable> {
    let mut types = Vec::new();
    for (at, line) in text.lines().enumerate().skip(1) {
        let row = type_row(line).ok_or(BadTable { table: "instance_types", line: at + 1, what: "a type that cannot be read" })?;
        types.push(row);
    }
    types.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(types)
}

/// One type. Counts that are zero, and marks that are not set, are empty cells.
fn type_row(line: &str) -> Option<TypeInfo> {
    let mut cells = line.split(',');
    let mut next = || cells.next().unwrap_or_default();
    let name = InstanceType::parse(next()).ok()?;
    let arch = match next() {
        "amd64" => Arch::Amd64,
        "arm64" => Arch::Arm64,
        _ => return None,
    };
    Some(TypeInfo {
        name,
        arch,
        vcpu: next().parse().ok()?,
        memory_bytes: next().parse::<u64>().ok()? << 20,
        allocatable_cpu_millis: next().parse().ok()?,
        allocatable_memory_bytes: next().parse::<u64>().ok()? << 20,
        pods_max: next().parse().ok()?,
        category: next().to_owned(),
        generation: next().parse().ok()?,
        current: next().is_empty(),
        gpu_count: count(next())?,
        accelerator_count: count(next())?,
        nvme_bytes: u64::from(count(next())?) << 30,
        flex: !next().is_empty(),
        hypervisor: match next() {
            "nitro" => Hypervisor::Nitro,
            "xen" => Hypervisor::Xen,
            "metal" => Hypervisor::Metal,
            _ => return None,
        },
        coremark: Some(count(next())?).filter(|measured| *measured > 0),
    })
}

fn count(cell: &str) -> Option<u32> {
    if cell.is_empty() { Some(0) } else { cell.parse().ok() }
}

/// One cell of the Spot Advisor's table: savings in percent, a slash, the band.
pub(super) fn advice(cell: &str, as_of: Timestamp) -> Option<Advice> {
    let (savings, band) = cell.split_once('/')?;
    let band = Band::try_from(band.parse::<u8>().ok()?).ok()?;
    Some(Advice { band, savings_percent: savings.parse().ok().filter(|percent| (-100..=100).contains(percent))?, as_of })
}
