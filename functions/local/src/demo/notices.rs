//! The third act runs beside the others: a receiver of webhooks in this process, and what it was told.

use crate::say;
use crate::system::System;
use anyhow::{Context, ensure};
use domain::ids::TargetId;
use domain::notify::{Channel, Target, TargetState};
use domain::ports::Clock;
use execution::notify::sign;
use secrecy::SecretString;
use sim::courier::{SimCourier, Temper};
use std::collections::BTreeSet;

const URL: &str = "https://receiver.demo.example/hook";
/// Notices are shown up to this many.
const SHOWN_MAX: usize = 12;

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

/// Tells what arrived, each once.
///
/// # Errors
/// Nothing arrived, or something twice.
pub(super) fn summary(receiver: &SimCourier) -> anyhow::Result<()> {
    let got = receiver.got(URL);
    let ids: BTreeSet<&String> = got.iter().map(|got| &got.id).collect();
    say(&format!("\nNotices: {} signed webhooks arrived at a receiver, each once\n", got.len()))?;
    for got in got.iter().take(SHOWN_MAX) {
        let body: serde_json::Value = serde_json::from_str(&got.body)?;
        say(&format!("  {}\n", body["data"]["headline"].as_str().unwrap_or_default()))?;
    }
    ensure!(!got.is_empty() && ids.len() == got.len(), "notices did not arrive as they should: {} of {}", ids.len(), got.len());
    Ok(())
}
