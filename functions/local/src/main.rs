//! CloudOptim on one machine: every function in one process, on embedded parts.

use cloudoptim::report::Brain;
use decision::planner::Planner;
use decision::{Engine, Knowledge};
use domain::ids::Region;
use domain::market::Quote;
use domain::offering::{CapacityType, Pool};
use planning::public_data::Catalogue;
use runtime::clock::SystemClock;
use runtime::telemetry;
use std::io::Write;
use tracing::Level;

#[cfg(test)]
mod canary;
mod demo;
mod metrics;
mod pages;
mod parts;
mod past;
mod system;
mod tables;
mod thinking;
mod worker;

const USAGE: &str = "\
CloudOptim on one machine: every function in one process, on embedded parts.

usage: cloudoptim [COMMAND]

  (none)   start everything, print the address of console and API with a key, run until Ctrl-C
  demo     play the story: a spot warning for a loaded node, to the end of its rescue; then the cluster gets cheaper, workloads get
           their size, a ghost is found, everything sleeps and wakes, and people are told
  report   --kubeconfig FILE [--context NAME] [--output table|json|html]
           read a real cluster, change nothing, and say what could be saved, by which plan, and what stands in the way
  help     this page

environment:
  CLOUDOPTIM_DIR      folder that keeps the state (.cloudoptim)
  PORT                port of console and API (8000)
  LOG_LEVEL           level of the log (info; warn in the demo)
  ML_SERVER_URL       another decision server than the one that is started here
  ML_SERVER_API_KEY   its key
  JWT_ISSUER          whose tokens are taken beside keys, with JWT_AUDIENCE and JWT_JWKS_URL
  CALLS_PER_MINUTE    calls of one key in a minute (600)
";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    if command.as_deref() == Some("report") {
        return report(arguments).await;
    }
    if let Some(extra) = arguments.next() {
        anyhow::bail!("there is one argument at most, {extra:?} is one too many\n\n{USAGE}");
    }
    let settings = system::Settings::from_env()?;
    match command.as_deref() {
        None => serve(&settings).await,
        Some("demo") => {
            telemetry::init(settings.log_level);
            Box::pin(demo::play()).await
        }
        Some("help" | "--help" | "-h") => say(USAGE),
        Some(other) => anyhow::bail!("there is no command {other:?}\n\n{USAGE}"),
    }
}

async fn serve(settings: &system::Settings) -> anyhow::Result<()> {
    telemetry::init(settings.log_level.max(Level::INFO));
    let system = system::System::start(settings).await?;
    say(&format!(
        "CloudOptim runs on embedded parts.\n\n  console     {}/console/sign-in#key={}\n  API         {}\n  key         {}\n  demo cluster {}\n  state       {}\n\n  curl -H 'Authorization: Bearer {}' {}/api/v1/admin/clusters\n\nCtrl-C stops it.\n",
        system.api_url, system.api_key, system.api_url, system.api_key, system.cluster, system.folder, system.api_key, system.api_url
    ))?;
    past::remember(&system, &system.decision).await?;
    // Whoever opens the console at once finds a decision in it, and need not wait for the schedule.
    system.ask_first_round().await?;
    let worker = worker::run(&system);
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        () = worker => {}
    }
    say("Stopped. The state stays in its folder.\n")
}

/// Reads a cluster and prints what could be saved.
async fn report(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let options = cloudoptim::report::Options::parse(arguments).map_err(|error| anyhow::anyhow!("{error:#}\n\n{USAGE}"))?;
    let (planner, known) = (Planner::default(), Knowledge::day_zero());
    let brain = Brain { price: &price, decide: &|request| planner.decide(request, &known) };
    cloudoptim::report::run(&options, &SystemClock, &brain, &mut std::io::stdout()).await
}

/// What a pool costs by public data: the list price on demand, the Spot Advisor's saving for spot.
fn price(region: &Region, pool: &Pool) -> Option<Quote> {
    let catalogue = Catalogue::embedded();
    match pool.capacity {
        CapacityType::OnDemand => catalogue.on_demand_quote(region, &pool.instance_type),
        CapacityType::Spot => catalogue.spot_estimate(region, &pool.instance_type),
    }
}

/// Prints for a person.
fn say(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
