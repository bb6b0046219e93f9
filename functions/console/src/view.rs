//! What pages are made of: cards, tables, charts, forms. Everything is escaped by the templates; nothing here is HTML but drawings.

use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::{assets, show, words};
use askama::Template;
use axum::response::{Html, IntoResponse};
use domain::Timestamp;
use domain::ids::ClusterId;
use domain::money::MicroDollars;
use domain::tenant::Role;

mod chart;
mod form;
mod parts;

pub use chart::{Chart, Line, Style};
pub use form::{Field, Form};
pub use parts::{Card, Cell, Column, Table, Tone};

/// A part of a page.
pub enum Part {
    /// Figures beside each other.
    Cards(Vec<Card>),
    /// A table.
    Table(Table),
    /// Lines over time.
    Chart(Chart),
    /// A drawing, made by [`crate::svg`], with a title and what it says in words.
    Drawing {
        /// Its title.
        title: String,
        /// What it says, for whoever does not see it.
        words: String,
        /// The SVG.
        svg: String,
    },
    /// A sentence.
    Note(Tone, String),
    /// Something that is shown once.
    Secret {
        /// What it is.
        says: &'static str,
        /// It.
        secret: String,
    },
    /// Sentences under a title.
    List(String, Vec<String>),
    /// Things that can be done.
    Forms(Vec<Form>),
    /// A form that changes what the page shows.
    Pick(Form),
}

/// A page.
pub struct Page {
    /// Its title.
    pub title: String,
    /// What it shows, in a sentence.
    pub lead: String,
    /// Which entry of the menu it belongs to.
    pub place: &'static str,
    /// How often it looks again, in seconds; 0: only when asked to.
    pub every_s: u32,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl Page {
    /// An empty page.
    pub fn new(place: &'static str, title: impl Into<String>, lead: impl Into<String>) -> Page {
        Page { title: title.into(), lead: lead.into(), place, every_s: 0, parts: Vec::new() }
    }

    /// It looks again every so many seconds.
    #[must_use]
    pub fn live(mut self, every_s: u32) -> Page {
        self.every_s = every_s;
        self
    }

    /// With one part more.
    #[must_use]
    pub fn with(mut self, part: impl Into<Part>) -> Page {
        self.parts.push(part.into());
        self
    }

    /// With one part more, where there is one.
    #[must_use]
    pub fn maybe(self, part: Option<impl Into<Part>>) -> Page {
        match part {
            Some(part) => self.with(part),
            None => self,
        }
    }

    /// One of its tables.
    pub fn table(&self, id: &str) -> Option<&Table> {
        self.parts.iter().find_map(|part| match part {
            Part::Table(table) if table.id == id => Some(table),
            Part::Table(_)
            | Part::Cards(_)
            | Part::Chart(_)
            | Part::Drawing { .. }
            | Part::Note(..)
            | Part::Secret { .. }
            | Part::List(..)
            | Part::Forms(_)
            | Part::Pick(_) => None,
        })
    }
}

impl From<Table> for Part {
    fn from(table: Table) -> Part {
        Part::Table(table)
    }
}

impl From<Chart> for Part {
    fn from(chart: Chart) -> Part {
        Part::Chart(chart)
    }
}

impl From<Vec<Card>> for Part {
    fn from(cards: Vec<Card>) -> Part {
        Part::Cards(cards)
    }
}

/// An entry of the menu.
pub struct Entry {
    /// Its place.
    pub place: &'static str,
    /// Its path behind `/console`.
    pub path: &'static str,
    /// Its name.
    pub name: &'static str,
}

const fn entry(place: &'static str, path: &'static str, name: &'static str) -> Entry {
    Entry { place, path, name }
}

/// The menu, in groups.
pub static MENU: [(&str, &[Entry]); 5] = [
    ("Now", &[entry("overview", "", "Overview"), entry("cost", "/cost", "Live cost"), entry("clusters", "/clusters", "Clusters")]),
    (
        "Decide",
        &[entry("plans", "/plans", "Plans"), entry("decisions", "/decisions", "Decisions"), entry("blockers", "/blockers", "Blockers")],
    ),
    (
        "Save",
        &[
            entry("savings", "/savings", "Savings ledger"),
            entry("waste", "/waste", "Ghosts and waste"),
            entry("rightsizing", "/rightsizing", "Rightsizing"),
            entry("hours", "/office-hours", "Office hours"),
        ],
    ),
    (
        "Market",
        &[
            entry("interruptions", "/interruptions", "Interruptions"),
            entry("predictions", "/predictions", "Predictions"),
            entry("pricing", "/pricing", "Pricing"),
            entry("models", "/models", "Models"),
            entry("gaps", "/gaps", "Data gaps"),
        ],
    ),
    (
        "Run",
        &[
            entry("history", "/history", "History"),
            entry("config", "/config", "Config"),
            entry("keys", "/keys", "Keys"),
            entry("health", "/health", "Health"),
        ],
    ),
];

#[derive(Template)]
#[template(path = "page.html")]
struct Shell<'a> {
    page: &'a Page,
    ask: &'a Ask,
    version: &'a str,
    done: Option<&'static str>,
    halted: Option<String>,
    role: &'static str,
    again: String,
    now: String,
}

impl Shell<'_> {
    fn menu(&self) -> &'static [(&'static str, &'static [Entry])] {
        &MENU
    }

    /// The address of one table as CSV: the same page, the same filters.
    fn csv(&self, table: &str) -> String {
        let mut query: Vec<(&str, &str)> =
            self.ask.query.iter().filter(|(name, _)| *name != "done").map(|(name, value)| (name.as_str(), value.as_str())).collect();
        query.push(("csv", table));
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{}?{text}", self.ask.path)
    }
}

/// The address of this page without what was just done: looked at again, it says nothing twice.
fn again(ask: &Ask) -> String {
    let kept = ask.query.iter().filter(|(name, _)| *name != "done");
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if text.is_empty() { ask.path.clone() } else { format!("{}?{text}", ask.path) }
}

/// A page as HTML, in its frame.
///
/// # Errors
/// The table did not say whether everything is stopped, or the template failed.
pub async fn render(ask: &Ask, page: Page) -> Answer {
    // A stop of a customer holds for every cluster, also for one that is not there.
    let any = ClusterId::parse("none").map_err(|error| Failure::Internal(error.to_string()))?;
    let halt = ask.deps.registry.halted(&ask.session.customer, &any).await?;
    let shell = Shell {
        page: &page,
        ask,
        version: assets::version(),
        done: ask.get("done").and_then(words::done),
        halted: halt.map(|halt| format!("{} is stopped: {}", halt.scope, halt.reason)),
        role: words::role(ask.session.role),
        again: again(ask),
        now: show::utc(ask.now),
    };
    let html = shell.render().map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Html(html).into_response())
}

/// What a figure is worth without its age: nothing. The age of it, or that there is none.
pub fn aged(now: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never measured".to_owned(), |at| show::ago(now, at))
}

/// A card with money per hour and what that is in a month.
pub fn rate(label: &'static str, amount: MicroDollars, age: String) -> Card {
    Card::new(label, show::hourly(amount), age).beneath(show::monthly(show::of_month(amount)))
}

/// Whether they may act, for pages that only then show how.
pub fn acts(ask: &Ask) -> bool {
    ask.may(Role::Operator)
}
