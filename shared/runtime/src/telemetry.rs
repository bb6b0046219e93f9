//! Logs: one JSON line per event on standard output.

use tracing_subscriber::EnvFilter;

/// Starts logging at a level such as `info`. Vendors stay at `warn` whatever is asked: SDKs have logged credentials at `trace`
/// (RUSTSEC-2023-0125). Says whether this call was the one that started it.
pub fn init(level: &str) -> bool {
    let vendors = [
        "aws_config",
        "aws_sdk_dynamodb",
        "aws_sdk_sqs",
        "aws_sdk_sts",
        "aws_sdk_kms",
        "aws_sdk_ec2",
        "aws_sdk_autoscaling",
        "aws_runtime",
        "aws_sigv4",
        "aws_smithy_runtime",
        "aws_smithy_http_client",
        "hyper",
        "hyper_util",
        "h2",
        "rustls",
        "tower",
        "kube",
        "kube_client",
    ];
    let quiet: Vec<String> = vendors.iter().map(|name| format!("{name}=warn")).collect();
    let filter = EnvFilter::new(format!("{level},{}", quiet.join(",")));
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_current_span(false).try_init().is_ok()
}
