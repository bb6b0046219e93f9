//! Queues of customers: the adapter that the poller reads them with, over an endpoint beside (moto), where one is named.

use domain::ids::{AccountId, ClusterId, CustomerId, Region};
use domain::ports::{Ask, MailboxError, Mailboxes, Queue};
use domain::tenant::AwsScope;

fn scope(account: &str) -> AwsScope {
    AwsScope {
        customer: CustomerId::parse("acme").unwrap(),
        account: AccountId::parse(account).unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        // The role that reads the queue is this one with `-queue` behind.
        role_arn: "arn:aws:iam::123456789012:role/CloudOptim-us-east-1".to_owned(),
        external_id: "the-external-id".to_owned(),
        cluster: ClusterId::parse("prod").unwrap(),
        cluster_name: "prod".to_owned(),
    }
}

const NOW: Ask = Ask { letters_max: 10, wait_s: 0, hidden_s: 1_000 };

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_customers_queues() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let config = aws::local_config(&endpoint, "us-east-1");
    let name = format!("notices-{:08x}", fastrand::u32(..));
    let made = aws::create_queue(&config, &name).await.unwrap();
    // As SQS names it: the poller takes no other address, and where it is called is the endpoint's word.
    let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}");
    let urls = aws::QueueUrls { interruptions: made, plans: String::new(), dead_letters: String::new() };
    let sender = aws::Queues::new(&config, urls);
    let (mailboxes, scope) = (aws::CustomerQueues::new(&config), scope("123456789012"));
    assert_eq!(mailboxes.receive(&scope, &url, NOW).await.unwrap(), [], "nothing was sent");
    let sent: Vec<String> = (0..12).map(|number| format!("{{\"notice\":{number}}}")).collect();
    for body in &sent {
        sender.notice(body).await.unwrap();
    }
    // No more than were asked for, each once: what is being read is hidden from the next reader.
    let first = mailboxes.receive(&scope, &url, NOW).await.unwrap();
    let second = mailboxes.receive(&scope, &url, NOW).await.unwrap();
    assert_eq!((first.len(), second.len()), (10, 2));
    let mut read: Vec<String> = first.iter().chain(&second).map(|letter| letter.body.clone()).collect();
    read.sort();
    let mut expected = sent.clone();
    expected.sort();
    assert_eq!(read, expected);
    assert_eq!(mailboxes.receive(&scope, &url, NOW).await.unwrap(), [], "all are in hand");
    // More than ten at once, and once more: a deletion bears repeating.
    let receipts: Vec<String> = first.iter().chain(&second).map(|letter| letter.receipt.clone()).collect();
    mailboxes.delete(&scope, &url, &receipts).await.unwrap();
    // What nobody deletes comes back.
    sender.notice("again").await.unwrap();
    let seen = mailboxes.receive(&scope, &url, Ask { hidden_s: 0, ..NOW }).await.unwrap();
    let again = mailboxes.receive(&scope, &url, NOW).await.unwrap();
    assert_eq!((seen[0].body.as_str(), again[0].body.as_str()), ("again", "again"));
}

/// Nothing is gained by asking again: the poller passes such a queue over, and says so.
#[tokio::test]
async fn a_queue_that_is_not_there_and_a_role_of_another_account_are_refused() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let mailboxes = aws::CustomerQueues::new(&aws::local_config(&endpoint, "us-east-1"));
    let absent = format!("{endpoint}/123456789012/nobody-made-this-one");
    let refused = mailboxes.receive(&scope("123456789012"), &absent, NOW).await;
    assert!(matches!(refused, Err(MailboxError::Refused(_))), "{refused:?}");
    let refused = mailboxes.receive(&scope("999999999999"), &absent, NOW).await;
    assert!(matches!(refused, Err(MailboxError::Refused(_))), "{refused:?}");
}
