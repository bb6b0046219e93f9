//! Pods that the kubelet evicted because their node ran out of memory: an OOM kill by another name.

/// A container that used too much of what ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvictedFor {
    /// The container.
    pub container: String,
    /// What it used, as the event writes it.
    pub usage: String,
}

/// Reads the annotations of an event with the reason `Evicted` on a pod: three lists of equal length, else nothing.
pub fn evicted_for(containers: &str, usage: &str, starved: &str) -> Vec<EvictedFor> {
    let list = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let (containers, usage, starved) = (list(containers), list(usage), list(starved));
    if containers.len() != usage.len() || containers.len() != starved.len() {
        return Vec::new();
    }
    let all = containers.into_iter().zip(usage).zip(starved);
    all.filter(|(_, starved)| starved == "memory").map(|((container, usage), _)| EvictedFor { container, usage }).collect()
}
