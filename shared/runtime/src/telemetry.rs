//! Logs: one JSON object per line on stdout, which Lambda carries to CloudWatch.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Prefixes of targets that would drown ours, and that print requests in full at finer levels: credentials among them.
const NOISY: [&str; 8] = ["aws_", "hyper", "h2", "rustls", "tower", "lambda_runtime", "axum", "mio"];

/// Starts logging at this level; libraries are never finer than `warn`. A second call changes nothing.
pub fn init(level: Level) {
    to(level, std::io::stdout);
}

/// The same to another place: for whoever reads what is logged.
pub fn to<W: for<'a> MakeWriter<'a> + Send + Sync + 'static>(level: Level, place: W) {
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false).with_writer(place);
    // An error means that a subscriber is there already: a test, or local mode, which logs in its own way.
    tracing_subscriber::registry().with(filter(level)).with(lines).try_init().ok();
}

/// What is logged at a level.
fn filter(level: Level) -> Targets {
    let ours = LevelFilter::from_level(level);
    let theirs = ours.min(LevelFilter::WARN);
    // `kubernetes` is a crate of ours and starts like the noisy `kube`; the longer prefix wins.
    Targets::new()
        .with_default(ours)
        .with_targets(NOISY.map(|prefix| (prefix, theirs)))
        .with_target("kubernetes", ours)
        // The embedded table of local mode warns of every condition that does not hold: those are answers, not troubles.
        .with_target("dynoxide", LevelFilter::OFF)
}

#[cfg(test)]
mod tests;
