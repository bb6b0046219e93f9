//! The poller function: reads the queues that customers keep in their own accounts, and puts what it finds on ours.
//!
//! A message is deleted over there once our queue has it: from then on it is as durable as any other notice, and its rescue begins
//! in `interruption` as if EventBridge had sent it to us. Each queue is listened to by itself, so that one that is slow, full or
//! closed holds up no other.

use domain::ids::CustomerId;
use domain::interruption::Message;
use domain::interruption::parse::{Received, parse};
use domain::ports::{Ask, Clock, Letter, MailboxError, Mailboxes, Meter, Queue, Registry, Routes, StoreError};
use domain::tenant::{AwsScope, Cluster};
use domain::{SignedDuration, Timestamp};
use futures::future::join_all;
use runtime::deadline::Budget;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{error, info, warn};

/// How queues are listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How to receive.
    pub ask: Ask,
    /// Between two looks at a queue where the first failed or did not wait: what waits by itself needs no pause.
    pub pause: SignedDuration,
}

/// What the function works with.
#[derive(Clone)]
pub struct Deps {
    /// Clusters, and the external ids of their customers.
    pub registry: Arc<dyn Registry>,
    /// Whose an instance is.
    pub routes: Arc<dyn Routes>,
    /// Queues in customers' accounts.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// Ours.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub meter: Arc<dyn Meter>,
    /// How queues are listened to.
    pub settings: Settings,
    /// The queues that were found last.
    pub found: Found,
}

/// Queues, and when they were looked up: they are set once in a cluster's life, and each look reads every cluster.
#[derive(Debug, Clone, Default)]
pub struct Found(Arc<Mutex<Option<(Timestamp, Listened)>>>);

/// A customer's queue.
type Named = (CustomerId, String);

/// The queues that are listened to, each as its customer.
type Listened = BTreeMap<Named, AwsScope>;

/// How long what was found is listened to without another look: so late is a new queue heard at most, and one that was taken away left alone.
const FOUND_FOR: SignedDuration = SignedDuration::from_mins(5);

/// What an invocation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Polled {
    /// Queues that were listened to.
    pub queues: usize,
    /// Messages that are now on our queue.
    pub forwarded: usize,
    /// Looks that failed, and messages that could not be forwarded or deleted; they come back.
    pub failed: usize,
}

/// Listens to all queues until the invocation's time is nearly out.
///
/// # Errors
/// The table did not say which queues there are; the next minute tries again.
pub async fn handle(deps: &Deps, budget: Budget) -> Result<Polled, StoreError> {
    let queues = found(deps).await?;
    let until = budget.until();
    let listened = join_all(queues.iter().map(|((_, url), scope)| listen(deps, scope, url, until))).await;
    let mut polled = Polled { queues: queues.len(), ..Polled::default() };
    for (forwarded, failed) in listened {
        polled.forwarded += forwarded;
        polled.failed += failed;
    }
    deps.meter.count("polls", "finished");
    info!(queues = polled.queues, forwarded = polled.forwarded, failed = polled.failed, "Polled");
    Ok(polled)
}

async fn found(deps: &Deps) -> Result<Listened, StoreError> {
    let now = deps.clock.now();
    let known = deps.found.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((looked, queues)) = known
        && now < looked + FOUND_FOR
    {
        return Ok(queues);
    }
    let queues = queues(deps).await?;
    *deps.found.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, queues.clone()));
    Ok(queues)
}

/// Every queue of a customer once, however many of their clusters name it. Where two customers name one queue, each reads it as
/// themselves: whoever names another's queue is refused by it, and keeps nobody from theirs.
async fn queues(deps: &Deps) -> Result<Listened, StoreError> {
    let mut queues = BTreeMap::new();
    for cluster in deps.registry.every_cluster().await? {
        let Some(url) = cluster.sqs_queue_url.clone() else { continue };
        let named = (cluster.customer.clone(), url);
        if queues.contains_key(&named) {
            continue;
        }
        if let Some(scope) = scope(deps, &cluster).await? {
            queues.insert(named, scope);
        }
    }
    Ok(queues)
}

async fn scope(deps: &Deps, cluster: &Cluster) -> Result<Option<AwsScope>, StoreError> {
    let customer = deps.registry.customer(&cluster.customer).await?;
    Ok(customer.map(|customer| execution::scope(cluster, &customer)))
}

/// One queue, until the time is out: what was forwarded, and what failed.
async fn listen(deps: &Deps, scope: &AwsScope, url: &str, until: Timestamp) -> (usize, usize) {
    let (mut forwarded, mut failed) = (0, 0);
    loop {
        // A poll that would end too late waits less; with less than a second left there is no other.
        let left = until.duration_since(deps.clock.now());
        if left < SignedDuration::from_secs(1) {
            return (forwarded, failed);
        }
        let asked = deps.settings.ask;
        let ask = Ask { wait_s: asked.wait_s.min(u32::try_from(left.as_secs()).unwrap_or(asked.wait_s)), ..asked };
        let rest = match look(deps, scope, url, ask).await {
            Ok((moved, stuck)) => {
                forwarded += moved;
                failed += stuck;
                // What came may have more behind it.
                stuck > 0 || (moved == 0 && ask.wait_s == 0)
            }
            Err(error) => {
                failed += 1;
                let kind = if matches!(error, MailboxError::Refused(_)) { "refused" } else { "unreachable" };
                deps.meter.count("polls_failed", kind);
                warn!(customer = %scope.customer, cluster = %scope.cluster, url, error = &error as &dyn std::error::Error, "A queue was not read");
                if kind == "refused" {
                    // Another try in this minute would be refused, too.
                    return (forwarded, failed);
                }
                true
            }
        };
        if rest {
            let left = until.duration_since(deps.clock.now()).max(SignedDuration::ZERO);
            deps.clock.sleep(deps.settings.pause.max(SignedDuration::from_secs(1)).min(left)).await;
        }
    }
}

/// Receives once, forwards, and deletes what our queue has taken.
async fn look(deps: &Deps, scope: &AwsScope, url: &str, ask: Ask) -> Result<(usize, usize), MailboxError> {
    let letters = deps.mailboxes.receive(scope, url, ask).await?;
    let taken = join_all(letters.iter().map(|letter| forward(deps, scope, letter))).await;
    let receipts: Vec<String> =
        letters.iter().zip(&taken).filter(|(_, taken)| **taken != Taken::No).map(|(letter, _)| letter.receipt.clone()).collect();
    let moved = taken.iter().filter(|taken| **taken == Taken::Forwarded).count();
    let mut stuck = letters.len() - receipts.len();
    if !receipts.is_empty()
        && let Err(error) = deps.mailboxes.delete(scope, url, &receipts).await
    {
        // They come back and are handled twice, which harms nothing.
        stuck += 1;
        deps.meter.count("polls_failed", "not_deleted");
        warn!(url, error = &error as &dyn std::error::Error, "Messages were not deleted");
    }
    for _ in 0..moved {
        deps.meter.count("polled_notices", "forwarded");
    }
    Ok((moved, stuck))
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Our queue has it.
    Forwarded,
    /// It speaks of what is not its owner's, and goes nowhere.
    Foreign,
    /// It comes back.
    No,
}

/// Whoever may write to a queue of theirs may write there what they like, also that an instance of somebody else goes. EventBridge
/// says itself which account an event is of; here we look.
async fn forward(deps: &Deps, scope: &AwsScope, letter: &Letter) -> Taken {
    let received = Received { at: deps.clock.now(), region: Some(scope.region.clone()) };
    if let Message::Notice(notice) = parse(&letter.body, &received) {
        match execution::theirs(deps.routes.as_ref(), &scope.customer, &notice).await {
            Ok(true) => {}
            Ok(false) => {
                deps.meter.count("notices_rejected", "foreign");
                error!(customer = %scope.customer, account = %notice.account, "A queue names an instance that is not its owner's");
                return Taken::Foreign;
            }
            Err(error) => {
                deps.meter.count("polls_failed", "not_forwarded");
                warn!(error = &error as &dyn std::error::Error, "A notice could not be looked at, and comes back");
                return Taken::No;
            }
        }
    }
    match deps.queue.notice(&letter.body).await {
        Ok(()) => Taken::Forwarded,
        Err(error) => {
            deps.meter.count("polls_failed", "not_forwarded");
            warn!(error = &error as &dyn std::error::Error, "A notice was not forwarded, and comes back");
            Taken::No
        }
    }
}

#[cfg(test)]
mod tests;
