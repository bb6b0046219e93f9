//! Limits that follow requests, and the edges that policies and LimitRanges set.

/// Which of requests and limits the autoscaler may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controlled {
    /// Both; limits keep their ratio.
    RequestsAndLimits,
    /// Requests only: they must stay within the limits.
    RequestsOnly,
}

/// The least and the most that is allowed; `None`: no edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cap {
    /// The least.
    pub min: Option<u64>,
    /// The most.
    pub max: Option<u64>,
}

/// What a LimitRange says of containers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitRange {
    /// Requests and limits are not below.
    pub min: Option<u64>,
    /// Requests and limits are not above.
    pub max: Option<u64>,
    /// The limit of a container that sets none.
    pub default_limit: Option<u64>,
}

/// A recommendation within the edges of a policy: the least wins over nothing, the most wins over all.
pub fn cap_to_policy(value: u64, cap: Cap) -> u64 {
    let raised = cap.min.map_or(value, |min| value.max(min));
    cap.max.map_or(raised, |max| raised.min(max))
}

/// A recommendation within the limit that a container has, where the limit is not to be changed.
pub fn cap_to_limit(value: u64, limit: Option<u64>, controlled: Controlled) -> u64 {
    match (controlled, limit) {
        (Controlled::RequestsOnly, Some(limit)) if limit > 0 => value.min(limit),
        (Controlled::RequestsOnly | Controlled::RequestsAndLimits, _) => value,
    }
}

/// The limit that goes with a recommended request, as the ones from before did. `None`: none is set.
pub fn proportional_limit(limit: Option<u64>, request: Option<u64>, recommended: u64, default_limit: Option<u64>) -> Option<u64> {
    let limit = set(limit).or_else(|| set(default_limit))?;
    if recommended == 0 {
        return None;
    }
    match set(request) {
        // Kubernetes takes a limit without a request for both.
        None => Some(recommended),
        Some(request) if request == limit => Some(recommended),
        Some(request) => Some(proportion(recommended, limit, request)),
    }
}

/// The request at which the limit that goes with it reaches an edge. `None`: there is no limit, and so no edge.
pub fn boundary_request(limit: Option<u64>, request: Option<u64>, edge: u64, default_limit: Option<u64>) -> Option<u64> {
    let limit = set(limit).or_else(|| set(default_limit))?;
    Some(set(request).map_or(edge, |request| proportion(edge, request, limit)))
}

/// A recommendation within a LimitRange: so that neither it nor the limit that goes with it is outside.
pub fn cap_to_range(value: u64, request: Option<u64>, limit: Option<u64>, range: LimitRange) -> u64 {
    let edge = |edge: Option<u64>| set(edge).and_then(|edge| boundary_request(limit, request, edge, range.default_limit));
    let capped = cap_to_policy(value, Cap { min: edge(range.min), max: edge(range.max) });
    // Requests themselves must be within, too, with or without a limit.
    cap_to_policy(capped, Cap { min: set(range.min), max: set(range.max) })
}

fn set(value: Option<u64>) -> Option<u64> {
    value.filter(|value| *value > 0)
}

fn proportion(value: u64, result: u64, base: u64) -> u64 {
    let exact = u128::from(value) * u128::from(result) / u128::from(base.max(1));
    u64::try_from(exact).unwrap_or(u64::MAX)
}
