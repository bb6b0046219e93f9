//! The third act runs beside the others: a receiver of webhooks in this process, and what it was told.

use crate::say;
use crate::system::System;
use anyhow::{Context, ensure};
use domain::SignedDuration;
use domain::ids::TargetId;
use domain::notify::{Channel, Target, TargetState};
use domain::ports::Clock;
use execution::notify::sign;
use secrecy::SecretString;
use sim::courier::{SimCourier, Temper};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

const URL: &str = "https://receiver.demo.example/hook";
/// Notices of a kind are shown up to this many.
const SHOWN_MAX: usize = 2;
/// What the story leads to: an interruption, findings, and the end of a plan.
const LED_TO: [&str; 4] = ["interruption.after", "ghost.detected", "cross-zone.detected", "office-hours.after"];
/// How long the last notices may take.
const PATIENCE_S: u64 = 10;

/// Registers the receiver as a target of everything.
///
/// # Errors
/// The table or the vault did not answer.
pub(super) async fn listen(system: &System, receiver: &SimCourier) -> anyhow::Result<()> {
    receiver.receiver(URL, Temper::Well);
    let desk = &system.notifier.desk;
    let mut target = Target {
        id: TargetId::parse("demo-receiver")?,
        customer: system.customer.clone(),
        label: "a receiver in this process".to_owned(),
        channel: Channel::Email { to: "nobody@example.com".to_owned() },
        kinds: Vec::new(),
        state: TargetState::Active,
        created_at: system.clock.now(),
        version: 1,
    };
    let url = desk.vault.seal(&target.seal_context(), &SecretString::from(URL)).await?;
    let secret = desk.vault.seal(&target.seal_context(), &sign::secret(&[7; 32])).await?;
    target.channel = Channel::Webhook { host: "receiver.demo.example".to_owned(), url, secret, secret_before: None };
    desk.outbox.put_target(&target).await.context("the receiver could not be registered")
}

/// Tells what arrived, each once: of every kind the first few.
///
/// # Errors
/// Something is missing that the story led to, or arrived twice.
pub(super) async fn summary(system: &System, receiver: &SimCourier) -> anyhow::Result<()> {
    let since = Instant::now();
    let mut kinds = kinds(receiver)?;
    // The last of the story's notices are on their way still.
    while !LED_TO.iter().all(|kind| kinds.contains_key(*kind)) && since.elapsed().as_secs() < PATIENCE_S {
        system.clock.sleep(SignedDuration::from_millis(200)).await;
        kinds = self::kinds(receiver)?;
    }
    let got = receiver.got(URL);
    let ids: BTreeSet<&String> = got.iter().map(|got| &got.id).collect();
    say(&format!("\nNotices: {} signed webhooks arrived at a receiver, each once\n", got.len()))?;
    for (kind, headlines) in &kinds {
        for headline in headlines.iter().take(SHOWN_MAX) {
            say(&format!("  {kind:<24} {headline}\n"))?;
        }
        if headlines.len() > SHOWN_MAX {
            say(&format!("  {kind:<24} and {} more\n", headlines.len() - SHOWN_MAX))?;
        }
    }
    let missing: Vec<&&str> = LED_TO.iter().filter(|kind| !kinds.contains_key(**kind)).collect();
    ensure!(
        missing.is_empty() && ids.len() == got.len(),
        "notices did not arrive as they should: {missing:?}, {} of {}",
        ids.len(),
        got.len()
    );
    Ok(())
}

/// Headlines by kind.
fn kinds(receiver: &SimCourier) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for got in receiver.got(URL) {
        let body: serde_json::Value = serde_json::from_str(&got.body)?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        kinds.entry(text(&body["type"])).or_default().push(text(&body["data"]["headline"]));
    }
    Ok(kinds)
}
