//! Single variables: which there are, and what each must look like.

use domain::address::Rules;
use secrecy::{ExposeSecret, SecretString};
use std::ops::RangeInclusive;
use tracing::Level;

/// A variable without a default. A function names those that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Var {
    /// `TABLE_NAME`.
    TableName,
    /// `DECISION_TABLE_NAME`.
    DecisionTableName,
    /// `KMS_KEY_ID`.
    KmsKeyId,
    /// `INTERRUPTIONS_QUEUE_URL`.
    InterruptionsQueueUrl,
    /// `PLANS_QUEUE_URL`.
    PlansQueueUrl,
    /// `DEAD_LETTER_QUEUE_URL`.
    DeadLetterQueueUrl,
    /// `ROUNDS_QUEUE_URL`.
    RoundsQueueUrl,
    /// `SCANS_QUEUE_URL`.
    ScansQueueUrl,
    /// `NOTICES_QUEUE_URL`.
    NoticesQueueUrl,
    /// `AWS_REGION`.
    AwsRegion,
    /// `ML_SERVER_URL`.
    MlServerUrl,
    /// `ML_SERVER_API_KEY`.
    MlServerApiKey,
    /// `SESSION_SECRET`.
    SessionSecret,
}

impl Var {
    /// All that the core's own functions need.
    pub const ALL: [Var; 6] =
        [Var::TableName, Var::KmsKeyId, Var::InterruptionsQueueUrl, Var::PlansQueueUrl, Var::DeadLetterQueueUrl, Var::AwsRegion];

    /// What whoever carries plans out needs.
    pub const ACT: [Var; 7] = [
        Var::TableName,
        Var::KmsKeyId,
        Var::InterruptionsQueueUrl,
        Var::PlansQueueUrl,
        Var::NoticesQueueUrl,
        Var::DeadLetterQueueUrl,
        Var::AwsRegion,
    ];

    /// Its name in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Var::TableName => "TABLE_NAME",
            Var::DecisionTableName => "DECISION_TABLE_NAME",
            Var::KmsKeyId => "KMS_KEY_ID",
            Var::InterruptionsQueueUrl => "INTERRUPTIONS_QUEUE_URL",
            Var::PlansQueueUrl => "PLANS_QUEUE_URL",
            Var::DeadLetterQueueUrl => "DEAD_LETTER_QUEUE_URL",
            Var::RoundsQueueUrl => "ROUNDS_QUEUE_URL",
            Var::ScansQueueUrl => "SCANS_QUEUE_URL",
            Var::NoticesQueueUrl => "NOTICES_QUEUE_URL",
            Var::AwsRegion => "AWS_REGION",
            Var::MlServerUrl => "ML_SERVER_URL",
            Var::MlServerApiKey => "ML_SERVER_API_KEY",
            Var::SessionSecret => "SESSION_SECRET",
        }
    }

    /// What a value must look like, in words; `None`: this one does.
    fn objection(self, value: &str) -> Option<&'static str> {
        let (fine, expected) = match self {
            Var::TableName | Var::DecisionTableName => (
                (3..=255).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
                "the name of a DynamoDB table: 3 to 255 letters, digits, '-', '_' or '.'",
            ),
            Var::KmsKeyId => (!value.contains(char::is_whitespace), "the id, ARN or alias of a KMS key"),
            Var::InterruptionsQueueUrl
            | Var::PlansQueueUrl
            | Var::DeadLetterQueueUrl
            | Var::RoundsQueueUrl
            | Var::ScansQueueUrl
            | Var::NoticesQueueUrl => (
                (value.starts_with("https://") || value.starts_with("http://")) && !value.contains(char::is_whitespace),
                "the URL of an SQS queue, not its ARN or name",
            ),
            Var::MlServerUrl => (
                value.starts_with("https://")
                    || ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|own| value.starts_with(own)),
                "an address that begins with https://, or with http:// on this machine",
            ),
            Var::MlServerApiKey | Var::SessionSecret => {
                (value.len() >= 16 && value.bytes().all(|b| b.is_ascii_graphic()), "16 characters or more, without blanks")
            }
            Var::AwsRegion => (domain::ids::Region::parse(value).is_ok(), "a Region such as us-east-1"),
        };
        (!fine).then_some(expected)
    }
}

/// A value that is never printed.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The value.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value, still wrapped.
    pub fn wrapped(&self) -> &SecretString {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

/// What is wrong with one variable. The value itself is not repeated: a secret may have been put into the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is needed and not set, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// It is set to something else than it must be.
    #[error("{name} is malformed: expected {expected}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What was expected, in words.
        expected: String,
    },
}

/// Everything that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the environment is incomplete: ")?;
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Reads variables one after the other and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    needs: &'a [Var],
    errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(get: &'a dyn Fn(&str) -> Option<String>, needs: &'a [Var]) -> Self {
        Reader { get, needs, errors: Vec::new() }
    }

    /// A variable that is set to nothing, or to blanks, is not set.
    fn get(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    fn malformed(&mut self, name: &'static str, expected: impl Into<String>) {
        self.errors.push(ConfigError::Malformed { name, expected: expected.into() });
    }

    pub(super) fn text(&mut self, var: Var) -> String {
        let value = self.get(var.name());
        if value.is_none() && self.needs.contains(&var) {
            self.errors.push(ConfigError::Missing(var.name()));
        }
        let value = value.unwrap_or_default();
        if !value.is_empty()
            && let Some(expected) = var.objection(&value)
        {
            self.malformed(var.name(), expected);
        }
        value
    }

    pub(super) fn secret(&mut self, var: Var) -> Option<Secret> {
        let value = self.text(var);
        (!value.is_empty()).then(|| Secret(value.into()))
    }

    /// An address of mail that may be left out.
    pub(super) fn email(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name)?;
        if value.len() <= 320 && value.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) {
            return Some(value);
        }
        self.malformed(name, "an address of mail that SES has verified");
        None
    }

    /// The name of a bucket. Without dots: a name with one has no certificate at S3 (Amazon S3 User Guide, "Bucket naming rules").
    pub(super) fn bucket(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name)?;
        let plain = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if plain && (3..=63).contains(&value.len()) && !value.starts_with('-') && !value.ends_with('-') {
            return Some(value);
        }
        self.malformed(name, "the name of an S3 bucket: 3 to 63 small letters, digits or '-'");
        None
    }

    /// A switch: `true` or `false`.
    pub(super) fn switch(&mut self, name: &'static str, default: bool) -> bool {
        match self.get(name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(_) => {
                self.malformed(name, "true or false");
                default
            }
        }
    }

    pub(super) fn number(&mut self, name: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let Some(text) = self.get(name) else {
            return default;
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            Ok(_) | Err(_) => {
                self.malformed(name, format!("a whole number from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    pub(super) fn level(&mut self, name: &'static str, default: Level) -> Level {
        let Some(text) = self.get(name) else {
            return default;
        };
        // Level's own parser also takes numbers; people would be surprised by those.
        match text.to_ascii_lowercase().as_str() {
            "error" => Level::ERROR,
            "warn" => Level::WARN,
            "info" => Level::INFO,
            "debug" => Level::DEBUG,
            "trace" => Level::TRACE,
            _ => {
                self.malformed(name, "error, warn, info, debug or trace");
                default
            }
        }
    }

    /// What is opened beyond the public internet.
    pub(super) fn ranges(&mut self, name: &'static str) -> Rules {
        let text = self.get(name).unwrap_or_default();
        Rules::parse(&text).unwrap_or_else(|_| {
            self.malformed(name, "private ranges such as 10.20.0.0/16, separated by commas; no link-local and no metadata ranges");
            Rules::public()
        })
    }

    pub(super) fn sha256(&mut self, name: &'static str) -> Option<String> {
        let text = self.get(name)?;
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Some(text.to_ascii_lowercase());
        }
        self.malformed(name, "64 hex digits, as `sha256sum` prints them");
        None
    }

    /// Half of what tokens need is a mistake that would leave a door open or shut: it is told, and nothing starts.
    pub(super) fn tokens(&mut self) -> Option<super::Tokens> {
        const NAMES: [&str; 3] = ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL"];
        let [issuer, audience, keys_url] = NAMES.map(|name| self.get(name));
        if let (None, None, None) = (&issuer, &audience, &keys_url) {
            return None;
        }
        for (name, value) in NAMES.into_iter().zip([&issuer, &audience, &keys_url]) {
            if value.is_none() {
                self.errors.push(ConfigError::Missing(name));
            }
        }
        let keys_url = keys_url?;
        if Var::MlServerUrl.objection(&keys_url).is_some() || keys_url.contains(char::is_whitespace) {
            self.malformed("JWT_JWKS_URL", "an address that begins with https://, or with http:// on this machine");
            return None;
        }
        Some(super::Tokens { issuer: issuer?, audience: audience?, keys_url })
    }

    pub(super) fn finish(self) -> Result<(), ConfigErrors> {
        if self.errors.is_empty() { Ok(()) } else { Err(ConfigErrors(self.errors)) }
    }
}
