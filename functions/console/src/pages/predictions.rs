//! Predictions against what happened: how far a probability can be believed.

use crate::ask::{Answer, Ask};
use crate::server::{get, instant, list, text};
use crate::show;
use crate::svg::Svg;
use crate::view::{Card, Cell, Chart, Column, Line, Page, Part, Style, Table, Tone};
use domain::decision::Calibration;
use serde_json::Value;

/// What the decision server tells, or why it tells nothing.
async fn asked(ask: &Ask) -> Result<Vec<Calibration>, String> {
    let answer = get(ask, "/api/v1/ml/predict/calibration").await?;
    serde_json::from_value(answer).map_err(|error| format!("The decision server's answer cannot be read: {error}"))
}

/// What [`score_row`] says.
pub(super) fn score_columns() -> [Column; 8] {
    [
        Column::text("Voice"),
        Column::text("Horizon"),
        Column::number("Judged", ""),
        Column::number("Predicted", "%"),
        Column::number("Happened", "%"),
        Column::number("Brier score", "0 is perfect"),
        Column::number("Skill", ""),
        Column::number("Calibration error", "%"),
    ]
}

/// One voice in figures.
pub(super) fn score_row(score: &Value, how: &str) -> Vec<Cell> {
    let number = |name: &str| score[name].as_f64();
    let share = |name: &str| {
        let value = number(name).unwrap_or_default();
        Cell::text(format!("{:.2} %", value * 100.0)).figure().csv(format!("{value:.6}"))
    };
    vec![
        Cell::text(text(score, "who")).beneath(how),
        Cell::text(format!("{} min", score["horizon_minutes"])),
        Cell::count(score["predictions"].as_u64().unwrap_or_default()),
        share("mean"),
        share("base_rate"),
        Cell::text(format!("{:.5}", number("brier").unwrap_or_default())).figure(),
        Cell::text(number("brier_skill").map_or_else(|| "–".to_owned(), |skill| format!("{skill:.3}"))).figure(),
        share("expected_calibration_error"),
    ]
}

/// Every voice, horizon by horizon: what was told, this server's own engine, and models, held against the same outcomes.
fn voices(compared: &Value) -> Table {
    let rows = list(compared, "scores").iter().map(|score| {
        let how = match text(score, "who") {
            "told" => "what was told",
            "built-in" => "this server's own engine",
            _ => "a model",
        };
        score_row(score, how)
    });
    Table::new("voices", "Error by horizon and voice")
        .columns(score_columns())
        .rows(rows)
        .age(format!(
            "{} of {} outcomes of {} days have their prediction in the log",
            compared["pairs"], compared["outcomes"], compared["days"]
        ))
        .empty("No logged prediction is over yet.")
}

/// What was predicted and what happened, day by day, with the 95 % interval of the latter.
fn band(compared: &Value) -> Option<Chart> {
    let days = list(compared, "by_day");
    let values = |name: &str| days.iter().map(|day| day[name].as_f64().map(|share| share * 100.0)).collect();
    let line = |name, class, field| Line { name, class, values: values(field), steps: false, dashed: class == "quiet" };
    let chart = Chart {
        title: "Predicted against happened, day by day, with the 95 % interval of what happened".to_owned(),
        unit: "% of instances",
        age: format!("{} days", days.len()),
        times: days.iter().filter_map(|day| instant(day, "begins")).map(|at| at.as_second()).collect(),
        lines: vec![
            line("predicted", "one", "predicted"),
            line("happened", "two", "observed"),
            line("at least", "quiet", "low"),
            line("at most", "quiet", "high"),
        ],
        marks: Vec::new(),
        style: Style::Lines,
    };
    chart.drawable().then_some(chart)
}

/// `GET /console/predictions`.
///
/// # Errors
/// The page cannot be made; a decision server that is down is said on it.
pub async fn show(ask: Ask) -> Answer {
    let lead = "The decision server predicts how likely an instance is taken back within a horizon. Once the time is over, what happened is told to it: a point on the diagonal kept its word.";
    let mut page = Page::new("predictions", "Predictions against what happened", lead);
    let judged = match asked(&ask).await {
        Ok(judged) => judged,
        Err(why) => return ask.page(page.with(Part::Note(Tone::Warn, why))).await,
    };
    if judged.is_empty() {
        page = page.with(Part::Note(
            Tone::Plain,
            "Nothing is judged yet: a prediction is judged when its horizon is over, an hour at the earliest, and only for spot nodes."
                .to_owned(),
        ));
    }
    for one in &judged {
        page = page.with(cards(one, &ask)).with(diagram(one));
    }
    if let Ok(compared) = get(&ask, "/api/v1/ml/predictions/comparison?days=31").await {
        page = page.maybe(band(&compared)).with(voices(&compared));
    }
    let rows = judged.iter().flat_map(|one| one.reliability.iter().map(move |row| (one.horizon_minutes, row))).map(|(horizon, row)| {
        let share = |value: f64| Cell::text(format!("{:.2} %", value * 100.0)).figure().csv(format!("{value:.6}"));
        vec![
            Cell::text(format!("{horizon} min")),
            Cell::count(row.predictions),
            share(row.predicted),
            share(row.observed),
            share(row.low),
            share(row.high),
        ]
    });
    let columns = [
        Column::text("Horizon"),
        Column::number("Predictions", ""),
        Column::number("Predicted", "%"),
        Column::number("Happened", "%"),
        Column::number("At least", "95 %"),
        Column::number("At most", "95 %"),
    ];
    ask.page(page.with(Table::new("reliability", "Reliability").columns(columns).rows(rows).empty("No prediction is over yet."))).await
}

fn cards(one: &Calibration, ask: &Ask) -> Vec<Card> {
    let age = format!("until {}", show::ago(ask.now, one.until));
    let skill = one.brier_skill.map_or_else(|| "–".to_owned(), |skill| format!("{skill:.3}"));
    vec![
        Card::new("Horizon", format!("{} min", one.horizon_minutes), age.clone()),
        Card::new("Predictions judged", show::grouped(u64::from(one.predictions)), format!("since {}", show::utc(one.since))),
        Card::new("Really interrupted", format!("{:.2} %", one.base_rate * 100.0), age.clone()),
        Card::new("Brier score", format!("{:.4}", one.brier), "0 is perfect"),
        Card::new("Brier skill", skill, "above 0 knows more than the average"),
        Card::new("Calibration error", format!("{:.2} %", one.expected_calibration_error * 100.0), age),
    ]
}

fn diagram(one: &Calibration) -> Part {
    let mut svg = Svg::new(460, 340);
    let top = one.reliability.iter().fold(0.002_f64, |top, row| top.max(1.1 * row.predicted).max(1.1 * row.high)).min(1.0);
    let digits = if top < 0.05 { 2 } else { 0 };
    let at = |x: f64, y: f64| (60.0 + x / top * 380.0, 300.0 - y / top * 280.0);
    for part in 0..=4 {
        let value = top * f64::from(part) / 4.0;
        svg.line("grid", at(0.0, value), at(top, value));
        svg.text("q e", (54.0, at(0.0, value).1 + 4.0), &format!("{:.digits$} %", value * 100.0));
        svg.text("q m", (at(value, 0.0).0, 318.0), &format!("{:.digits$} %", value * 100.0));
    }
    svg.line("", at(0.0, 0.0), at(top, top));
    svg.text("q m", (250.0, 336.0), "predicted");
    let mut said = Vec::new();
    for row in &one.reliability {
        let words = format!("predicted {:.1} %, happened {:.1} % of {}", row.predicted * 100.0, row.observed * 100.0, row.predictions);
        svg.line("whisk", at(row.predicted, row.low), at(row.predicted, row.high.min(top)));
        svg.dot("one", at(row.predicted, row.observed), 4.5, &words);
        said.push(words);
    }
    Part::Drawing {
        title: format!("Within {} min: happened (up) against predicted (right), with its 95 % interval", one.horizon_minutes),
        words: said.join("; "),
        svg: svg.finish(),
    }
}
