//! Receivers of notices, each with a temper of its own, and whoever carries to them.

use async_trait::async_trait;
use domain::SignedDuration;
use domain::Timestamp;
use domain::notify::Sending;
use domain::ports::{Clock, Courier, Parcel};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How a receiver takes what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// It takes everything at once.
    Well,
    /// It takes one in so many, and answers 500 to the others.
    Fails(u32),
    /// It hangs until then: it accepts and never answers.
    HangsUntil(Timestamp),
    /// It sends everybody elsewhere until then.
    RedirectsUntil(Timestamp),
    /// It answers a byte at a time until then, and never to the end.
    DripsUntil(Timestamp),
    /// It takes the message and says 500 until then: the sender cannot know.
    LiesUntil(Timestamp),
    /// It is overloaded until then and says for how long, in seconds.
    BusyUntil(Timestamp, u32),
    /// It is gone for good.
    Gone,
    /// Its name leads to the metadata service.
    Forbidden,
}

/// What one receiver got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// When.
    pub at: Timestamp,
    /// Its `webhook-id`, or the subject of a letter.
    pub id: String,
    /// The body.
    pub body: String,
}

/// Carries to simulated receivers, by URL or address.
pub struct SimCourier {
    clock: Arc<dyn Clock>,
    state: Mutex<BTreeMap<String, Receiver>>,
}

#[derive(Debug)]
struct Receiver {
    temper: Temper,
    asked: u32,
    got: Vec<Got>,
}

/// How long the real courier waits for an answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);
/// A quick answer.
const QUICK: SignedDuration = SignedDuration::from_millis(40);

impl SimCourier {
    /// Knows nobody yet.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<SimCourier> {
        Arc::new(SimCourier { clock, state: Mutex::default() })
    }

    /// Adds a receiver, or changes its temper.
    pub fn receiver(&self, address: &str, temper: Temper) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.entry(address.to_owned()).and_modify(|there| there.temper = temper).or_insert(Receiver { temper, asked: 0, got: Vec::new() });
    }

    /// What a receiver got, in order.
    pub fn got(&self, address: &str) -> Vec<Got> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.get(address).map(|there| there.got.clone()).unwrap_or_default()
    }

    /// What is answered, after how long, and whether the message got through.
    fn decide(&self, address: &str, now: Timestamp) -> Option<(Sending, SignedDuration, bool)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let there = state.get_mut(address)?;
        there.asked += 1;
        let well = (Sending::Delivered { status: 204 }, QUICK, true);
        let refused = |status, retry_after_s| Sending::Refused { status, retry_after_s };
        Some(match there.temper {
            Temper::Well => well,
            Temper::Fails(of) if there.asked.is_multiple_of(of.max(1)) => well,
            Temper::Fails(_) => (refused(500, None), QUICK, false),
            Temper::HangsUntil(until) | Temper::DripsUntil(until) if now < until => (Sending::Slow, PATIENCE, true),
            Temper::RedirectsUntil(until) if now < until => (refused(307, None), QUICK, false),
            Temper::LiesUntil(until) if now < until => (refused(500, None), QUICK, true),
            Temper::BusyUntil(until, after_s) if now < until => (refused(429, Some(after_s)), QUICK, false),
            Temper::Gone => (refused(410, None), QUICK, false),
            Temper::Forbidden => (Sending::Forbidden, QUICK, false),
            Temper::HangsUntil(_) | Temper::DripsUntil(_) | Temper::RedirectsUntil(_) | Temper::LiesUntil(_) | Temper::BusyUntil(_, _) => {
                well
            }
        })
    }
}

#[async_trait]
impl Courier for SimCourier {
    async fn carry(&self, parcel: &Parcel) -> Sending {
        let (address, id, body) = match parcel {
            Parcel::Post { url, headers, body } => {
                let id = headers.iter().find(|(name, _)| *name == "webhook-id").map(|(_, id)| id.clone()).unwrap_or_default();
                (url.expose_secret().to_owned(), id, body.clone())
            }
            Parcel::Letter { to, subject, text } => (to.clone(), subject.clone(), text.clone()),
        };
        let Some((sending, takes, through)) = self.decide(&address, self.clock.now()) else {
            return Sending::NoAddress;
        };
        if through {
            let got = Got { at: self.clock.now(), id, body };
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(there) = state.get_mut(&address) {
                there.got.push(got);
            }
        }
        self.clock.sleep(takes).await;
        sending
    }
}
