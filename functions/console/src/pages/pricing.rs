//! Pricing: spot prices over time, on-demand prices, and how often spot is taken back, by type.

use super::filled::{self, Marks};
use super::schedule::Schedule;
use super::shared::dollars;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::fleet::fleet;
use crate::show;
use crate::svg::Svg;
use crate::view::{Cell, Chart, Column, Field, Form, Line, Page, Part, Style, Table, Tone, aged};
use domain::SignedDuration;
use domain::ids::{InstanceType, Region, Zone};
use domain::market::{Advice, Part as MarketPart, PriceSeries};
use domain::offering::{CapacityType, Pool};
use planning::public_data::Catalogue;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of the chart: more cannot be told apart.
const CLASSES: [&str; 6] = ["one", "two", "three", "warn", "bad", "quiet"];
/// Names of zones, in the order of the lines.
const ZONES: [&str; 6] = ["zone a", "zone b", "zone c", "zone d", "zone e", "zone f"];
/// The same for what was filled.
const FILLED: [&str; 6] = ["zone a, filled", "zone b, filled", "zone c, filled", "zone d, filled", "zone e, filled", "zone f, filled"];
/// Points of the chart.
const POINTS: i64 = 84;
/// Sizes of the heat map, left to right.
const SIZES: [&str; 9] = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "metal"];

/// The Region that the query names, or the first of theirs; and all of theirs.
///
/// # Errors
/// The table did not answer, or it is no Region.
pub(super) async fn regions(ask: &Ask) -> Result<(Region, Vec<Region>), Failure> {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let mut regions: BTreeSet<Region> = fleet.clusters.iter().map(|brief| brief.cluster.region.clone()).collect();
    if regions.is_empty() {
        regions.extend(Region::parse("us-east-1").ok());
    }
    let region = match ask.get("region") {
        Some(text) => Region::parse(text).map_err(|_| Failure::Absent("Region"))?,
        None => regions.first().cloned().ok_or(Failure::Absent("Region"))?,
    };
    regions.insert(region.clone());
    Ok((region, regions.into_iter().collect()))
}

/// `GET /console/pricing`: `region` and `type`; `points=filled` for those alone that were filled.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let (region, regions) = regions(&ask).await?;
    let kind = InstanceType::parse(ask.get("type").unwrap_or("m6i.xlarge")).map_err(|_| Failure::Absent("instance type"))?;
    let lead = "Prices as the decision server knows them. What was never read from AWS is an estimate from public data, and says so.";
    let options = regions.iter().map(|region| (region.to_string(), region.to_string())).collect();
    let points =
        [("all", "all that are kept"), ("filled", "only those that were filled")].map(|(value, says)| (value.to_owned(), says.to_owned()));
    let points = points.to_vec();
    let pick = Form::new("/console/pricing", "Show")
        .tone(Tone::Quiet)
        .field(Field::choice("region", "Region", region.as_str(), options))
        .field(Field::text("type", "Instance type", kind.as_str()))
        .field(Field::choice("points", "Changes", ask.get("points").unwrap_or("all"), points));
    let pools: Vec<Pool> = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .filter_map(|letter| Zone::parse(format!("{region}{letter}")).ok())
        .map(|zone| Pool { instance_type: kind.clone(), zone, capacity: CapacityType::Spot })
        .collect();
    let market = &ask.deps.market;
    let (series, refreshed, advice, marks, schedule) = tokio::join!(
        market.spot_series(&region, &pools),
        market.refreshed(&region),
        market.advice(&region),
        filled::marks(&ask, &region, &kind),
        Schedule::of(&ask)
    );
    // Without a decision server nothing else was ever set.
    let schedule = schedule.ok();
    let interval = |part: MarketPart| {
        let set = schedule.as_ref().and_then(|schedule| schedule.minutes(part.as_str()));
        set.map_or_else(|| part.interval(), SignedDuration::from_mins)
    };
    let (series, refreshed, advice, marks) = (series?, refreshed?, advice?, marks?);
    let rows = MarketPart::ALL.map(|part| {
        let at = refreshed.at(part);
        let old = at.is_none_or(|at| ask.now.duration_since(at) > interval(part) + interval(part));
        let name = match part {
            MarketPart::SpotPrices => "spot prices",
            MarketPart::OnDemand => "on-demand prices",
            MarketPart::Advisor => "Spot Advisor",
        };
        let state = if old { Cell::mark("old", Tone::Warn) } else { Cell::mark("fresh", Tone::Good) };
        vec![Cell::text(name), state, Cell::text(aged(ask.now, at)), Cell::text(format!("every {}", show::lasting(interval(part))))]
    });
    let columns = ["What", "State", "Read", "Is read"].map(Column::text);
    let ages = Table::new("refreshed", format!("How old the market of {region} is")).columns(columns).rows(rows);
    let known: BTreeMap<InstanceType, Advice> = advice.into_iter().collect();
    let page = Page::new("pricing", "Pricing", lead)
        .with(Part::Pick(pick))
        .with(chart(&kind, &series, &marks, &ask, refreshed.at(MarketPart::SpotPrices)))
        .with(prices(&region, &kind, (&series, &marks), &known, &ask))
        .with(filled::table(&kind, &series, &marks, ask.get("points") == Some("filled"), &ask))
        .with(heat(&region, &known))
        .with(ages);
    ask.page(page).await
}

/// Each zone is a line, dashed where a filling added what held.
fn chart(kind: &InstanceType, series: &[(Pool, PriceSeries)], marks: &Marks, ask: &Ask, read: Option<domain::Timestamp>) -> Chart {
    let step = SignedDuration::from_hours(2);
    let instants: Vec<_> = (0..POINTS).map(|back| ask.now - step * i32::try_from(POINTS - 1 - back).unwrap_or_default()).collect();
    let of_zone = |pool: &Pool, series: &PriceSeries| {
        let index = pool.zone.as_str().bytes().last().map(|letter| usize::from(letter.saturating_sub(b'a')))?;
        let line = |dashed: bool| {
            let values: Vec<Option<f64>> = instants
                .iter()
                .map(|at| {
                    marks.at(pool, series, *at).filter(|(_, filled)| *filled == dashed).map(|(point, _)| dollars(point.price_per_hour))
                })
                .collect();
            let names = if dashed { FILLED } else { ZONES };
            Some(Line { name: names.get(index)?, class: CLASSES.get(index)?, steps: true, dashed, values })
        };
        Some([line(false), line(true)])
    };
    let lines = series.iter().filter_map(|(pool, series)| of_zone(pool, series)).flatten().flatten();
    let lines: Vec<Line> = lines.filter(|line| line.values.iter().any(Option::is_some)).collect();
    let times = if lines.is_empty() { Vec::new() } else { instants.iter().map(|at| at.as_second()).collect() };
    Chart {
        title: format!("Spot price of {kind}, seven days; dashed: filled afterwards"),
        unit: "USD per hour",
        age: format!("read {}", aged(ask.now, read)),
        times,
        lines,
        marks: Vec::new(),
        style: Style::default(),
    }
}

fn prices(
    region: &Region,
    kind: &InstanceType,
    (series, marks): (&[(Pool, PriceSeries)], &Marks),
    known: &BTreeMap<InstanceType, Advice>,
    ask: &Ask,
) -> Table {
    let catalogue = Catalogue::embedded();
    let on_demand = catalogue.on_demand(region, kind);
    let columns =
        [Column::text("Pool"), Column::number("Price", "USD/h"), Column::text("Below on-demand"), Column::text("How it is known")];
    let below =
        |price: domain::money::MicroDollars| on_demand.map_or_else(|| "–".to_owned(), |full| show::percent(full.0 - price.0, full.0));
    let mut table = Table::new("prices", format!("Prices of {kind} now")).columns(columns);
    if let Some(quote) = catalogue.on_demand_quote(region, kind) {
        table = table.row(vec![
            Cell::text("on-demand"),
            Cell::hourly(quote.price_per_hour),
            Cell::text("–"),
            Cell::text(super::prices::source(&quote, ask.now)),
        ]);
    }
    if let Some(quote) = catalogue.spot_estimate(region, kind) {
        table = table.row(vec![
            Cell::text("spot, any zone"),
            Cell::hourly(quote.price_per_hour),
            Cell::text(below(quote.price_per_hour)),
            Cell::text(super::prices::source(&quote, ask.now)),
        ]);
    }
    let read = series.iter().filter_map(|(pool, series)| {
        let (point, _) = marks.at(pool, series, ask.now)?;
        let kept = show::count_of(series.points().len(), "change");
        Some(vec![
            Cell::text(format!("spot in {}", pool.zone)),
            Cell::hourly(point.price_per_hour),
            Cell::text(below(point.price_per_hour)),
            Cell::text(format!("market, unchanged for {}", show::lasting(ask.now.duration_since(point.at))))
                .beneath(format!("{kept} kept, {} of them filled", marks.count(pool, series))),
        ])
    });
    let said = known.get(kind).copied().or_else(|| catalogue.advisor(region, kind));
    let age = said.map_or_else(String::new, |said| {
        format!(
            "interrupted {} over thirty days, by the Spot Advisor of {}",
            band(said),
            show::utc(said.as_of).get(..10).unwrap_or_default()
        )
    });
    table.rows(read).age(age).empty("This type is not known here. Check its name: m6i.xlarge, c7g.large.")
}

fn band(advice: Advice) -> &'static str {
    ["below 5 %", "5 to 10 %", "10 to 15 %", "15 to 20 %", "above 20 %"].get(usize::from(advice.band.index())).copied().unwrap_or("unknown")
}

/// How often spot is taken back: families down, sizes across. Families of the categories that plans launch.
fn heat(region: &Region, known: &BTreeMap<InstanceType, Advice>) -> Part {
    let catalogue = Catalogue::embedded();
    let mut rows: BTreeMap<String, BTreeMap<usize, (String, Advice)>> = BTreeMap::new();
    for info in catalogue.iter() {
        let Some((family, size)) = info.name.as_str().split_once('.') else { continue };
        let wanted = ["c5", "c6", "c7", "c8", "m5", "m6", "m7", "m8", "r5", "r6", "r7", "r8"].iter().any(|begin| family.starts_with(begin));
        let Some(column) = SIZES.iter().position(|name| *name == size).filter(|_| wanted) else { continue };
        let advice = known.get(&info.name).copied().or_else(|| catalogue.advisor(region, &info.name));
        if let Some(advice) = advice {
            rows.entry(family.to_owned()).or_default().insert(column, (info.name.to_string(), advice));
        }
    }
    let mut svg = Svg::new(820, u32::try_from(rows.len()).unwrap_or(1) * 19 + 56);
    for (column, size) in SIZES.iter().enumerate() {
        svg.text("q m", (118.0 + 76.0 * column as f64, 14.0), size);
    }
    for (row, (family, cells)) in rows.iter().enumerate() {
        let y = 22.0 + 19.0 * row as f64;
        svg.text("e", (72.0, y + 13.0), family);
        for column in 0..SIZES.len() {
            let x = 82.0 + 76.0 * column as f64;
            if let Some((name, advice)) = cells.get(&column) {
                svg.rect(&format!("h{}", advice.band.index()), (x, y), (72.0, 16.0), &format!("{name}: {}", band(*advice)));
            }
        }
    }
    let bottom = 22.0 + 19.0 * rows.len() as f64 + 12.0;
    for (index, name) in ["below 5 %", "5–10 %", "10–15 %", "15–20 %", "above 20 %"].iter().enumerate() {
        let x = 82.0 + 130.0 * index as f64;
        svg.rect(&format!("h{index}"), (x, bottom), (16.0, 12.0), name);
        svg.text("q", (x + 21.0, bottom + 10.0), name);
    }
    let calm = rows.values().flat_map(BTreeMap::values).filter(|(_, advice)| advice.band.index() == 0).count();
    let all = rows.values().map(BTreeMap::len).sum::<usize>();
    Part::Drawing {
        title: format!("How often spot is taken back in {region}: Spot Advisor, trailing thirty days"),
        words: format!("{calm} of {all} types were interrupted less than 5 % of the time"),
        svg: svg.finish(),
    }
}
