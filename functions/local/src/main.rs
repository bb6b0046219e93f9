//! CloudOptim on one machine: every function in one process, on embedded parts.

use runtime::telemetry;
use std::io::Write;
use tracing::Level;

mod demo;
mod system;
mod worker;

const USAGE: &str = "\
CloudOptim on one machine: every function in one process, on embedded parts.

usage: cloudoptim [COMMAND]

  (none)   start everything, print the address of the API and its key, run until Ctrl-C
  demo     play the story: a spot warning for a loaded node, to the end of its rescue
  help     this page

environment:
  CLOUDOPTIM_DIR   folder that keeps the state (.cloudoptim)
  PORT             port of the API (8000)
  LOG_LEVEL        level of the log on standard error (warn)
";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    if let Some(extra) = arguments.next() {
        anyhow::bail!("there is one argument at most, {extra:?} is one too many\n\n{USAGE}");
    }
    let settings = system::Settings::from_env()?;
    match command.as_deref() {
        None => serve(&settings).await,
        Some("demo") => {
            telemetry::init(settings.log_level);
            demo::play().await
        }
        Some("help" | "--help" | "-h") => say(USAGE),
        Some(other) => anyhow::bail!("there is no command {other:?}\n\n{USAGE}"),
    }
}

async fn serve(settings: &system::Settings) -> anyhow::Result<()> {
    telemetry::init(settings.log_level.max(Level::INFO));
    let system = system::System::start(settings).await?;
    say(&format!(
        "CloudOptim runs on embedded parts.\n\n  API         {}\n  key         {}\n  demo cluster {}\n  state       {}\n\n  curl -H 'Authorization: Bearer {}' {}/api/v1/admin/clusters\n\nCtrl-C stops it.\n",
        system.api_url, system.api_key, system.cluster, system.folder, system.api_key, system.api_url
    ))?;
    let worker = worker::run(&system);
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        () = worker => {}
    }
    say("Stopped. The state stays in its folder.\n")
}

/// Prints for a person.
fn say(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
