//! The optimizer function: the schedule asks for a round of every cluster, one message each; a message is one round of one cluster.
//!
//! It has the right to *plan*: it looks at clusters and opens plans, and changes nothing. What it opens is carried out by the
//! executor, under the same safety check once more.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::SignedDuration;
use domain::optimization::Round;
use domain::ports::{Parked, QueueError};
use execution::Trouble;
use execution::optimize::{Optimizer, Rounded};
use runtime::deadline::Budget;
use tracing::{info, warn};

/// What the function works with.
pub type Deps = Optimizer;

/// How many nodes the clusters may have together whose rounds run at once. One snapshot of the largest cluster fills the memory; rounds of
/// small ones wait for their API servers side by side, so that the waiting is paid once.
const NODES_AT_ONCE: u32 = 5_000;

/// What the round of the largest cluster takes: 300 pages of pods, one after the other, of a tenth of a second each, and a third as long again
/// for reading and deciding.
const LARGEST_TAKES: SignedDuration = SignedDuration::from_secs(45);

/// Why a message comes back.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// The round could not be begun or finished.
    #[error("the round got stuck")]
    Trouble(#[from] Trouble),
    /// The time was out first; what is decided stays.
    #[error("the time was out before every type was decided on")]
    Unfinished,
    /// An unreadable message could not be parked either.
    #[error("an unreadable message could not be parked")]
    Parking(#[from] QueueError),
}

/// Handles an event of either form: an SQS batch of rounds, or a tick of the schedule.
///
/// # Errors
/// [`Unhandled`]: the tick did not reach every cluster; the next one does.
pub async fn handle_any(event: serde_json::Value, deps: &Deps, budget: Budget) -> Result<SqsBatchResponse, Unhandled> {
    if event.get("Records").is_some() {
        match serde_json::from_value::<SqsEvent>(event) {
            Ok(batch) => return Ok(handle(batch, deps, budget).await),
            Err(error) => warn!(%error, "A batch could not be read"),
        }
        return Ok(SqsBatchResponse::default());
    }
    let asked = deps.fan_out().await?;
    deps.ports.meter.count("optimizer_ticks", "finished");
    info!(clusters = asked, "Asked for a round of every cluster");
    Ok(SqsBatchResponse::default())
}

/// Handles one batch; only the messages that must come back are in the answer. What there is no time left for is asked for anew: a message
/// that comes back would count as one that has failed.
pub async fn handle(event: SqsEvent, deps: &Deps, budget: Budget) -> SqsBatchResponse {
    let mut back = SqsBatchResponse::default();
    for (place, group) in groups(event.records).into_iter().enumerate() {
        if place > 0 && budget.left(deps.ports.clock.as_ref()) < LARGEST_TAKES && ask_again(&group, deps).await {
            continue;
        }
        let many = group.len();
        let mut event = SqsEvent::default();
        event.records = group;
        let answer = runtime::batch::run(event, many, |message| one(message, deps, budget)).await;
        back.batch_item_failures.extend(answer.batch_item_failures);
    }
    back
}

/// Whether all of them were asked for anew.
async fn ask_again(messages: &[SqsMessage], deps: &Deps) -> bool {
    let rounds: Option<Vec<Round>> = messages.iter().map(round_of).collect();
    let Some(rounds) = rounds else { return false };
    match deps.ask_again(rounds).await {
        Ok(asked) => info!(asked, left_out = messages.len() - asked, "Asked anew for rounds that there was no time for"),
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "Rounds could not be asked for anew");
            return false;
        }
    }
    true
}

fn round_of(message: &SqsMessage) -> Option<Round> {
    serde_json::from_str(message.body.as_deref()?).ok()
}

/// Messages whose rounds have room in the memory together, the small clusters first. Of which nobody knows how large it is has it to itself.
fn groups(messages: Vec<SqsMessage>) -> Vec<Vec<SqsMessage>> {
    let size = |message: &SqsMessage| round_of(message).map_or(0, |round| round.nodes.unwrap_or(NODES_AT_ONCE));
    let mut sized: Vec<(u32, SqsMessage)> = messages.into_iter().map(|message| (size(&message), message)).collect();
    sized.sort_by_key(|(nodes, _)| *nodes);
    let (mut groups, mut room): (Vec<Vec<SqsMessage>>, u32) = (Vec::new(), 0);
    for (nodes, message) in sized {
        match groups.last_mut() {
            Some(group) if nodes <= room => group.push(message),
            Some(_) | None => {
                groups.push(vec![message]);
                room = NODES_AT_ONCE;
            }
        }
        room = room.saturating_sub(nodes);
    }
    groups
}

async fn one(message: SqsMessage, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let handled = body(message.body.as_deref().unwrap_or_default(), deps, budget).await;
    if let Err(error) = &handled {
        warn!(message.id = message.message_id.as_deref(), error = error as &dyn std::error::Error, "A message comes back");
    }
    handled
}

/// Handles one body: a round.
///
/// # Errors
/// [`Unhandled`]: the message must come back.
pub async fn body(text: &str, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let round: Round = match serde_json::from_str(text) {
        Ok(round) => round,
        Err(error) => {
            deps.ports.meter.count("notices_rejected", "round_message");
            let parked = Parked { body: text.chars().take(200_000).collect(), reason: format!("not a round: {error}") };
            return Ok(deps.ports.queue.park(&parked).await?);
        }
    };
    match deps.round(&round, budget.until()).await? {
        Rounded::Finished(runs) => {
            info!(cluster.id = %round.cluster, round = round.round, decided = runs.len(), "A round is over");
            Ok(())
        }
        Rounded::Gone => {
            info!(cluster.id = %round.cluster, "The cluster is not registered any more");
            Ok(())
        }
        Rounded::Unfinished => Err(Unhandled::Unfinished),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, nodes: Option<u32>) -> SqsMessage {
        let round = serde_json::json!({ "customer": "acme", "cluster": "prod", "round": "s1", "asked_by": "schedule", "nodes": nodes });
        let mut message = SqsMessage::default();
        (message.message_id, message.body) = (Some(id.to_owned()), Some(round.to_string()));
        message
    }

    fn grouped(messages: Vec<SqsMessage>) -> Vec<Vec<String>> {
        groups(messages).into_iter().map(|group| group.into_iter().filter_map(|message| message.message_id).collect()).collect()
    }

    #[test]
    fn rounds_run_side_by_side_as_far_as_their_snapshots_have_room() {
        let few = ["a", "b", "c"].map(|id| message(id, Some(50))).to_vec();
        assert_eq!(grouped(few), [["a", "b", "c"]]);
        let large = vec![message("large", Some(5_000)), message("small", Some(50)), message("middle", Some(4_950))];
        assert_eq!(grouped(large), [vec!["small", "middle"], vec!["large"]]);
        let unknown = vec![message("unknown", None), message("another", None), message("small", Some(1))];
        assert_eq!(grouped(unknown), [["small"], ["unknown"], ["another"]]);
        let larger = vec![message("larger", Some(9_000)), message("as-large", Some(9_000))];
        assert_eq!(grouped(larger), [["larger"], ["as-large"]], "no message is left out for its size");
    }

    #[test]
    fn what_cannot_be_read_takes_no_room() {
        let mut torn = message("torn", None);
        torn.body = Some("{".to_owned());
        assert_eq!(grouped(vec![torn, message("large", Some(5_000))]), [["torn", "large"]]);
        assert!(groups(Vec::new()).is_empty());
    }
}
