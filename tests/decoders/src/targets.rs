//! The decoders.

use api::register::{Registration, Update, fields, register};
use domain::address::{Door, Place, Rules};
use domain::decision::{DecisionAnswer, DecisionRequest, PredictRequest, Prediction, PredictionOutcome, verify};
use domain::ids::{ClusterId, CustomerId};
use domain::interruption::parse::{Received, parse};
use domain::office_hours::{Defaults, Dialect, Spec};
use domain::optimization::Round;
use domain::plan::PlanKey;
use domain::pod::PodDetail;
use domain::policy::ClusterPolicy;
use domain::ports::{Notice, PodSink};
use domain::usage::Usage;
use domain::watch::ScanOrder;
use domain::{Timestamp, ids};
use kubernetes::{Listed, decode_page, decode_pods};
use planning::office_hours::{cron, hours_tag, marks};
use planning::public_data::{parse_advisor, parse_price_list, usd};
use runtime::web::token::{Expected, Keys, Unverified};
use serde_json::Value;

/// A decoder by its name, which is that of its corpus too.
#[derive(Clone, Copy)]
pub struct Target {
    /// `fuzz/fuzz_targets/<name>.rs` and `fuzz/corpus/<name>/`.
    pub name: &'static str,
    /// Decodes. What comes of it does not matter; that it comes does.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// All decoders of what comes from outside.
pub const TARGETS: [Target; 16] = [
    target("event", event),
    target("message", message),
    target("pods", pods),
    target("nodes", nodes),
    target("metrics", metrics),
    target("budgets", budgets),
    target("schedule", schedule),
    target("cron", cron_line),
    target("address", address),
    target("cursor", cursor),
    target("token", token),
    target("keys", keys),
    target("decision", decision),
    target("market", market),
    target("body", body),
    target("usage", usage),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A body of EventBridge, SNS or Auto Scaling.
fn event(bytes: &[u8]) {
    let received = Received { at: Timestamp::UNIX_EPOCH, region: ids::Region::parse("us-east-1").ok() };
    let _read = parse(&text(bytes), &received);
}

/// Messages of our own queues, which somebody else could have put there.
fn message(bytes: &[u8]) {
    let _plan = serde_json::from_slice::<PlanKey>(bytes);
    let _round = serde_json::from_slice::<Round>(bytes);
    let _scan = serde_json::from_slice::<ScanOrder>(bytes);
    let _notice = serde_json::from_slice::<Notice>(bytes);
}

struct Count(usize);

impl PodSink for Count {
    fn pod(&mut self, _: PodDetail) {
        self.0 += 1;
    }

    fn restart(&mut self) {
        self.0 = 0;
    }
}

/// A page of pods.
fn pods(bytes: &[u8]) {
    let _next = decode_pods(bytes, &mut Count(0));
}

/// A page of nodes.
fn nodes(bytes: &[u8]) {
    let _usable = decode_page(Listed::Nodes, bytes);
}

/// A page of metrics.
fn metrics(bytes: &[u8]) {
    let _usable = decode_page(Listed::NodeMetrics, bytes);
}

/// Pages of budgets and of what has only a name.
fn budgets(bytes: &[u8]) {
    let _budgets = decode_page(Listed::PodBudgets, bytes);
    let _sets = decode_page(Listed::DaemonSets, bytes);
}

/// Annotations of office hours, in each dialect.
fn schedule(bytes: &[u8]) {
    let text = text(bytes);
    let now = Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    for dialect in [Dialect::Python, Dialect::Go] {
        if let Ok(spec) = Spec::parse(&text, dialect, Defaults::default()) {
            let _held = spec.holds(now);
        }
    }
    let _tag = hours_tag::parse(&text, "Europe/Berlin");
    let _unescaped = hours_tag::unescape(&text);
    let _mark = marks::read(&text);
}

/// A cron line, and when it is due.
fn cron_line(bytes: &[u8]) {
    let now = Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    if let Ok(cron) = cron::Cron::parse(&text(bytes)) {
        let _next = cron.next_after(now);
        let _last = cron.last_until(now);
    }
}

/// URLs at each door, and ranges that an operator opens.
fn address(bytes: &[u8]) {
    let text = text(bytes);
    for door in [Door::ApiServer, Door::Webhook, Door::Server] {
        if let Ok(place) = Place::parse(&text, door, &Rules::public()) {
            // What passes could have been written down and read back.
            assert!(text.starts_with("https://") && place.port > 0 && !place.host.is_empty(), "{text}");
        }
    }
    let _rules = Rules::parse(&text);
}

/// A cursor of a list.
fn cursor(bytes: &[u8]) {
    let _after = api::paging::decode(&text(bytes));
}

/// A token of an issuer: nothing is good here, for no key is known.
fn token(bytes: &[u8]) {
    let text = text(bytes);
    let Ok(read) = Unverified::read(&text) else { return };
    let Ok(keys) = Keys::parse(br#"{"keys":[]}"#) else { return };
    let expected = Expected { issuer: "https://id.example.com".to_owned(), audience: "cloudoptim".to_owned() };
    assert!(read.judge(&keys, &expected, Timestamp::UNIX_EPOCH).is_err(), "a token without a key");
}

/// The list of keys that an issuer publishes.
fn keys(bytes: &[u8]) {
    if let Ok(keys) = Keys::parse(bytes) {
        let _known = keys.know("k");
    }
}

/// What a decision server is asked, and what it answers.
fn decision(bytes: &[u8]) {
    let request = serde_json::from_slice::<DecisionRequest>(bytes);
    if let Ok(request) = &request {
        let _fine = verify::request(request);
    }
    let _answer = serde_json::from_slice::<DecisionAnswer>(bytes);
    if let Ok(question) = serde_json::from_slice::<PredictRequest>(bytes) {
        let _fine = verify::question(&question);
    }
    let _predictions = serde_json::from_slice::<Vec<Prediction>>(bytes);
    if let Ok(outcomes) = serde_json::from_slice::<Vec<PredictionOutcome>>(bytes) {
        let _fine = verify::outcomes(&outcomes);
    }
    let _words = verify::harmless(&text(bytes), 300);
}

/// The files of the market.
fn market(bytes: &[u8]) {
    let _advisor = parse_advisor(bytes, Timestamp::UNIX_EPOCH);
    let text = text(bytes);
    let _prices = parse_price_list([text.as_str()], Timestamp::UNIX_EPOCH);
    let _price = usd(&text);
}

/// Bodies of the API, and their fields.
fn body(bytes: &[u8]) {
    let now = Timestamp::UNIX_EPOCH;
    if let (Ok(body), Ok(id), Ok(customer)) =
        (serde_json::from_slice::<Registration>(bytes), ClusterId::parse("c-1"), CustomerId::parse("acme"))
    {
        let _registered = register(body, id, customer, now, &Rules::public());
    }
    let _change = serde_json::from_slice::<Update>(bytes);
    if let Ok(patch) = serde_json::from_slice::<Value>(bytes) {
        let _policy = fields::patched(&ClusterPolicy::default(), patch);
    }
    let text = text(bytes);
    let _token = fields::token(&text, now);
    let _role = fields::role(&text);
    let _authority = fields::authority(&text);
    let _queue = fields::queue_url(&text);
}

/// What the table keeps of a container's use.
fn usage(bytes: &[u8]) {
    if let Ok(usage) = Usage::decode(bytes) {
        assert!(Usage::decode(&usage.encode()).is_ok(), "what is read can be written and read again");
    }
}
