//! The market over HTTP: its holes, its filling, its refreshing, its prices.

use super::models::House;
use super::support::{KEY, send};
use axum::body::Body;
use domain::SignedDuration;
use domain::ids::Region;
use domain::market::{Advice, Band, FillProgress, FillState, FilledPool, Part, PricePoint, PriceSeries, PriceSource, Quote};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::{Clock, MarketStore, MarketWishes, MarketWork};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

fn here() -> Region {
    Region::parse("us-east-1").unwrap()
}

fn pool(name: &str, zone: &str) -> Pool {
    Pool { instance_type: name.to_owned().try_into().unwrap(), zone: zone.to_owned().try_into().unwrap(), capacity: CapacityType::Spot }
}

async fn keep(house: &House, name: &str, zone: &str, hours: &[i64]) {
    let now = house.clock.now();
    let point = |h: &i64| PricePoint { at: now - SignedDuration::from_hours(*h), price_per_hour: MicroDollars(40_000 + h) };
    let series = PriceSeries::from(hours.iter().map(point).collect::<Vec<_>>());
    house.table.put_spot_series(&here(), &[(pool(name, zone), series)]).await.unwrap();
}

#[tokio::test]
async fn holes_are_found_pool_by_pool_the_least_known_first() {
    let house = House::new();
    keep(&house, "m6i.large", "us-east-1a", &[300]).await;
    keep(&house, "m6i.large", "us-east-1b", &[48]).await;
    house.table.put_refreshed(&here(), Part::SpotPrices, house.clock.now()).await.unwrap();
    let found = house.get("/api/v1/ml/gaps?region=us-east-1&family=m6i&limit=2000").await;
    let coverage = found["coverage"].as_array().unwrap();
    let of = |name: &str, zone: &str| {
        coverage.iter().find(|known| known["pool"] == json!({ "instance_type": name, "zone": zone })).cloned().unwrap_or_default()
    };
    assert_eq!((&of("m6i.large", "us-east-1a")["share"], &found["whole"]), (&json!(1.0), &json!(1)));
    assert_eq!(of("m6i.large", "us-east-1b")["holes"][0]["cause"], json!("begins-late"));
    assert_eq!(of("m6i.xlarge", "us-east-1a")["holes"][0]["cause"], json!("missing"));
    assert_eq!(of("m6i.large", "us-east-1c"), Value::Null, "nothing says that there is such a zone");
    assert!(coverage.is_sorted_by(|a, b| a["share"].as_f64() <= b["share"].as_f64()));
    let named = house.get("/api/v1/ml/gaps?region=us-east-1&family=m6i&zones=us-east-1c").await;
    assert_eq!(named["coverage"][0]["pool"]["zone"], json!("us-east-1c"));
    for query in ["", "?region=nowhere%21", "?region=us-east-1&zones=eu-west-1a", "?region=us-east-1&limit=0", "?region=us-east-1&limit="] {
        assert_eq!(house.call(Method::GET, &format!("/api/v1/ml/gaps{query}"), None).await.code(), "invalid-query", "{query}");
    }
}

#[tokio::test]
async fn a_filling_is_asked_for_followed_shown_and_undone() {
    let house = House::new();
    let asked = house.post("/api/v1/ml/gaps/fills", json!({ "region": "us-east-1", "types": ["m6i.large", "x9.unknown"] })).await.json();
    assert_eq!((&asked["state"], &asked["percent"], &asked["types"]), (&json!("queued"), &json!(0), &json!(["m6i.large"])));
    assert_eq!(asked["by"], json!("ann (key k-1)"));
    let id = asked["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/ml/gaps/fills/{id}");
    let wish = house.table.fill_wish(&id).await.unwrap().unwrap();
    let begun = FillProgress {
        batches: 4,
        batches_done: 1,
        updated_at: wish.at + SignedDuration::from_secs(9),
        ..FillProgress::begin(&wish, wish.at)
    };
    house.table.put_fill_progress(&begun).await.unwrap();
    let running = house.get(&path).await;
    assert_eq!((&running["state"], &running["percent"], &running["left_s"]), (&json!("running"), &json!(25), &json!(27)));
    let added = vec![PricePoint { at: wish.since, price_per_hour: MicroDollars(40_000) }];
    let filled = FilledPool { job: id.clone(), pool: pool("m6i.large", "us-east-1a"), added: added.clone(), removed: Vec::new() };
    house.table.put_filled(&here(), &[filled]).await.unwrap();
    house.table.put_spot_series(&here(), &[(pool("m6i.large", "us-east-1a"), PriceSeries::from(added))]).await.unwrap();
    house.table.put_fill_progress(&FillProgress { state: FillState::Done, batches_done: 4, ..begun.clone() }).await.unwrap();
    assert_eq!(house.get(&path).await["state"], json!("done"));
    let rows = house.get(&format!("{path}/rows")).await;
    assert_eq!(rows["pools"][0]["points"][0]["price_per_hour"], json!(40_000));
    let spot = house.get("/api/v1/ml/pricing/spot?region=us-east-1&instance_type=m6i.large").await;
    assert_eq!((&spot[0]["points"][0]["filled_by"], &spot[0]["price_per_hour"]), (&json!(id), &json!(40_000)), "a filled point says so");
    assert_eq!(house.get("/api/v1/ml/pricing/stats?region=us-east-1").await["filled_points"], json!(1));
    assert_eq!(house.post(&format!("{path}/undo"), json!({})).await.json()["state"], json!("undoing"));
    house.table.put_fill_progress(&FillProgress { state: FillState::Undone, ..begun }).await.unwrap();
    let history = house.get("/api/v1/ml/gaps/fills").await;
    assert_eq!(
        (&history[0]["id"], &history[0]["state"], &history[0]["undo"]["by"]),
        (&json!(id), &json!("undone"), &json!("ann (key k-1)"))
    );
    assert_eq!(house.call(Method::GET, "/api/v1/ml/gaps/fills/f-none", None).await.status, StatusCode::NOT_FOUND);
    let nothing = house.post("/api/v1/ml/gaps/fills", json!({ "region": "us-east-1", "types": ["x9.unknown"] })).await;
    assert_eq!(nothing.code(), "nothing-to-fill");
}

#[tokio::test]
async fn a_refresh_is_asked_for_and_every_part_says_when_it_is_due() {
    let house = House::new();
    let now = house.clock.now();
    for part in Part::ALL {
        house.table.put_refreshed(&here(), part, now - SignedDuration::from_mins(1)).await.unwrap();
    }
    let before = house.get("/api/v1/ml/refresh/status?region=us-east-1").await;
    assert!(before["parts"].as_array().unwrap().iter().all(|part| part["asked_for"] == json!(false)), "{before}");
    assert_eq!(before["parts"][0]["due_at"], json!((now + SignedDuration::from_mins(9)).to_string()));
    let after = house.post("/api/v1/ml/refresh", json!({ "region": "us-east-1", "parts": ["advisor"] })).await.json();
    let asked: Vec<&Value> = after["parts"].as_array().unwrap().iter().filter(|part| part["asked_for"] == json!(true)).collect();
    assert_eq!((asked.len(), &asked[0]["part"], &after["wish"]["by"]), (1, &json!("advisor"), &json!("ann (key k-1)")));
    assert_eq!(house.get("/api/v1/ml/refresh/history").await, json!([]));
}

#[tokio::test]
async fn the_schedule_is_set_against_its_version_within_the_pace_of_the_sources_and_holds_for_what_is_due() {
    const PATH: &str = "/api/v1/ml/refresh/schedule";
    let house = House::new();
    let put = async |tag: Option<&str>, body: Value| {
        let request = Request::put(PATH).header("x-api-key", KEY).header("x-asked-by", "ann").header("content-type", "application/json");
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
        send(&house.server, request.body(Body::from(body.to_string())).unwrap()).await
    };
    let first = house.call(Method::GET, PATH, None).await;
    assert_eq!((first.header("etag"), &first.json()[0]["minutes"], &first.json()[0]["set_by"]), ("\"0\"", &json!(10), &Value::Null));
    assert_eq!(put(None, json!({ "spot_prices_minutes": 5 })).await.code(), "if-match-missing");
    assert_eq!(put(Some("\"7\""), json!({ "spot_prices_minutes": 5 })).await.code(), "stale-version");
    for wild in [
        json!({ "spot_prices_minutes": 2 }),
        json!({ "spot_prices_minutes": 16 }),
        json!({ "advisor_minutes": 59 }),
        json!({ "on_demand_minutes": 10 }),
    ] {
        assert_eq!(put(Some("\"0\""), wild.clone()).await.code(), "invalid-schedule", "{wild}");
    }
    assert_eq!(put(Some("\"0\""), json!({ "spots": 5 })).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let set = put(Some("\"0\""), json!({ "spot_prices_minutes": 5, "advisor_minutes": 1_440 })).await;
    assert_eq!((set.status, set.header("etag"), &set.json()[0]["set_by"]), (StatusCode::OK, "\"1\"", &json!("ann")));
    assert_eq!(put(Some("\"0\""), json!({ "spot_prices_minutes": 6 })).await.code(), "stale-version", "somebody was faster");
    let minutes: Vec<Value> = house.get(PATH).await.as_array().unwrap().iter().map(|part| part["minutes"].clone()).collect();
    assert_eq!(minutes, [json!(5), json!(1_440), json!(1_440)], "what was left out stays");
    let now = house.clock.now();
    house.table.put_refreshed(&here(), Part::SpotPrices, now - SignedDuration::from_mins(1)).await.unwrap();
    let status = house.get("/api/v1/ml/refresh/status?region=us-east-1").await;
    assert_eq!(status["parts"][0]["due_at"], json!((now + SignedDuration::from_mins(4)).to_string()));
}

#[tokio::test]
async fn prices_are_those_that_were_read_over_those_that_are_embedded() {
    let house = House::new();
    // Later than the embedded tables, whatever their date.
    let at = "2035-01-01T00:00:00Z".parse().unwrap();
    let quote = Quote { price_per_hour: MicroDollars(97_000), source: PriceSource::Observed { at } };
    house.table.put_on_demand(&here(), &[("m6i.large".to_owned().try_into().unwrap(), quote)]).await.unwrap();
    let advice = Advice { band: Band::Above20, savings_percent: 12, as_of: at };
    house.table.put_advice(&here(), &[("m6i.large".to_owned().try_into().unwrap(), advice)]).await.unwrap();
    let find = |list: &Value, name: &str| list.as_array().unwrap().iter().find(|row| row["instance_type"] == json!(name)).cloned().unwrap();
    let prices = house.get("/api/v1/ml/pricing/on-demand?region=us-east-1&family=m6i").await;
    assert_eq!(find(&prices, "m6i.large")["quote"]["price_per_hour"], json!(97_000));
    assert_eq!(find(&prices, "m6i.xlarge")["quote"]["source"]["kind"], json!("public-estimate"));
    let advised = house.get("/api/v1/ml/pricing/spot-advisor?region=us-east-1&family=m6i").await;
    assert_eq!((&find(&advised, "m6i.large")["band"], &find(&advised, "m6i.large")["savings_percent"]), (&json!(4), &json!(12)));
    let stats = house.get("/api/v1/ml/pricing/stats?region=us-east-1").await;
    assert_eq!((&stats["on_demand_read"], &stats["spot_pools"], &stats["advised"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!(house.call(Method::GET, "/api/v1/ml/pricing/spot?region=us-east-1", None).await.code(), "invalid-query");
}
