//! When the market is read: what was read, what is next, and how often, which whoever runs this control plane sets.

use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::server::{change, instant, list, manages, tagged, text};
use crate::show;
use crate::view::{Cell, Column, Field, Form, Table, Tone, aged};
use domain::tenant::Role;
use http::Method;
use serde_json::{Map, Value, json};

/// Where the decision server keeps it.
const PATH: &str = "/api/v1/ml/refresh/schedule";
/// Parts by their names, with what people call them and the field of each.
const PARTS: [(&str, &str, &str); 3] = [
    ("spot-prices", "Spot prices, minutes", "spot_prices_minutes"),
    ("on-demand", "On-demand prices, minutes", "on_demand_minutes"),
    ("advisor", "Spot Advisor, minutes", "advisor_minutes"),
];

/// How often each part is read.
pub struct Schedule {
    parts: Value,
    version: String,
}

impl Schedule {
    /// As the decision server tells it; or, in one sentence, why it does not.
    ///
    /// # Errors
    /// The sentence.
    pub async fn of(ask: &Ask) -> Result<Schedule, String> {
        tagged(ask, PATH).await.map(|(parts, version)| Schedule { parts, version })
    }

    fn part(&self, name: &str) -> Option<&Value> {
        self.parts.as_array()?.iter().find(|part| text(part, "part") == name)
    }

    /// How often a part is read, in minutes.
    pub fn minutes(&self, name: &str) -> Option<i64> {
        self.part(name)?["minutes"].as_i64()
    }

    /// Who set it, and when.
    fn said(&self, ask: &Ask) -> String {
        let set = self.parts.as_array().and_then(|parts| parts.first()).filter(|part| part["set_by"].is_string());
        set.map_or_else(
            || "as it was built in: nobody has set it".to_owned(),
            |part| format!("set by {} {}", text(part, "set_by"), aged(ask.now, instant(part, "set_at"))),
        )
    }
}

/// Every so many minutes, in words.
pub fn every(minutes: i64) -> String {
    format!("every {}", show::lasting(domain::SignedDuration::from_mins(minutes)))
}

/// What was read and when, what is next, how often, and how often it may be.
pub fn table(status: &Value, schedule: Option<&Schedule>, ask: &Ask) -> Table {
    let rows = list(status, "parts").iter().map(|part| {
        let asked = part["asked_for"].as_bool().unwrap_or_default();
        let name = text(part, "part");
        let set = schedule.and_then(|schedule| schedule.part(name));
        let bound =
            |of: &str| set.and_then(|set| set[of].as_i64()).map(|minutes| show::lasting(domain::SignedDuration::from_mins(minutes)));
        let within = bound("fewest_minutes").zip(bound("most_minutes")).map_or_else(String::new, |(low, high)| format!("{low} to {high}"));
        vec![
            Cell::text(name.replace('-', " ")),
            Cell::text(aged(ask.now, instant(part, "read_at"))),
            instant(part, "due_at")
                .map_or_else(Cell::default, |at| Cell::text(if at <= ask.now { "now".to_owned() } else { show::ahead(ask.now, at) })),
            Cell::text(schedule.and_then(|schedule| schedule.minutes(name)).map_or_else(|| "–".to_owned(), every)),
            Cell::text(within),
            if asked { Cell::mark("asked for", Tone::Busy) } else { Cell::mark("as scheduled", Tone::Quiet) },
        ]
    });
    let table = Table::new("refresh", "When the market is read")
        .columns(["What", "Read", "Next", "How often", "May be set to", "Why"].map(Column::text))
        .rows(rows);
    table.age(schedule.map_or_else(String::new, |schedule| schedule.said(ask)))
}

/// The form that sets it, for whoever may.
pub fn form(schedule: &Schedule, ask: &Ask) -> Option<Form> {
    if !manages(ask) {
        return None;
    }
    let form = Form::new("/console/gaps/schedule", "Set how often")
        .says("Holds for every Region, from the next look at the market on: one every three minutes.")
        .field(Field::hidden("version", schedule.version.clone()));
    Some(PARTS.into_iter().fold(form, |form, (name, label, field)| {
        form.field(Field::text(field, label, schedule.minutes(name).map_or_else(String::new, |minutes| minutes.to_string())))
    }))
}

/// `POST /console/gaps/schedule`: minutes of each part, and the version that was read.
///
/// # Errors
/// They may not, it is out of its bounds, or somebody else set it first.
pub async fn set(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let mut minutes = Map::new();
    for (_, label, field) in PARTS {
        if let Some(said) = act.get(field) {
            let number: u32 = said.parse().map_err(|_| Failure::Refused(format!("{label}: a whole number is needed, not `{said}`.")))?;
            minutes.insert(field.to_owned(), json!(number));
        }
    }
    let version = act.need("version")?;
    change(&act, Method::PUT, PATH, Some(&Value::Object(minutes)), Some(version)).await?;
    act.done("/console/gaps", "schedule")
}
