//! Holes in price histories: where, why, filled with progress, and taken out again.

use super::pricing::regions;
use super::schedule::{self, Schedule};
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::server::{get, instant, list, manages, send, text};
use crate::show;
use crate::svg::Svg;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone, aged};
use domain::SignedDuration;
use domain::ids::Region;
use domain::tenant::Role;
use http::Method;
use serde_json::{Value, json};

/// Rows of the heat map: the least known.
const ROWS: usize = 48;
/// Families that are offered; any other can be asked for by its address.
const FAMILIES: [&str; 12] = ["m5", "m6i", "m6a", "m7i", "m7g", "c5", "c6i", "c7i", "c7g", "r5", "r6i", "r7i"];

/// `GET /console/gaps`: `region` and `family`.
///
/// # Errors
/// The table did not answer; a decision server that is down is said on the page.
pub async fn show(ask: Ask) -> Answer {
    let lead = "A price holds until it changes: a hole is time of which it is not known what held. Filling reads EC2's own history; every \
                point that it adds stays marked, and can be taken out again.";
    let mut page = Page::new("gaps", "Data gaps", lead);
    let (region, all) = regions(&ask).await?;
    let family = ask.get("family").filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).unwrap_or("m6i").to_owned();
    let pick = pick(&region, &all, &family);
    let analysis = match get(&ask, &format!("/api/v1/ml/gaps?region={region}&family={family}&limit=500")).await {
        Ok(analysis) => analysis,
        Err(why) => return ask.page(page.with(Part::Pick(pick)).with(Part::Note(Tone::Warn, why))).await,
    };
    let of_region = format!("/api/v1/ml/refresh/status?region={region}");
    let (fills, status, runs, schedule) = tokio::join!(
        get(&ask, "/api/v1/ml/gaps/fills?limit=20"),
        get(&ask, &of_region),
        get(&ask, "/api/v1/ml/refresh/history?days=2&limit=40"),
        Schedule::of(&ask),
    );
    let schedule = schedule.ok();
    let fills = fills.ok().and_then(|fills| fills.as_array().cloned()).unwrap_or_default();
    if fills.iter().any(|fill| ["queued", "running", "undoing"].contains(&text(fill, "state"))) {
        page = page.live(2);
    }
    page = page.with(cards(&analysis, schedule.as_ref(), &ask)).with(Part::Pick(pick));
    if manages(&ask) {
        page = page.with(Part::Forms(forms(&region, &family)));
    }
    page = page.with(heat(&analysis, &region)).with(fills_table(&fills, &ask)).with(holes(&analysis));
    if let Ok(status) = status {
        let set = schedule.as_ref().and_then(|schedule| schedule::form(schedule, &ask));
        page = page.with(schedule::table(&status, schedule.as_ref(), &ask)).maybe(set.map(|form| Part::Forms(vec![form])));
    }
    if let Ok(runs) = runs {
        page = page.with(history(&runs, &ask));
    }
    ask.page(page).await
}

fn pick(region: &Region, all: &[Region], family: &str) -> Form {
    let regions = all.iter().map(|region| (region.to_string(), region.to_string())).collect();
    let mut families: Vec<(String, String)> = FAMILIES.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
    if !FAMILIES.contains(&family) {
        families.push((family.to_owned(), family.to_owned()));
    }
    Form::new("/console/gaps", "Show")
        .tone(Tone::Quiet)
        .field(Field::choice("region", "Region", region.as_str(), regions))
        .field(Field::choice("family", "Family", family, families))
}

fn cards(analysis: &Value, schedule: Option<&Schedule>, ask: &Ask) -> Vec<Card> {
    let number = |name: &str| analysis[name].as_u64().unwrap_or_default();
    let (pools, whole) = (number("pools"), number("whole"));
    let read = instant(analysis, "read_at");
    let coverage = list(analysis, "coverage");
    let known: f64 = coverage.iter().filter_map(|pool| pool["share"].as_f64()).sum();
    let shown = f64::from(u32::try_from(coverage.len()).unwrap_or(u32::MAX)).max(1.0);
    let every = schedule.and_then(|schedule| schedule.minutes("spot-prices")).map_or_else(String::new, schedule::every);
    vec![
        Card::new("Pools looked at", show::grouped(pools), "types that are sold, in zones that sell some"),
        Card::new("Without a hole", show::grouped(whole), format!("of {pools}")).tone(if whole == pools && pools > 0 {
            Tone::Good
        } else {
            Tone::Warn
        }),
        Card::new("Known", format!("{:.1} %", 100.0 * known / shown), "of eight days, all pools"),
        Card::new("Spot prices read", aged(ask.now, read), every),
    ]
}

fn forms(region: &Region, family: &str) -> Vec<Form> {
    let of = |path: &str, button: &str| Form::new(path, button).field(Field::hidden("region", region.as_str()));
    vec![
        of("/console/gaps/fill", "Fill the holes")
            .field(Field::hidden("family", family))
            .says(format!("Reads eight days of {family} in {region} from EC2's spot price history, batch after batch.")),
        of("/console/gaps/fill", "Fill every family").says("All types that the Region sells: some minutes."),
        of("/console/gaps/refresh", "Read the market now").says("Spot prices, on-demand prices and the Spot Advisor of this Region."),
    ]
}

/// Pools down, days across: how much is known.
fn heat(analysis: &Value, region: &Region) -> Part {
    let coverage = list(analysis, "coverage");
    let rows: Vec<&Value> = coverage.iter().take(ROWS).collect();
    let mut svg = Svg::new(820, u32::try_from(rows.len()).unwrap_or(1) * 19 + 56);
    let since = instant(analysis, "since");
    for day in 0..8 {
        let at = since.and_then(|since| since.saturating_add(SignedDuration::from_hours(24 * day)).ok());
        let name = at.map(|at| show::utc(at).get(5..10).unwrap_or_default().to_owned()).unwrap_or_default();
        svg.text("q m", (209.0 + 76.0 * day as f64, 14.0), &name);
    }
    for (row, pool) in rows.iter().enumerate() {
        let y = 22.0 + 19.0 * row as f64;
        let name = format!("{} {}", text(&pool["pool"], "instance_type"), text(&pool["pool"], "zone").trim_start_matches(region.as_str()));
        svg.text("e", (164.0, y + 13.0), &name);
        for (day, share) in list(pool, "days").iter().filter_map(Value::as_f64).enumerate() {
            let x = 172.0 + 76.0 * day as f64;
            svg.rect(class(share), (x, y), (72.0, 16.0), &format!("{name}: {:.0} % known", share * 100.0));
        }
    }
    let bottom = 22.0 + 19.0 * rows.len() as f64 + 12.0;
    for (index, (class, name)) in
        [("h0", "all of the day"), ("h1", "most"), ("h2", "half"), ("h3", "some"), ("h4", "nothing")].iter().enumerate()
    {
        let x = 172.0 + 118.0 * index as f64;
        svg.rect(class, (x, bottom), (16.0, 12.0), name);
        svg.text("q", (x + 21.0, bottom + 10.0), name);
    }
    let holed = coverage.iter().filter(|pool| !list(pool, "holes").is_empty()).count();
    let title = if coverage.len() > ROWS {
        format!("What is known, the {ROWS} least known pools first")
    } else {
        "What is known, pool by pool and day by day".to_owned()
    };
    Part::Drawing { title, words: format!("{holed} of {} pools have a hole", coverage.len()), svg: svg.finish() }
}

fn class(share: f64) -> &'static str {
    match share {
        share if share >= 0.999 => "h0",
        share if share >= 0.66 => "h1",
        share if share >= 0.33 => "h2",
        share if share > 0.0 => "h3",
        _ => "h4",
    }
}

fn fills_table(fills: &[Value], ask: &Ask) -> Table {
    let columns = [
        Column::text("Asked for"),
        Column::text("Region"),
        Column::text("State"),
        Column::number("Done", "%"),
        Column::text("Left"),
        Column::number("Pools", "that grew"),
        Column::number("Points", "added"),
        Column::text(""),
    ];
    let rows = fills.iter().map(|fill| {
        let (id, state, progress) = (text(fill, "id"), text(fill, "state"), &fill["progress"]);
        let tone = match state {
            "done" => Tone::Good,
            "failed" => Tone::Bad,
            "undone" => Tone::Quiet,
            _ => Tone::Busy,
        };
        let percent = fill["percent"].as_i64().unwrap_or_default();
        let left = fill["left_s"].as_i64().map_or_else(|| "–".to_owned(), |left| show::lasting(SignedDuration::from_secs(left)));
        let number = |name: &str| Cell::count(progress[name].as_u64().unwrap_or_default());
        let undo = Form::new("/console/gaps/undo", "Undo").tone(Tone::Bad).field(Field::hidden("fill", id));
        let may = manages(ask) && ["done", "failed"].contains(&state);
        vec![
            instant(fill, "at").map_or_else(Cell::default, |at| Cell::ago(ask.now, at)).beneath(format!("by {}", text(fill, "by"))),
            Cell::text(text(fill, "region")).beneath(format!("{} types", list(fill, "types").len())),
            Cell::mark(state, tone).beneath(text(progress, "why").to_owned()),
            Cell::text(format!("{percent}")).figure().bar(percent, 100),
            Cell::text(left),
            number("pools"),
            number("points"),
            if may { Cell::default().button(undo) } else { Cell::default() },
        ]
    });
    Table::new("fills", "Fillings, newest first").columns(columns).rows(rows).empty("Nothing was filled yet.")
}

fn holes(analysis: &Value) -> Table {
    let columns = [
        Column::text("Type"),
        Column::text("Zone"),
        Column::text("Cause"),
        Column::text("From"),
        Column::text("Until"),
        Column::number("Lasts", "h"),
        Column::number("Changes kept", ""),
    ];
    let all = list(analysis, "coverage").iter().flat_map(|pool| list(pool, "holes").iter().map(move |hole| (pool, hole)));
    let rows = all.take(150).map(|(pool, hole)| {
        let cause = match text(hole, "cause") {
            "missing" => "no price was read: none is sold here, or it was lost",
            "begins-late" => "what is kept begins later",
            _ => "the market was not read",
        };
        let at = |name| instant(hole, name).map_or_else(String::new, show::utc);
        vec![
            Cell::text(text(&pool["pool"], "instance_type")),
            Cell::text(text(&pool["pool"], "zone")),
            Cell::text(cause).csv(text(hole, "cause")),
            Cell::text(at("since")),
            Cell::text(at("until")),
            Cell::text(format!("{:.1}", hole["hours"].as_f64().unwrap_or_default())).figure(),
            Cell::count(pool["points"].as_u64().unwrap_or_default()),
        ]
    });
    Table::new("holes", "Holes and their causes").columns(columns).rows(rows).empty("None: of every pool it is known what held.")
}

fn history(runs: &Value, ask: &Ask) -> Table {
    let all = runs.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = all.iter().flat_map(|run| list(run, "entries").iter().map(move |entry| (run, entry))).take(60).map(|(run, entry)| {
        let (fate, tone) = match text(entry, "fate") {
            "read" => ("read", Tone::Good),
            "left" => ("left for the next run", Tone::Quiet),
            _ => ("failed", Tone::Bad),
        };
        vec![
            instant(run, "at").map_or_else(Cell::default, |at| Cell::ago(ask.now, at)),
            Cell::text(text(entry, "region")),
            Cell::text(text(entry, "part").replace('-', " ")),
            Cell::mark(fate, tone).beneath(text(entry, "why").to_owned()),
            Cell::text(format!("{} ms", run["took_ms"])),
        ]
    });
    Table::new("runs", "Reads of the last two days")
        .columns(["When", "Region", "What", "Outcome", "The run took"].map(Column::text))
        .rows(rows)
        .empty("None is remembered.")
}

fn region_of(act: &Act) -> Result<Region, Failure> {
    Region::parse(act.need("region")?).map_err(|_| Failure::Absent("Region"))
}

/// `POST /console/gaps/fill`: `region`, and `family` for one of them.
///
/// # Errors
/// They may not, or nothing of that is sold there.
pub async fn fill(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let region = region_of(&act)?;
    let family = act.get("family").unwrap_or_default().to_owned();
    let of = |name: &str| name.split('.').next() == Some(family.as_str());
    let catalogue = planning::public_data::Catalogue::embedded();
    let types: Vec<String> =
        if family.is_empty() { Vec::new() } else { catalogue.iter().map(|info| info.name.to_string()).filter(|name| of(name)).collect() };
    send(&act, Method::POST, "/api/v1/ml/gaps/fills", Some(&json!({ "region": region, "types": types }))).await?;
    act.done(&format!("/console/gaps?region={region}&family={}", if family.is_empty() { "m6i" } else { &family }), "filling")
}

/// `POST /console/gaps/undo`: `fill`.
///
/// # Errors
/// They may not, or there is no such filling.
pub async fn undo(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let id = act.need("fill")?;
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Failure::Absent("filling"));
    }
    send(&act, Method::POST, &format!("/api/v1/ml/gaps/fills/{id}/undo"), None).await?;
    act.done("/console/gaps", "undoing")
}

/// `POST /console/gaps/refresh`: `region`.
///
/// # Errors
/// They may not.
pub async fn read(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let region = region_of(&act)?;
    send(&act, Method::POST, "/api/v1/ml/refresh", Some(&json!({ "region": region }))).await?;
    act.done(&format!("/console/gaps?region={region}"), "refresh")
}
