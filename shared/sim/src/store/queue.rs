//! The queues. Whoever drives the world takes the messages that are due and hands them to the functions.

use async_trait::async_trait;
use domain::optimization::Round;
use domain::plan::PlanKey;
use domain::ports::{Clock, Notice, Notices, Parked, Queue, QueueError, Rounds, Scans};
use domain::watch::ScanOrder;
use domain::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// Which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Notices.
    Interruptions,
    /// Plans to be gone on with.
    Plans,
    /// Rounds of the optimizer.
    Rounds,
    /// What people are told.
    Notices,
    /// Scans.
    Scans,
    /// What could not be read, and what failed too often.
    DeadLetters,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its id.
    pub id: String,
    /// Its queue.
    pub queue: Which,
    /// Its body.
    pub body: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How often it was handed out.
    pub received: u32,
    due_at: Timestamp,
}

/// Queues in memory.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: Vec<QueuedMessage>,
    sent: u64,
}

impl MemoryQueue {
    /// Empty queues.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(MemoryQueue { clock, state: Mutex::default() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message into a queue; it can be taken after the delay.
    pub fn put(&self, queue: Which, body: String, delay: SignedDuration) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.sent += 1;
        let id = format!("message-{}", state.sent);
        state.messages.push(QueuedMessage { id, queue, body, sent_at: now, received: 0, due_at: now + delay });
    }

    /// Takes the messages of the working queues that are due, in the order in which they became so.
    pub fn take_due(&self, now: Timestamp) -> Vec<QueuedMessage> {
        let mut state = self.lock();
        let (mut due, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.messages).into_iter().partition(|m| m.queue != Which::DeadLetters && m.due_at <= now);
        state.messages = rest;
        due.sort_by_key(|m| m.due_at);
        for message in &mut due {
            message.received += 1;
        }
        due
    }

    /// Gives a message back: it can be taken again after its visibility time-out.
    pub fn give_back(&self, mut message: QueuedMessage, visibility: SignedDuration) {
        message.due_at = self.clock.now() + visibility;
        self.lock().messages.push(message);
    }

    /// Doubles every plan message that waits, once each: SQS may deliver twice, and then two workers have the plan.
    pub fn double(&self) {
        let mut state = self.lock();
        let once: Vec<QueuedMessage> =
            state.messages.iter().filter(|m| m.queue == Which::Plans && !m.id.ends_with("-again")).cloned().collect();
        for message in once {
            let id = format!("{}-again", message.id);
            if !state.messages.iter().any(|m| m.id == id) {
                state.messages.push(QueuedMessage { id, ..message });
            }
        }
    }

    /// When the next message of a working queue is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().messages.iter().filter(|m| m.queue != Which::DeadLetters).map(|m| m.due_at).min()
    }

    /// Bodies in the dead-letter queue.
    pub fn dead_letters(&self) -> Vec<String> {
        self.lock().messages.iter().filter(|m| m.queue == Which::DeadLetters).map(|m| m.body.clone()).collect()
    }

    /// How many messages wait in the working queues.
    pub fn len(&self) -> usize {
        self.lock().messages.iter().filter(|m| m.queue != Which::DeadLetters).count()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn continue_plan(&self, key: &PlanKey, delay: SignedDuration) -> Result<(), QueueError> {
        let body = serde_json::to_string(key).map_err(|e| QueueError(e.to_string()))?;
        // SQS counts delays in whole seconds, up to 900.
        let whole = delay.as_secs().saturating_add(i64::from(delay.subsec_nanos() > 0));
        self.put(Which::Plans, body, SignedDuration::from_secs(whole.clamp(0, 900)));
        Ok(())
    }

    async fn notice(&self, body: &str) -> Result<(), QueueError> {
        self.put(Which::Interruptions, body.to_owned(), SignedDuration::ZERO);
        Ok(())
    }

    async fn park(&self, parked: &Parked) -> Result<(), QueueError> {
        let body = serde_json::to_string(parked).map_err(|e| QueueError(e.to_string()))?;
        self.put(Which::DeadLetters, body, SignedDuration::ZERO);
        Ok(())
    }
}

#[async_trait]
impl Rounds for MemoryQueue {
    async fn ask(&self, round: &Round) -> Result<(), QueueError> {
        let body = serde_json::to_string(round).map_err(|e| QueueError(e.to_string()))?;
        self.put(Which::Rounds, body, SignedDuration::ZERO);
        Ok(())
    }
}

#[async_trait]
impl Notices for MemoryQueue {
    async fn tell(&self, notice: &Notice) -> Result<(), QueueError> {
        let body = serde_json::to_string(notice).map_err(|e| QueueError(e.to_string()))?;
        self.put(Which::Notices, body, SignedDuration::ZERO);
        Ok(())
    }
}

#[async_trait]
impl Scans for MemoryQueue {
    async fn ask_scan(&self, order: &ScanOrder) -> Result<(), QueueError> {
        let body = serde_json::to_string(order).map_err(|e| QueueError(e.to_string()))?;
        self.put(Which::Scans, body, SignedDuration::ZERO);
        Ok(())
    }
}
