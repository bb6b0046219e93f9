//! From a notice to what is sent: a page of Slack, the body of a webhook, a mail. Pure but for the opening of secrets.

use super::{sign, words};
use domain::Timestamp;
use domain::notify::{Channel, Target};
use domain::ports::{Notice, Parcel, Vault, VaultError};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Limits of Slack (Block Kit reference): a header, and the text of a section.
const SLACK_HEADER_MAX: usize = 150;
const SLACK_TEXT_MAX: usize = 3_000;
/// The most of a notice that a body holds, in characters: Standard Webhooks asks for bodies below 20 kB.
const SENTENCES_MAX: usize = 12_000;
/// RFC 5322 asks for lines below this.
const SUBJECT_MAX: usize = 150;

/// What is sent to a target.
///
/// # Errors
/// Why it cannot be made, in one sentence without a secret in it.
pub async fn parcel(vault: &dyn Vault, target: &Target, notice: &Notice, now: Timestamp) -> Result<Parcel, String> {
    let closed = |error: VaultError| format!("a secret of the target could not be opened: {error}");
    let context = target.seal_context();
    match &target.channel {
        Channel::Slack { url, .. } => {
            let url = vault.open(&context, url).await.map_err(closed)?;
            Ok(Parcel::Post { url, headers: Vec::new(), body: slack(notice).to_string() })
        }
        Channel::Webhook { url, secret, secret_before, .. } => {
            let url = vault.open(&context, url).await.map_err(closed)?;
            let mut secrets: Vec<SecretString> = Vec::new();
            for sealed in std::iter::once(secret).chain(secret_before) {
                secrets.push(vault.open(&context, sealed).await.map_err(closed)?);
            }
            let (id, body) = (message_id(notice), webhook(notice).to_string());
            let signature = sign::signatures(&secrets, &id, now.as_second(), &body).map_err(|error| error.to_string())?;
            let headers = vec![("webhook-id", id), ("webhook-timestamp", now.as_second().to_string()), ("webhook-signature", signature)];
            Ok(Parcel::Post { url, headers, body })
        }
        Channel::Email { to } => {
            Ok(Parcel::Letter { to: to.clone(), subject: cut(&words::headline(notice), SUBJECT_MAX), text: mail(notice) })
        }
    }
}

/// What a receiver tells a second time from a second notice by: the same for each attempt, and plain, whatever the subject is called.
pub fn message_id(notice: &Notice) -> String {
    let hash = Sha256::digest(format!("{}\n{}", notice.customer, notice.id));
    let mut text = data_encoding::BASE32_NOPAD.encode(&hash).to_ascii_lowercase();
    text.truncate(26);
    format!("msg_{text}")
}

/// The body of a webhook.
pub fn webhook(notice: &Notice) -> Value {
    json!({
        "type": notice.kind,
        "timestamp": notice.at.to_string(),
        "data": {
            "customer_id": notice.customer,
            "cluster_id": notice.cluster,
            "subject": words::discreet(&notice.subject),
            "headline": words::headline(notice),
            "sentences": sentences(notice),
        },
    })
}

/// A message of Slack: what and where, what is said, and when.
pub fn slack(notice: &Notice) -> Value {
    let headline = words::headline(notice);
    let said = cut(&escaped(&sentences(notice).join("\n")), SLACK_TEXT_MAX);
    let place = format!("cluster {} · {} · {}", notice.cluster, notice.kind, notice.at);
    let mut blocks = vec![json!({ "type": "header", "text": { "type": "plain_text", "text": cut(&headline, SLACK_HEADER_MAX) } })];
    // Slack refuses an empty text, and with it the whole message.
    if !said.is_empty() {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": said } }));
    }
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": cut(&escaped(&place), SLACK_TEXT_MAX) }] }));
    json!({ "text": cut(&escaped(&headline), SLACK_TEXT_MAX), "blocks": blocks })
}

fn mail(notice: &Notice) -> String {
    let said = sentences(notice).join("\n\n");
    format!(
        "{said}\n\nCluster: {}\nSubject: {}\nKind: {}\nTime: {}\n",
        notice.cluster,
        words::discreet(&notice.subject),
        notice.kind,
        notice.at
    )
}

/// What is said, without secrets, and no more of it than a body takes.
fn sentences(notice: &Notice) -> Vec<String> {
    let mut left = SENTENCES_MAX;
    let mut said = Vec::new();
    for sentence in &notice.sentences {
        let sentence = cut(&words::discreet(sentence), left);
        left -= sentence.chars().count();
        if sentence.is_empty() {
            break;
        }
        said.push(sentence);
    }
    said
}

/// The three characters that Slack asks to be escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many characters on one line, with a sign that there was more.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(std::iter::once('…')).take(max).collect()
}

#[cfg(test)]
mod tests;
