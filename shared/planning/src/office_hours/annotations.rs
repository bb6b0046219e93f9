//! The annotations of kube-downscaler.

use domain::office_hours::{Defaults, Dialect, Rules, Spec};
use domain::{SignedDuration, Timestamp};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What the keys begin with.
const PREFIX: &str = "downscaler/";

/// The formats that py-kube-downscaler reads times in, without those that name their offset: they mean UTC.
const FORMATS: [&str; 3] = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"];

/// An annotation, or a rule, that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its annotation {key} cannot be read: {why}")]
pub struct Unreadable {
    /// The key.
    pub key: String,
    /// Why, in one sentence.
    pub why: String,
}

/// Whether any of these annotations are for office hours, the note of an original aside.
pub fn any(annotations: &BTreeMap<String, String>) -> bool {
    annotations.keys().any(|key| key.starts_with(PREFIX) && key != domain::office_hours::ORIGINAL)
}

/// Whether a pod that is not over asks for everything to be up.
pub fn pod_forces_up(over: bool, annotations: &BTreeMap<String, String>) -> bool {
    !over && annotations.get("downscaler/force-uptime").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// What annotations say.
///
/// # Errors
/// [`Unreadable`]: one of them says nothing that can be understood. The object is then left alone.
pub fn rules(annotations: &BTreeMap<String, String>, dialect: Dialect, defaults: Defaults<'_>) -> Result<Rules, Unreadable> {
    let text = |key: &str| annotations.get(&format!("{PREFIX}{key}")).map(String::as_str);
    let spec = |key: &str| read(key, text(key), |value| Spec::parse(value, dialect, defaults).map_err(|error| error.to_string()));
    // There, these take a plain truth value, too.
    let truth = |key: &str| {
        read(key, text(key), |value| match (dialect, value.to_ascii_lowercase().as_str()) {
            (Dialect::Python, "true") => Ok(Spec::always()),
            (Dialect::Python, "false") => Ok(Spec::never()),
            (Dialect::Python | Dialect::Go, _) => Spec::parse(value, dialect, defaults).map_err(|error| error.to_string()),
        })
    };
    let exclude = match dialect {
        Dialect::Python => text("exclude").map(|value| if value == "false" { Spec::never() } else { Spec::always() }),
        Dialect::Go => spec("exclude")?,
    };
    let exclude_until = match (text("exclude-until"), dialect) {
        (None, _) => None,
        // It is passed over there, with a warning.
        (Some(value), Dialect::Python) => instant(value),
        (value, Dialect::Go) => read("exclude-until", value, |value| instant(value).ok_or_else(|| format!("{value:?} is no time")))?,
    };
    let grace_s = match (text("grace-period"), dialect) {
        (None, _) => None,
        (Some(value), Dialect::Python) => value.trim().parse().ok(),
        (value, Dialect::Go) => read("grace-period", value, |value| seconds(value).ok_or_else(|| format!("{value:?} is no duration")))?,
    };
    Ok(Rules {
        uptime: spec("uptime")?,
        downtime: spec("downtime")?,
        upscale_period: spec("upscale-period")?,
        downscale_period: spec("downscale-period")?,
        force_uptime: truth("force-uptime")?,
        force_downtime: truth("force-downtime")?,
        exclude,
        exclude_until,
        downtime_replicas: read("downtime-replicas", text("downtime-replicas"), |value| {
            value.trim().parse().map_err(|_| format!("{value:?} is no number of replicas"))
        })?,
        grace_s,
    })
}

fn read<T>(key: &str, value: Option<&str>, how: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Unreadable> {
    value.map(|value| how(value).map_err(|why| Unreadable { key: format!("{PREFIX}{key}"), why })).transpose()
}

/// A time with an offset, or one of [`FORMATS`] in UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let local = |format: &&str| {
        let read = jiff::fmt::strtime::parse(format, text).ok()?;
        let civil = read.to_datetime().or_else(|_| read.to_date().map(|date| date.at(0, 0, 0, 0))).ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    };
    text.parse().ok().or_else(|| FORMATS.iter().find_map(local))
}

/// Seconds, or a duration such as `15m`.
fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let spelled = || text.parse::<SignedDuration>().ok().and_then(|duration| u32::try_from(duration.as_secs()).ok());
    text.parse().ok().or_else(spelled)
}
