//! Mail, over SES.

use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::ProvideErrorMetadata;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_types::SdkConfig;
use domain::notify::Sending;
use domain::ports::{Courier, Parcel};

/// Carries letters.
#[derive(Debug, Clone)]
pub struct Mail {
    client: Client,
    from: String,
}

impl Mail {
    /// Mail from this sender, whom SES must have verified. Makes no call.
    pub fn new(config: &SdkConfig, from: String) -> Mail {
        Mail { client: Client::new(config), from }
    }
}

#[async_trait]
impl Courier for Mail {
    async fn carry(&self, parcel: &Parcel) -> Sending {
        let Parcel::Letter { to, subject, text } = parcel else {
            return Sending::NotSent { why: "SES carries letters only".to_owned() };
        };
        let Ok(content) = content(subject, text) else {
            return Sending::NotSent { why: "the letter is not complete".to_owned() };
        };
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(content)
            .send()
            .await;
        match sent {
            Ok(_) => Sending::Delivered { status: 200 },
            Err(error) => {
                let status = error.raw_response().map(|answer| answer.status().as_u16());
                match (status, error.code()) {
                    // What SES says of throttling and of a paused account passes; the same letter is tried again either way.
                    (Some(status), _) => Sending::Refused { status, retry_after_s: None },
                    (None, Some(code)) => Sending::NotSent { why: format!("SES: {code}") },
                    (None, None) => Sending::NoConnection,
                }
            }
        }
    }
}

fn content(subject: &str, text: &str) -> Result<EmailContent, aws_sdk_sesv2::error::BuildError> {
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let body = Body::builder().text(utf8(text)?).build();
    Ok(EmailContent::builder().simple(Message::builder().subject(utf8(subject)?).body(body).build()).build())
}
