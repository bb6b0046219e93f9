//! Cards, cells and tables.

use super::form::Form;
use crate::show;
use domain::Timestamp;
use domain::money::MicroDollars;

/// How something is meant: never said by colour alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// As is.
    #[default]
    Plain,
    /// Fine.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Bad,
    /// Under way.
    Busy,
    /// Beside the point.
    Quiet,
}

impl Tone {
    /// Its class in the stylesheet.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Busy => "busy",
            Tone::Quiet => "quiet",
        }
    }
}

/// One figure.
pub struct Card {
    /// What it is.
    pub label: &'static str,
    /// The figure with its unit.
    pub value: String,
    /// Something beside it.
    pub sub: String,
    /// How old it is, or what it is of.
    pub age: String,
    /// How it is meant.
    pub tone: Tone,
    /// Where it leads.
    pub href: String,
}

impl Card {
    /// A card.
    pub fn new(label: &'static str, value: impl Into<String>, age: impl Into<String>) -> Card {
        Card { label, value: value.into(), sub: String::new(), age: age.into(), tone: Tone::Plain, href: String::new() }
    }

    /// With something beside it.
    #[must_use]
    pub fn beneath(mut self, sub: impl Into<String>) -> Card {
        self.sub = sub.into();
        self
    }

    /// Meant so.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Card {
        self.tone = tone;
        self
    }

    /// Leading there.
    #[must_use]
    pub fn href(mut self, href: impl Into<String>) -> Card {
        self.href = href.into();
        self
    }
}

/// A column of a table.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The unit of what stands in it.
    pub unit: &'static str,
    /// Whether figures stand in it.
    pub number: bool,
}

impl Column {
    /// A column of words.
    pub fn text(name: &'static str) -> Column {
        Column { name, unit: "", number: false }
    }

    /// A column of figures.
    pub fn number(name: &'static str, unit: &'static str) -> Column {
        Column { name, unit, number: true }
    }

    /// Name and unit.
    pub fn full(&self) -> String {
        if self.unit.is_empty() { self.name.to_owned() } else { format!("{} ({})", self.name, self.unit) }
    }
}

/// What stands in a row under a column.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// What people read.
    pub text: String,
    /// What programs read, where it is something else.
    csv: Option<String>,
    /// A second line.
    pub sub: String,
    /// Where it leads.
    pub href: String,
    /// How it is meant.
    pub tone: Tone,
    /// Whether it is a mark: a short word in a box.
    pub mark: bool,
    /// A bar, in thousandths of its cell.
    pub bar: Option<u32>,
    /// Whether a figure stands in it.
    pub number: bool,
    /// A form of one button.
    pub button: Option<Box<Form>>,
    /// A second one beside it.
    pub other: Option<Box<Form>>,
    /// Whether the row is chosen for what the table's form does: the name of its box, and what is chosen.
    pub choice: Option<(String, String)>,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// Words that lead somewhere.
    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Cell {
        Cell { href: href.into(), ..Cell::text(text) }
    }

    /// A mark.
    pub fn mark(text: impl Into<String>, tone: Tone) -> Cell {
        Cell { tone, mark: true, ..Cell::text(text) }
    }

    /// A count.
    pub fn count(count: impl TryInto<u64>) -> Cell {
        let count = count.try_into().unwrap_or_default();
        Cell { number: true, csv: Some(count.to_string()), ..Cell::text(show::grouped(count)) }
    }

    /// Money per hour.
    pub fn hourly(amount: MicroDollars) -> Cell {
        Cell { number: true, csv: Some(show::decimal(amount)), ..Cell::text(show::hourly(amount)) }
    }

    /// Money.
    pub fn money(amount: MicroDollars) -> Cell {
        Cell { number: true, csv: Some(show::decimal(amount)), ..Cell::text(show::money(amount)) }
    }

    /// Money that may be unknown.
    pub fn hourly_or(amount: Option<MicroDollars>, otherwise: &str) -> Cell {
        amount.map_or_else(|| Cell { number: true, ..Cell::text(otherwise).tone(Tone::Quiet) }, Cell::hourly)
    }

    /// How long ago something was.
    pub fn ago(now: Timestamp, at: Timestamp) -> Cell {
        Cell { csv: Some(at.to_string()), ..Cell::text(show::ago(now, at)) }.beneath(show::utc(at))
    }

    /// Another text for programs.
    #[must_use]
    pub fn csv(mut self, text: impl Into<String>) -> Cell {
        self.csv = Some(text.into());
        self
    }

    /// Standing under a column of figures.
    #[must_use]
    pub fn figure(mut self) -> Cell {
        self.number = true;
        self
    }

    /// With a second line.
    #[must_use]
    pub fn beneath(mut self, sub: impl Into<String>) -> Cell {
        self.sub = sub.into();
        self
    }

    /// Meant so.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Cell {
        self.tone = tone;
        self
    }

    /// With a bar.
    #[must_use]
    pub fn bar(mut self, part: i64, whole: i64) -> Cell {
        let thousandths = if whole > 0 { (i128::from(part.max(0)) * 1_000 / i128::from(whole)).min(1_000) } else { 0 };
        self.bar = u32::try_from(thousandths).ok();
        self
    }

    /// With a button.
    #[must_use]
    pub fn button(mut self, form: Form) -> Cell {
        self.button = Some(Box::new(form));
        self
    }

    /// With a second button.
    #[must_use]
    pub fn and(mut self, form: Form) -> Cell {
        self.other = Some(Box::new(form));
        self
    }

    /// With a box by which the row is chosen for what the table's form does.
    #[must_use]
    pub fn choose(mut self, name: impl Into<String>, what: impl Into<String>) -> Cell {
        self.choice = Some((name.into(), what.into()));
        self
    }

    /// What programs read.
    pub fn plain(&self) -> &str {
        self.csv.as_deref().unwrap_or(&self.text)
    }
}

/// A table. Each can be had as CSV.
pub struct Table {
    /// Its id: the name in the address of its CSV.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// How old it is, or what it is of.
    pub age: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// What is said where it has none, with what to do next.
    pub empty: String,
    /// Where the next page of it is.
    pub next: Option<String>,
    /// What is done with the rows that are chosen.
    pub form: Option<Form>,
}

impl Table {
    /// An empty table.
    pub fn new(id: &'static str, title: impl Into<String>) -> Table {
        let (age, empty) = (String::new(), "Nothing here.".to_owned());
        Table { id, title: title.into(), age, columns: Vec::new(), rows: Vec::new(), empty, next: None, form: None }
    }

    /// With these columns.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Table {
        self.columns = columns.into_iter().collect();
        self
    }

    /// With one row more.
    #[must_use]
    pub fn row(mut self, row: Vec<Cell>) -> Table {
        self.rows.push(row);
        self
    }

    /// With these rows.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Table {
        self.rows.extend(rows);
        self
    }

    /// Saying this where it has no row.
    #[must_use]
    pub fn empty(mut self, text: impl Into<String>) -> Table {
        self.empty = text.into();
        self
    }

    /// So old.
    #[must_use]
    pub fn age(mut self, age: impl Into<String>) -> Table {
        self.age = age.into();
        self
    }

    /// With something that is done with the rows that are chosen.
    #[must_use]
    pub fn form(mut self, form: Option<Form>) -> Table {
        self.form = form;
        self
    }

    /// With another page.
    #[must_use]
    pub fn next(mut self, next: Option<String>) -> Table {
        self.next = next;
        self
    }
}
