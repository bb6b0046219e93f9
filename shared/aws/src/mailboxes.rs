//! Queues in customers' accounts, read as a role that may do nothing else.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use aws_types::SdkConfig;
use domain::ports::{Ask, Letter, MailboxError, Mailboxes};
use domain::tenant::{AwsScope, role_account};
use sdk::Role;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Mutex;

/// The name of the role that reads the queue is that of the registered role with this behind.
const ROLE_SUFFIX: &str = "-queue";
/// A long poll lasts up to 20 s (SQS API Reference, WaitTimeSeconds); silence beyond is a lost connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(25);
/// How many scopes are kept; above it all are forgotten, which costs one AssumeRole each.
const SCOPES_MAX: usize = 2_000;

/// Queues of customers, one client per scope and queue: a session may read the queue that it was opened for, and no other.
#[derive(Debug)]
pub struct CustomerQueues {
    base: SdkConfig,
    clients: Mutex<HashMap<(AwsScope, String), Client>>,
}

impl CustomerQueues {
    /// Takes our own credentials from `base`. Makes no call.
    pub fn new(base: &SdkConfig) -> CustomerQueues {
        let timeouts = TimeoutConfig::builder().operation_timeout(ATTEMPT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        CustomerQueues { base: base.to_builder().timeout_config(timeouts).build(), clients: Mutex::default() }
    }

    async fn client(&self, scope: &AwsScope, url: &str) -> Result<Client, MailboxError> {
        if role_account(&scope.role_arn) != Some(scope.account.as_str()) {
            return Err(MailboxError::Refused(format!("the role {} is not in the account {}", scope.role_arn, scope.account)));
        }
        let region = region_of(url).unwrap_or(scope.region.as_str()).to_owned();
        let policy = policy(scope, &region, url).ok_or_else(|| MailboxError::Refused(format!("{url} names no queue")))?;
        let key = (scope.clone(), url.to_owned());
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let role = Role {
            arn: format!("{}{ROLE_SUFFIX}", scope.role_arn),
            external_id: Some(scope.external_id.clone()),
            session_name: "cloudoptim-poller".to_owned(),
            policy,
            region,
        };
        let config = role.assumed(&self.base).build();
        if clients.len() >= SCOPES_MAX {
            clients.clear();
        }
        Ok(clients.entry(key).or_insert_with(|| Client::new(&config)).clone())
    }
}

/// What a session may do: receive from one queue and delete there, whatever else the role may. `None`: the address names no queue.
fn policy(scope: &AwsScope, region: &str, url: &str) -> Option<String> {
    let (account, name) = url.strip_prefix("https://")?.split_once('/')?.1.split_once('/')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let partition = scope.role_arn.split(':').nth(1).filter(|partition| plain(partition))?;
    let whole = plain(account) && plain(name) && plain(region);
    whole.then(|| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"arn:{partition}:sqs:{region}:{account}:{name}"}}]}}"#
        )
    })
}

/// The Region in `https://sqs.<Region>.amazonaws.com/...`.
fn region_of(url: &str) -> Option<&str> {
    url.strip_prefix("https://sqs.")?.split_once('.').map(|(region, _)| region).filter(|region| region.contains('-'))
}

/// What another try cannot mend is refused: the service said no to the call itself.
fn failed<E: std::error::Error + ProvideErrorMetadata + 'static>(error: SdkError<E>) -> MailboxError {
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    let text = DisplayErrorContext(&error).to_string();
    let throttled = error.code().is_some_and(|code| code.contains("Throttl") || code.contains("OverLimit"));
    let denied = text.contains("AccessDenied");
    let text = text.chars().take(300).collect();
    match status {
        Some(400..500) if !throttled => MailboxError::Refused(text),
        None if denied => MailboxError::Refused(text),
        _ => MailboxError::Unreachable(text),
    }
}

/// As SQS takes it: every number here is at most 43,200.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[async_trait]
impl Mailboxes for CustomerQueues {
    async fn receive(&self, scope: &AwsScope, url: &str, ask: Ask) -> Result<Vec<Letter>, MailboxError> {
        let client = self.client(scope, url).await?;
        let call = client.receive_message().queue_url(url).max_number_of_messages(number(ask.letters_max));
        let answer = call.wait_time_seconds(number(ask.wait_s)).visibility_timeout(number(ask.hidden_s)).send().await.map_err(failed)?;
        let letters = answer.messages.unwrap_or_default().into_iter();
        Ok(letters
            .filter_map(|message| Some(Letter { body: message.body.unwrap_or_default(), receipt: message.receipt_handle? }))
            .collect())
    }

    async fn delete(&self, scope: &AwsScope, url: &str, receipts: &[String]) -> Result<(), MailboxError> {
        let client = self.client(scope, url).await?;
        // Ten at once is the most that SQS takes (SQS API Reference, DeleteMessageBatch).
        for ten in receipts.chunks(10) {
            let entry = |(index, receipt): (usize, &String)| {
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt).build()
            };
            let entries: Result<Vec<_>, _> = ten.iter().enumerate().map(entry).collect();
            let entries = entries.map_err(|error| MailboxError::Refused(error.to_string()))?;
            let answer = client.delete_message_batch().queue_url(url).set_entries(Some(entries)).send().await.map_err(failed)?;
            if let Some(first) = answer.failed.first() {
                return Err(MailboxError::Unreachable(format!(
                    "{} of {} were not deleted: {}",
                    answer.failed.len(),
                    ten.len(),
                    first.code
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{AccountId, ClusterId, CustomerId, Region as OurRegion};

    fn scope() -> AwsScope {
        AwsScope {
            customer: CustomerId::parse("acme").unwrap(),
            account: AccountId::parse("111122223333").unwrap(),
            region: OurRegion::parse("us-east-1").unwrap(),
            role_arn: "arn:aws:iam::111122223333:role/CloudOptim-us-east-1".to_owned(),
            external_id: "x".to_owned(),
            cluster: ClusterId::parse("c-1").unwrap(),
            cluster_name: "production".to_owned(),
        }
    }

    #[test]
    fn a_session_reads_one_queue() {
        let made = policy(&scope(), "eu-west-1", "https://sqs.eu-west-1.amazonaws.com/111122223333/spot");
        let expected = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"arn:aws:sqs:eu-west-1:111122223333:spot"}]}"#;
        assert_eq!(made.as_deref(), Some(expected));
        for bad in ["", "https://sqs.eu-west-1.amazonaws.com", "https://x/1", "https://x/1/*", "https://x/1/a\"b", "https://x//a"] {
            assert_eq!(policy(&scope(), "eu-west-1", bad), None, "{bad}");
        }
    }

    #[test]
    fn the_region_of_a_queue_is_that_of_its_address() {
        assert_eq!(region_of("https://sqs.eu-west-1.amazonaws.com/111122223333/spot"), Some("eu-west-1"));
        assert_eq!(region_of("https://eu-west-1.queue.amazonaws.com/111122223333/spot"), None);
        assert_eq!(region_of("https://sqs.amazonaws.com/111122223333/spot"), None);
    }
}
