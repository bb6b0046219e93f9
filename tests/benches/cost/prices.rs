//! Prices, in picodollars (1e-12 USD) per unit, so that sums are whole numbers.
//!
//! Public list prices of AWS in us-east-1, as the service's own pricing page had them in November 2026; free tiers are not used.

use super::counted::{Counted, Part};
use std::path::Path;

/// Picodollars.
pub type Pico = u128;

/// When these prices were read.
pub const AS_OF: &str = "AWS pricing pages, 2026-11-23";

const DOLLAR: Pico = 1_000_000_000_000;
const MEGA: Pico = 1_000_000;
const GIGA: Pico = 1_000_000_000;
/// One request to SQS: 0.40 USD per million (aws.amazon.com/sqs/pricing).
const REQUEST: Pico = DOLLAR * 2 / 5 / MEGA;
/// How many messages one SendMessageBatch takes.
const SENT_TOGETHER: Pico = 10;
/// What Lambda asks an empty queue a month: five long polls of 20 s at a time (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
const EMPTY_POLLS: Pico = 5 * 3_600 / 20 * 730;

/// What so many units of a part cost.
pub fn price(part: Part, units: u128) -> Pico {
    match part {
        // aws.amazon.com/lambda/pricing: arm64, 0.0000133334 USD per GB-second; units are megabyte-milliseconds.
        Part::MegabyteMillis | Part::VisitingMegabyteMillis | Part::RoundMegabyteMillis | Part::ScanMegabyteMillis => {
            units * 13_333_400 / (1_024 * 1_000)
        }
        // 0.20 USD per million requests.
        Part::Invocations | Part::Rounds | Part::Scans => units * DOLLAR / 5 / MEGA,
        // aws.amazon.com/dynamodb/pricing/on-demand: 0.125 USD per million read request units; units are halves of one.
        Part::HalfReads => units * DOLLAR / 8 / MEGA / 2,
        // 0.625 USD per million write request units.
        Part::Writes => units * DOLLAR * 5 / 8 / MEGA,
        // aws.amazon.com/sqs/pricing: 0.40 USD per million requests; each message is sent, received and deleted.
        Part::Messages => units * 3 * REQUEST,
        // Sent by tens, received and deleted by the batch.
        Part::RoundMessages => units * (REQUEST / SENT_TOGETHER + 2 * REQUEST / super::month::batch_of("optimizer")),
        Part::ScanMessages => units * (REQUEST + 2 * REQUEST / super::month::batch_of("ghost-scan")),
        // aws.amazon.com/eventbridge/pricing: 1.00 USD per million, scheduled or from another account.
        Part::Events => units * DOLLAR / MEGA,
        // aws.amazon.com/kms/pricing: 0.03 USD per 10,000 requests.
        Part::Unsealings => units * DOLLAR * 3 / 100 / 10_000,
        // aws.amazon.com/cloudwatch/pricing: 0.50 USD per GB of logs taken in.
        Part::LogBytes => units * DOLLAR / 2 / GIGA,
        // The API servers of EKS are addresses of AWS: in the Region of the functions nothing is paid for what goes there (AWS Architecture
        // Blog, "Overview of Data Transfer Costs for Common Architectures"), in another one 0.02 USD per GB (aws.amazon.com/ec2/pricing/on-demand,
        // data transfer). All are taken for being in another.
        Part::OutBytes => units * DOLLAR / 50 / GIGA,
    }
}

/// What a month costs before the first cluster: two keys (1.00 each), two secrets (0.40), the alarms (0.10) and the dashboard (3.00) of
/// template.yaml, Lambda's polls of its queues, and the metrics that were counted (0.30 each; one that is never counted costs nothing).
pub fn fixed(counted: &Counted) -> Pico {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(template).expect("template.yaml lies beside");
    let of = |kind: &str| template.matches(&format!("    Type: {kind}\n")).count() as Pico;
    let cents = of("AWS::KMS::Key") * 100
        + of("AWS::SecretsManager::Secret") * 40
        + of("AWS::CloudWatch::Alarm") * 10
        + of("AWS::CloudWatch::Dashboard") * 300
        + counted.metrics as Pico * 30;
    let polled = template.matches("            BatchSize: ").count() as Pico;
    cents * DOLLAR / 100 + polled * EMPTY_POLLS * REQUEST
}
