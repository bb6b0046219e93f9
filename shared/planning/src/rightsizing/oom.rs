//! Containers that were killed for lack of memory: each kill counts once, memory is raised, and what keeps growing is called a leak.

use super::estimate::peak;
use super::fold::fold_oom;
use domain::sizing::{Resource, Sizes, WorkloadPolicy};
use domain::usage::{OOMS_KEPT, OomKill, RAISES_KEPT, Usage};

/// How much of what was in use is added, in percent.
pub const RAISE_PERCENT: u64 = 20;
const DAY_S: i64 = 86_400;

/// What is to be done about kills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// More memory.
    Raise {
        /// What the container gets.
        to: Sizes,
        /// Why, in one sentence.
        why: String,
    },
    /// More memory would not help, or may not be given: a person should look.
    LikelyLeak {
        /// Why, in one sentence.
        why: String,
    },
    /// What killed it is mended already: the container has more by now than it had then.
    Mended,
}

/// The kills that were not counted yet. They are counted from now on.
pub fn unseen<'a>(usage: &mut Usage, kills: &'a [OomKill]) -> Vec<&'a OomKill> {
    let mut fresh: Vec<&OomKill> = Vec::new();
    for kill in kills {
        let name = kill.name();
        if usage.ooms.contains(&name) {
            continue;
        }
        usage.ooms.push(name);
        fresh.push(kill);
    }
    // What a status still shows must not be forgotten: as many as it shows, and not fewer than are kept.
    let surplus = usage.ooms.len().saturating_sub(OOMS_KEPT);
    usage.ooms.drain(..surplus);
    fresh
}

/// What is to be done about kills that were not counted before; the memory at which it happened is remembered. `cap`: more than this
/// fits on no node. `None`: there was none.
pub fn remedy(
    usage: &mut Usage,
    kills: &[&OomKill],
    current: &Sizes,
    cap: Option<u64>,
    policy: &WorkloadPolicy,
    now_s: i64,
) -> Option<Remedy> {
    let worst = kills.iter().max_by_key(|kill| kill.request.or(kill.limit).unwrap_or(0))?;
    // What was killed before the last raise is what that answered, though whoever answered died before it was counted. The sizes that
    // a pod shows say nothing of it: a pod that was resized in place shows what it has now.
    let last = usage.raises_s.iter().max().copied();
    let answered = last.is_some_and(|raise| kills.iter().all(|kill| kill.finished_s <= raise));
    if answered {
        return Some(Remedy::Mended);
    }
    for kill in kills {
        fold_oom(usage, kill.request.or(kill.limit).unwrap_or(0), kill.finished_s);
    }
    let request = worst.request.or(worst.limit).unwrap_or(0);
    let base = request.max(peak(&usage.memory_days, now_s).unwrap_or(0));
    let raise = base.saturating_mul(RAISE_PERCENT).div_ceil(100);
    let needed = whole(base.saturating_add(raise));
    floored(usage, needed, now_s, policy);
    // A pod that is older than the last raise was killed under what it had before.
    let grown = match (current.memory_limit, worst.limit) {
        (Some(now), Some(then)) => now > then,
        (None, Some(_)) => true,
        (_, None) => current.memory_request.unwrap_or(0) >= needed,
    };
    if grown {
        return Some(Remedy::Mended);
    }
    let say = |bytes| Resource::Memory.describe(bytes);
    let lately = usage.raises_s.iter().filter(|at| now_s - **at < DAY_S).count();
    if lately >= policy.raises_per_day_max as usize {
        let why = format!("likely leak: its memory was raised {lately} times within a day, and it was killed at {} again", say(base));
        return Some(Remedy::LikelyLeak { why });
    }
    let most = [cap, policy.memory_max_bytes].into_iter().flatten().min().unwrap_or(u64::MAX);
    let limit = current.memory_limit.map(|limit| whole(limit.saturating_add(raise)).max(needed).min(most));
    let to = Sizes { memory_request: Some(needed.max(current.memory_request.unwrap_or(0)).min(most)), memory_limit: limit, ..*current };
    let more = to.memory_limit > current.memory_limit || to.memory_request > current.memory_request;
    if !more || to.memory_limit.is_some_and(|limit| Some(limit) <= current.memory_limit) {
        let why = format!("likely leak: it was killed at {}, and {} is the most that it may get", say(base), say(most));
        return Some(Remedy::LikelyLeak { why });
    }
    let why = format!(
        "it was killed for lack of memory at {}; {RAISE_PERCENT} % more makes a request of {}",
        say(base),
        say(to.memory_request.unwrap_or(0))
    );
    Some(Remedy::Raise { to, why })
}

/// Remembers that less memory than this is not enough.
pub fn floored(usage: &mut Usage, bytes: u64, now_s: i64, policy: &WorkloadPolicy) {
    usage.floor_bytes = usage.floor(now_s).unwrap_or(0).max(bytes);
    usage.floor_until_s = usage.floor_until_s.max(now_s + i64::from(policy.floor_days) * DAY_S);
}

/// Remembers that memory was raised.
pub fn raised(usage: &mut Usage, at_s: i64) {
    usage.raises_s.push(at_s);
    let surplus = usage.raises_s.len().saturating_sub(RAISES_KEPT);
    usage.raises_s.drain(..surplus);
}

/// Whole MiB: what people read.
fn whole(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20).saturating_mul(1 << 20)
}
