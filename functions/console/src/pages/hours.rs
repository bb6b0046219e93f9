//! Office hours: the week of the rules, what sleeps, and waking by hand.

use super::shared;
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::svg::Svg;
use crate::trail::changed;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, acts};
use crate::words;
use domain::office_hours::{APPROVED_KEY, AWAKE_KEY, CUSTOMER_KEY, Rules, fingerprint, of_cluster};
use domain::tenant::{Cluster, Role};
use domain::{SignedDuration, Timestamp};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// The longest time that a cluster is kept awake with one form, in minutes: a week, as in the API.
const WAKE_MINUTES_MAX: i64 = 7 * 24 * 60;

/// What people have said.
struct Said {
    customer: Option<Rules>,
    approved: Option<String>,
    awake_until: Option<Timestamp>,
}

async fn said(ask: &Ask, cluster: &Cluster) -> Result<Said, Failure> {
    let registry = &ask.deps.registry;
    let (approved_key, awake_key) = (of_cluster(APPROVED_KEY, &cluster.id), of_cluster(AWAKE_KEY, &cluster.id));
    let (customer, approved, awake) = tokio::try_join!(
        registry.config(&cluster.customer, CUSTOMER_KEY),
        registry.config(&cluster.customer, &approved_key),
        registry.config(&cluster.customer, &awake_key)
    )?;
    let customer = customer.and_then(|value| serde_json::from_value(value).ok());
    let awake_until = awake.and_then(|value| serde_json::from_value(value).ok()).filter(|until| *until > ask.now);
    Ok(Said { customer, approved: approved.and_then(|value| value.as_str().map(str::to_owned)), awake_until })
}

/// `GET /console/office-hours`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let lead = "Workloads that nobody needs at night sleep, and are up again before the day begins. What follows from annotations in the cluster stands in GET /api/v1/office-hours/{cluster_id}.";
    let page = Page::new("hours", "Office hours", lead);
    let Some(cluster) = ask.cluster_or_first().await? else {
        return ask.page(shared::no_cluster(page)).await;
    };
    let (said, rows) = tokio::join!(said(&ask, &cluster), ask.deps.nights.asleep(&cluster.customer, &cluster.id));
    let (said, rows) = (said?, rows?);
    let policy = &cluster.policy.office_hours;
    let print = fingerprint(policy, said.customer.as_ref());
    let approved = said.approved.as_deref() == Some(print.as_str());
    let awake = said.awake_until.map_or_else(|| "by its schedule".to_owned(), |until| format!("kept awake until {}", show::utc(until)));
    let cards = vec![
        Card::new("Mode", words::mode(policy.mode), "of this cluster"),
        Card::new("Rules approved", if approved { "yes" } else { "no" }, format!("fingerprint {}", print.get(..12).unwrap_or_default())),
        Card::new("Asleep", rows.len().to_string(), "workloads, by our own rows"),
        Card::new("State", awake, show::utc(ask.now)),
    ];
    let mut page = page.with(shared::chooser(&ask, "/console/office-hours", &cluster.id).await?).with(cards);
    if acts(&ask) {
        page = page.with(Part::Forms(forms(&cluster, &print, approved, &said)));
    }
    page = page.with(rules(&cluster, said.customer.as_ref()));
    page = page
        .maybe(calendar(&policy.cluster, "this cluster", &ask))
        .maybe(said.customer.as_ref().and_then(|rules| calendar(rules, "all clusters", &ask)));
    let asleep = rows.iter().map(|row| {
        vec![
            Cell::text(row.target.to_string()),
            Cell::text(row.original.map_or_else(|| "–".to_owned(), |size| size.to_string())),
            Cell::count(row.downtime_replicas),
            Cell::ago(ask.now, row.decided_at),
        ]
    });
    let columns = [Column::text("Workload"), Column::text("Replicas by day"), Column::number("Asleep", "replicas"), Column::text("Since")];
    ask.page(page.with(Table::new("asleep", "What sleeps").columns(columns).rows(asleep).empty("Nothing sleeps now."))).await
}

fn forms(cluster: &Cluster, print: &str, approved: bool, said: &Said) -> Vec<Form> {
    let of = |form: Form| form.field(Field::hidden("cluster", cluster.id.as_str()));
    let spans = [("60", "an hour"), ("240", "four hours"), ("720", "twelve hours"), ("1440", "a day")]
        .map(|(value, says)| (value.to_owned(), says.to_owned()));
    let mut forms = vec![
        of(Form::new("/console/office-hours/wake", "Keep awake"))
            .field(Field::choice("minutes", "For", "240", spans.to_vec()))
            .says("Everything of this cluster is up for so long, whatever the rules say."),
    ];
    if said.awake_until.is_some() {
        forms.push(of(Form::new("/console/office-hours/wake", "Let the rules hold again")).field(Field::hidden("minutes", "0")));
    }
    if !approved {
        let form = of(Form::new("/console/office-hours/approve", "Approve these rules")).field(Field::hidden("fingerprint", print));
        forms.push(form.says("For the mode `approve`. Other rules need another approval."));
    }
    forms
}

fn lines(scope: &str, rules: &Rules) -> Vec<Vec<Cell>> {
    let all = [
        ("up", &rules.uptime),
        ("asleep", &rules.downtime),
        ("woken", &rules.upscale_period),
        ("put to sleep", &rules.downscale_period),
        ("always up", &rules.force_uptime),
        ("always asleep", &rules.force_downtime),
        ("left alone", &rules.exclude),
    ];
    let said = all.iter().filter_map(|(name, spec)| spec.as_ref().map(|spec| (*name, spec.to_string())));
    said.map(|(name, spec)| vec![Cell::text(scope), Cell::text(name), Cell::text(spec)]).collect()
}

fn rules(cluster: &Cluster, customer: Option<&Rules>) -> Table {
    let policy = &cluster.policy.office_hours;
    let mut rows = customer.map(|rules| lines("all clusters", rules)).unwrap_or_default();
    rows.extend(lines("this cluster", &policy.cluster));
    rows.extend(policy.namespaces.iter().flat_map(|(name, rules)| lines(&format!("namespace {name}"), rules)));
    rows.extend(policy.workloads.iter().flat_map(|(name, rules)| lines(&format!("workload {name}"), rules)));
    Table::new("rules", "Rules").columns(["Scope", "What", "When"].map(Column::text)).rows(rows).empty("No rules are set: PUT /api/v1/office-hours for all clusters, or office_hours in the policy of one. Annotations in the cluster count, too.")
}

/// A week from this hour on, hour by hour: up, asleep or as it is.
fn calendar(rules: &Rules, scope: &str, ask: &Ask) -> Option<Part> {
    if !rules.scheduled() {
        return None;
    }
    let mut svg = Svg::new(760, 190);
    let begin = domain::savings::hour_of(ask.now);
    for hour in (0..24).step_by(3) {
        svg.text("q m", (96.0 + 27.0 * f64::from(hour), 14.0), &format!("{hour:02}"));
    }
    let (mut up_hours, mut names) = (0, std::collections::BTreeSet::new());
    for offset in 0..168_i64 {
        let at = begin + SignedDuration::from_hours(offset);
        let local = at.to_zoned(TimeZone::UTC);
        let day = f64::from(local.weekday().to_monday_zero_offset());
        let hour = f64::from(local.hour());
        let holds = |spec: &Option<domain::office_hours::Spec>| spec.as_ref().map(|spec| spec.holds(at).unwrap_or(false));
        let up = match (holds(&rules.force_uptime), holds(&rules.force_downtime), holds(&rules.uptime), holds(&rules.downtime)) {
            (Some(true), ..) => Some(true),
            (_, Some(true), ..) => Some(false),
            (_, _, Some(up), _) => Some(up),
            (_, _, None, Some(down)) => Some(!down),
            _ => None,
        };
        let (class, word) = match up {
            Some(true) => ("two", "up"),
            Some(false) => ("rail", "asleep"),
            None => ("softf", "as it is"),
        };
        up_hours += i64::from(up == Some(true));
        let name = format!("{:?}", local.weekday());
        svg.rect(class, (84.0 + 27.0 * hour, 22.0 + 22.0 * day), (25.0, 19.0), &format!("{name} {hour:02}:00 UTC: {word}"));
        if names.insert(name.clone()) {
            svg.text("e", (76.0, 36.0 + 22.0 * day), &name);
        }
    }
    let words = format!("up for {up_hours} of the 168 hours of the coming week");
    Some(Part::Drawing { title: format!("The coming week for {scope}, hours of UTC: {words}"), words, svg: svg.finish() })
}

/// `POST /console/office-hours/wake`.
///
/// # Errors
/// They may not, or it is not theirs.
pub async fn wake(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let cluster = act.ask.cluster(act.need("cluster")?).await?;
    let minutes: Option<i64> = act.need("minutes")?.parse().ok().filter(|minutes| (0..=WAKE_MINUTES_MAX).contains(minutes));
    let minutes = minutes.ok_or_else(|| Failure::Refused(format!("A cluster is kept awake for 0 to {WAKE_MINUTES_MAX} minutes.")))?;
    let until = act.ask.now + SignedDuration::from_mins(minutes);
    set(&act, &cluster, AWAKE_KEY, &json!(until), if minutes == 0 { "asleep" } else { "awake" }).await
}

/// `POST /console/office-hours/approve`.
///
/// # Errors
/// They may not, it is not theirs, or the rules are others by now.
pub async fn approve(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let cluster = act.ask.cluster(act.need("cluster")?).await?;
    let said = said(&act.ask, &cluster).await?;
    let print = fingerprint(&cluster.policy.office_hours, said.customer.as_ref());
    if act.need("fingerprint")? != print {
        return Err(Failure::Refused(
            "The rules were changed since you read them. Read them again, and approve what you have read.".to_owned(),
        ));
    }
    set(&act, &cluster, APPROVED_KEY, &json!(print), "hours").await
}

/// Writes a value of a cluster, and says what was there.
async fn set(act: &Act, cluster: &Cluster, key: &str, value: &Value, what: &str) -> Answer {
    let (registry, name) = (&act.ask.deps.registry, of_cluster(key, &cluster.id));
    let was = registry.config(&cluster.customer, &name).await?.unwrap_or(Value::Null);
    registry.put_config(&cluster.customer, &name, value).await?;
    let named = |value: &Value| json!({ (name.as_str()): value });
    Ok(changed(act.done(&format!("/console/office-hours?cluster={}", cluster.id), what)?, named(&was), named(value)))
}
