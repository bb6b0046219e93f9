//! Lines over time: drawn by the script of the page, and told in words.

use serde_json::json;

/// One line of a chart.
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// Its class: decides its colour.
    pub class: &'static str,
    /// Its values; `None`: not known.
    pub values: Vec<Option<f64>>,
    /// Whether it holds until the next point, as prices do.
    pub steps: bool,
    /// Whether it is dashed: what was not seen itself.
    pub dashed: bool,
}

/// Lines over time.
pub struct Chart {
    /// Its title.
    pub title: String,
    /// The unit of its values.
    pub unit: &'static str,
    /// How old it is.
    pub age: String,
    /// Seconds since 1970.
    pub times: Vec<i64>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Instants that are marked, each with a word.
    pub marks: Vec<(i64, String)>,
    /// How its lines are drawn.
    pub style: Style,
}

/// How lines are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Lines; the one called `one` is filled to the bottom.
    #[default]
    Lines,
    /// Each is filled to the bottom, the highest first, so that what is seen of it is its part.
    Stacked,
}

impl Chart {
    /// What the script draws.
    pub fn json(&self) -> String {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(
                |line| json!({ "name": line.name, "class": line.class, "values": line.values, "steps": line.steps, "dashed": line.dashed }),
            )
            .collect();
        let stacked = self.style == Style::Stacked;
        json!({ "unit": self.unit, "times": self.times, "lines": lines, "marks": self.marks, "stacked": stacked }).to_string()
    }

    /// Drawn as parts of a whole.
    #[must_use]
    pub fn stacked(mut self) -> Chart {
        self.style = Style::Stacked;
        self
    }

    /// What it says, for whoever does not see it: the last and the extreme values of each line.
    pub fn words(&self) -> String {
        let said = self.lines.iter().filter_map(|line| {
            let known: Vec<f64> = line.values.iter().flatten().copied().collect();
            let (low, high) = known.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
            let last = known.last()?;
            Some(format!("{}: {last:.4} {} last, from {low:.4} to {high:.4}", line.name, self.unit))
        });
        said.collect::<Vec<_>>().join("; ")
    }

    /// Whether there is anything to draw.
    pub fn drawable(&self) -> bool {
        self.times.len() > 1
    }
}
