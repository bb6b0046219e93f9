//! Who has the say: from the narrowest scope to the widest.

use super::Situation;
use super::annotations::{self, Unreadable};
use domain::office_hours::{Dialect, Rules, Spec, SpecError};
use domain::{SignedDuration, Timestamp};
use jiff::tz::TimeZone;

/// Where rules stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Annotations of the object.
    Workload,
    /// What the customer set for the workload.
    WorkloadConfig,
    /// Annotations of its namespace.
    Namespace,
    /// What the customer set for the namespace.
    NamespaceConfig,
    /// What the customer set for the cluster.
    Cluster,
    /// What the customer set for all clusters.
    Customer,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Scope::Workload => "its annotations",
            Scope::WorkloadConfig => "the rules for it",
            Scope::Namespace => "the annotations of its namespace",
            Scope::NamespaceConfig => "the rules for its namespace",
            Scope::Cluster => "the rules for the cluster",
            Scope::Customer => "the rules for all clusters",
        })
    }
}

/// Rules with where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scoped {
    /// Where.
    pub scope: Scope,
    /// What they say.
    pub rules: Rules,
}

/// What an object should be, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Up.
    Up(String),
    /// Asleep.
    Down(String),
    /// As it is.
    AsIs(String),
    /// Nobody says anything.
    Unscheduled,
}

/// Why it cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Puzzle {
    /// Two values of one scope contradict each other.
    #[error("{0} say both {1} and {2}")]
    AtOdds(Scope, &'static str, &'static str),
    /// A time cannot be read.
    #[error("{0} hold a time that cannot be read: {1}")]
    Time(Scope, SpecError),
}

/// The scopes of an object, narrowest first. An autoscaler goes by what is said of its workload, too.
pub(super) fn of(on: &Situation<'_>) -> Result<Vec<Scoped>, Unreadable> {
    let policy = on.policy;
    let read = |annotations| match policy.annotations {
        true => annotations::rules(annotations, policy.dialect, policy.defaults()),
        false => Ok(Rules::default()),
    };
    let mut scopes = vec![(Scope::Workload, read(&on.object.annotations)?)];
    if let Some(scaled) = on.scaled {
        scopes.push((Scope::Workload, read(&scaled.annotations)?));
    }
    scopes.extend(policy.workloads.get(&super::title(on.object)).map(|rules| (Scope::WorkloadConfig, rules.clone())));
    if let Some(namespace) = on.namespace {
        scopes.push((Scope::Namespace, read(&namespace.annotations)?));
    }
    scopes.extend(policy.namespaces.get(&on.object.target.namespace).map(|rules| (Scope::NamespaceConfig, rules.clone())));
    scopes.push((Scope::Cluster, policy.cluster.clone()));
    scopes.extend(on.customer.map(|rules| (Scope::Customer, rules.clone())));
    Ok(scopes.into_iter().map(|(scope, rules)| Scoped { scope, rules }).collect())
}

/// The first value that any scope has.
pub(super) fn first<T>(scopes: &[Scoped], value: impl Fn(&Rules) -> Option<T>) -> Option<T> {
    scopes.iter().find_map(|scoped| value(&scoped.rules))
}

/// Why an object is left alone, if it is. Where the one kube-downscaler reads every scope, the other stops at the first that says
/// anything.
pub(super) fn excluded(on: &Situation<'_>, scopes: &[Scoped]) -> Result<Option<String>, Puzzle> {
    for Scoped { scope, rules } in scopes {
        if rules.exclude.is_none() && rules.exclude_until.is_none() {
            continue;
        }
        if holds(*scope, rules.exclude.as_ref(), on.now)? == Some(true) {
            return Ok(Some(format!("{scope} exclude it")));
        }
        if let Some(until) = rules.exclude_until.filter(|until| on.now < *until) {
            return Ok(Some(format!("{scope} exclude it until {until}")));
        }
        match on.policy.dialect {
            Dialect::Go => return Ok(None),
            Dialect::Python => {}
        }
    }
    Ok(None)
}

fn holds(scope: Scope, spec: Option<&Spec>, now: Timestamp) -> Result<Option<bool>, Puzzle> {
    spec.map(|spec| spec.holds(now)).transpose().map_err(|error| Puzzle::Time(scope, error))
}

/// What an object should be now. It is up already where its time to be up comes within the lead.
pub(super) fn wanted(on: &Situation<'_>, scopes: &[Scoped]) -> Result<Wanted, Puzzle> {
    if let Some(forced) = forced(scopes, on.policy.dialect, on.now)? {
        return Ok(forced);
    }
    let now = scheduled(on, scopes, on.now)?;
    match now {
        Wanted::Up(_) | Wanted::Unscheduled => return Ok(now),
        Wanted::Down(_) | Wanted::AsIs(_) => {}
    }
    let lead = i64::from(on.policy.lead_s);
    for ahead in (60..lead).step_by(60).chain((lead > 0).then_some(lead)) {
        let then = on.now.checked_add(SignedDuration::from_secs(ahead)).unwrap_or(on.now);
        let soon = match forced(scopes, on.policy.dialect, then)? {
            Some(forced) => forced,
            None => scheduled(on, scopes, then)?,
        };
        if let Wanted::Up(why) = soon {
            return Ok(Wanted::Up(format!("{why}, within {} min", (ahead + 59) / 60)));
        }
    }
    Ok(now)
}

/// Whether it was to be up in any minute of a time that lies behind. What can no longer be said counts as not.
pub(super) fn up_between(on: &Situation<'_>, scopes: &[Scoped], from: Timestamp, until: Timestamp) -> bool {
    let minutes = until.duration_since(from).as_mins();
    // Backwards: where there was such a time, the last one ended not long ago.
    (0..=minutes).map(|minute| until - SignedDuration::from_mins(minute)).any(|at| {
        let said = match forced(scopes, on.policy.dialect, at) {
            Ok(None) => scheduled(on, scopes, at),
            Ok(Some(forced)) => Ok(forced),
            Err(puzzle) => Err(puzzle),
        };
        matches!(said, Ok(Wanted::Up(_)))
    })
}

/// What is forced at a moment; `None`: nothing is.
pub fn forced(scopes: &[Scoped], dialect: Dialect, at: Timestamp) -> Result<Option<Wanted>, Puzzle> {
    let says = |scope: &Scope, what: &str| format!("{scope} force it {what}");
    match dialect {
        Dialect::Go => {
            let Some(Scoped { scope, rules }) = scopes.iter().find(|s| s.rules.force_uptime.is_some() || s.rules.force_downtime.is_some())
            else {
                return Ok(None);
            };
            let up = holds(*scope, rules.force_uptime.as_ref(), at)? == Some(true);
            let down = holds(*scope, rules.force_downtime.as_ref(), at)? == Some(true);
            match (up, down) {
                (true, true) => Err(Puzzle::AtOdds(*scope, "force-uptime", "force-downtime")),
                (true, false) => Ok(Some(Wanted::Up(says(scope, "up")))),
                (false, true) => Ok(Some(Wanted::Down(says(scope, "down")))),
                (false, false) => Ok(None),
            }
        }
        Dialect::Python => {
            if let Some((scope, true)) = held(scopes, |rules| rules.force_uptime.as_ref(), at)? {
                return Ok(Some(Wanted::Up(says(&scope, "up"))));
            }
            let down = held(scopes, |rules| rules.force_downtime.as_ref(), at)?;
            Ok(down.filter(|(_, holds)| *holds).map(|(scope, _)| Wanted::Down(says(&scope, "down"))))
        }
    }
}

/// Whether the first spec of a sort that any scope has holds.
fn held(scopes: &[Scoped], spec: impl Fn(&Rules) -> Option<&Spec>, at: Timestamp) -> Result<Option<(Scope, bool)>, Puzzle> {
    let found = scopes.iter().find_map(|scoped| Some((scoped.scope, spec(&scoped.rules)?)));
    found.map(|(scope, spec)| Ok((scope, holds(scope, Some(spec), at)? == Some(true)))).transpose()
}

/// What the schedule says at a moment, holidays included.
fn scheduled(on: &Situation<'_>, scopes: &[Scoped], at: Timestamp) -> Result<Wanted, Puzzle> {
    let wanted = match on.policy.dialect {
        Dialect::Go => narrowest(scopes, at)?,
        Dialect::Python => key_by_key(scopes, at)?,
    };
    let constant = |spec: &Spec| spec.is_never() || *spec == Spec::always();
    let ruled = scopes.iter().any(|Scoped { rules, .. }| {
        [&rules.uptime, &rules.downtime, &rules.upscale_period].into_iter().flatten().any(|spec| !constant(spec))
    });
    match wanted {
        Wanted::Up(why) if ruled && holiday(on, at) => Ok(Wanted::Down(format!("{why}; but it is a holiday"))),
        other @ (Wanted::Up(_) | Wanted::Down(_) | Wanted::AsIs(_) | Wanted::Unscheduled) => Ok(other),
    }
}

fn holiday(on: &Situation<'_>, at: Timestamp) -> bool {
    if on.policy.holidays.is_empty() {
        return false;
    }
    let zone = on.policy.default_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    on.policy.holidays.contains(&zone.to_datetime(at).date())
}

/// The first scope that says anything of a schedule decides all of it.
pub fn narrowest(scopes: &[Scoped], at: Timestamp) -> Result<Wanted, Puzzle> {
    let says = |rules: &Rules| {
        rules.uptime.is_some() || rules.downtime.is_some() || rules.upscale_period.is_some() || rules.downscale_period.is_some()
    };
    let Some(Scoped { scope, rules }) = scopes.iter().find(|scoped| says(&scoped.rules)) else {
        return Ok(Wanted::Unscheduled);
    };
    if let Some((one, other)) = rules.at_odds() {
        return Err(Puzzle::AtOdds(*scope, one, other));
    }
    if let Some(up) = holds(*scope, rules.uptime.as_ref(), at)? {
        return Ok(up_or_down(up, *scope, rules.uptime.as_ref()));
    }
    if let Some(down) = holds(*scope, rules.downtime.as_ref(), at)? {
        return Ok(up_or_down(!down, *scope, rules.downtime.as_ref()));
    }
    let up = holds(*scope, rules.upscale_period.as_ref(), at)? == Some(true);
    let down = holds(*scope, rules.downscale_period.as_ref(), at)? == Some(true);
    match (up, down) {
        (true, true) => Err(Puzzle::AtOdds(*scope, "upscale-period", "downscale-period")),
        (true, false) => Ok(up_or_down(true, *scope, rules.upscale_period.as_ref())),
        (false, true) => Ok(up_or_down(false, *scope, rules.downscale_period.as_ref())),
        (false, false) => Ok(Wanted::AsIs(format!("{scope} want nothing done now"))),
    }
}

fn up_or_down(up: bool, scope: Scope, spec: Option<&Spec>) -> Wanted {
    let spec = spec.map(Spec::to_string).unwrap_or_default();
    if up { Wanted::Up(format!("{scope} want it up ({spec})")) } else { Wanted::Down(format!("{scope} want it down ({spec})")) }
}

/// Each value comes from the first scope that has it; periods go before uptime and downtime.
fn key_by_key(scopes: &[Scoped], at: Timestamp) -> Result<Wanted, Puzzle> {
    let say = |scope: Scope, what: &str| format!("{scope} want it {what}");
    let given = |spec: fn(&Rules) -> Option<&Spec>| scopes.iter().find_map(|scoped| spec(&scoped.rules));
    let periods: [fn(&Rules) -> Option<&Spec>; 2] = [|rules| rules.upscale_period.as_ref(), |rules| rules.downscale_period.as_ref()];
    if periods.iter().filter_map(|period| given(*period)).any(|spec| !spec.is_never()) {
        let up = held(scopes, periods[0], at)?.filter(|(_, holds)| *holds);
        let down = held(scopes, periods[1], at)?.filter(|(_, holds)| *holds);
        return Ok(match (up, down) {
            (Some((scope, _)), None) => Wanted::Up(say(scope, "up")),
            (None, Some((scope, _))) => Wanted::Down(say(scope, "down")),
            (Some(_), Some(_)) => Wanted::AsIs("both of its periods hold".to_owned()),
            (None, None) => Wanted::AsIs("none of its periods holds".to_owned()),
        });
    }
    let up = held(scopes, |rules| rules.uptime.as_ref(), at)?;
    // What is not up is down, whatever its downtime says: it is not come to.
    if let Some((scope, false)) = up {
        return Ok(Wanted::Down(say(scope, "down")));
    }
    Ok(match (up, held(scopes, |rules| rules.downtime.as_ref(), at)?) {
        (None, None) => Wanted::Unscheduled,
        (_, Some((scope, true))) => Wanted::Down(say(scope, "down")),
        (Some((scope, _)), _) | (None, Some((scope, false))) => Wanted::Up(say(scope, "up")),
    })
}
