//! The environment, read once when a function starts. Everything that is wrong with it is told in one go.

use domain::address::Rules;
use tracing::Level;

mod value;

pub use value::{ConfigError, ConfigErrors, Secret, Var};

/// The settings of a function. A text that the function did not ask for, and that is not set, is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the DynamoDB table of the core.
    pub table_name: String,
    /// `DECISION_TABLE_NAME`: the DynamoDB table of the decision server, where the market is kept.
    pub decision_table_name: String,
    /// `MODEL_BUCKET`: the S3 bucket of files of models; without one none are uploaded by themselves.
    pub model_bucket: Option<String>,
    /// `KMS_KEY_ID`: id, ARN or alias of the key that seals service account tokens.
    pub kms_key_id: String,
    /// `INTERRUPTIONS_QUEUE_URL`: the queue of event bodies.
    pub interruptions_queue_url: String,
    /// `PLANS_QUEUE_URL`: the queue of plans to go on with.
    pub plans_queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`: the queue of messages that a person must see.
    pub dead_letter_queue_url: String,
    /// `ROUNDS_QUEUE_URL`: the optimizer's queue, one message per cluster and round.
    pub rounds_queue_url: String,
    /// `NOTIFICATION_EMAIL_FROM`: the sender of mail, verified with SES; without one no mail is sent.
    pub notification_email_from: Option<String>,
    /// `SCANS_QUEUE_URL`: the scanner's queue, one message per cluster and scan.
    pub scans_queue_url: String,
    /// `NOTICES_QUEUE_URL`: the notifier's queue.
    pub notices_queue_url: String,
    /// How clusters are optimised.
    pub optimization: Optimization,
    /// What waste is looked for.
    pub waste: Waste,
    /// `OFFICE_HOURS_ENABLED`: whether workloads are put to sleep at all; default true. What sleeps is woken in any case.
    pub office_hours_enabled: bool,
    /// How queues in customers' accounts are listened to.
    pub polling: Polling,
    /// `AWS_REGION`: the Region of the control plane; Lambda sets it.
    pub region: String,
    /// How the Kubernetes API is called.
    pub k8s_api: K8sApi,
    /// `ALLOWED_ADDRESS_RANGES`: private ranges that customers' addresses may lead to; by default none.
    pub allowed_ranges: Rules,
    /// `LOG_LEVEL`: `error`, `warn`, `info` (the default), `debug` or `trace`.
    pub log_level: Level,
    /// `BOOTSTRAP_ADMIN_KEY_SHA256`: hex SHA-256 of the key that makes the first calls, in lower case.
    pub bootstrap_admin_key_sha256: Option<String>,
    /// Whose tokens are taken beside API keys; `None`: nobody's.
    pub tokens: Option<Tokens>,
    /// `ML_SERVER_URL`: where the decision server answers.
    pub ml_server_url: String,
    /// `ML_SERVER_API_KEY`: the key that the decision server asks for.
    pub ml_server_api_key: Option<Secret>,
    /// `SESSION_SECRET`: what sessions of the console are signed with.
    pub session_secret: Option<Secret>,
}

/// Whose tokens are taken. All three variables are set, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// `JWT_ISSUER`: what `iss` must be.
    pub issuer: String,
    /// `JWT_AUDIENCE`: what `aud` must be or hold.
    pub audience: String,
    /// `JWT_JWKS_URL`: where the issuer publishes its keys.
    pub keys_url: String,
}

/// How clusters are optimised. What a cluster's own policy does not allow is not done, whatever is switched on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Optimization {
    /// `OPTIMIZATION_INTERVAL_MINUTES`: how often each cluster has its round; 1 to 1,440, default 10.
    pub interval_minutes: u32,
    /// `SPOT_OPTIMIZATION_ENABLED`: whether moves to and between spot pools are decided on at all; default true.
    pub spot: bool,
    /// `BIN_PACKING_ENABLED`: whether fewer or cheaper nodes are; default true.
    pub bin_packing: bool,
    /// `RIGHTSIZING_ENABLED`: whether nodes and workloads of a fitting size are; default true.
    pub rightsizing: bool,
    /// `OOM_REMEDIATION_ENABLED`: whether workloads that are killed for lack of memory get more; default true.
    pub oom_remediation: bool,
}

/// What waste is looked for. What a cluster's own policy does not allow is not done, whatever is switched on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waste {
    /// `GHOST_PROBE_SCANNER_ENABLED`: instances that run and are no nodes; default true.
    pub ghosts: bool,
    /// `ZOMBIE_VOLUME_CLEANUP_ENABLED`: volumes that nothing claims; default true.
    pub volumes: bool,
    /// `NETWORK_OPTIMIZATION_ENABLED`: addresses and gateways that lie idle; default true.
    pub network: bool,
}

/// How queues in customers' accounts are listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// `SQS_MAX_MESSAGES` (1 to 10, default 10), `SQS_WAIT_TIME_SECONDS` (0 to 20, default 20) and `SQS_VISIBILITY_TIMEOUT`
    /// (10 to 43,200, default 30).
    pub ask: domain::ports::Ask,
    /// `SQS_POLL_INTERVAL_SECONDS`: between two looks where the first failed or did not wait; 1 to 60, default 5.
    pub pause: domain::SignedDuration,
}

/// How the Kubernetes API is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct K8sApi {
    /// `K8S_API_TIMEOUT_SECONDS`: how long one call may take; 1 to 900, default 30.
    pub timeout_s: u32,
    /// `K8S_API_RETRY_ATTEMPTS`: how often a failed call is tried again; 0 to 10, default 3.
    pub retry_attempts: u32,
    /// `K8S_API_BACKOFF_FACTOR`: by how much the wait grows from one try to the next; 1 to 10, default 2.
    pub backoff_factor: u32,
}

impl Config {
    /// Reads the environment of this process; all of [`Var::ALL`] are needed.
    ///
    /// # Errors
    /// [`ConfigErrors`] lists every variable that is missing or malformed.
    pub fn from_env() -> Result<Config, ConfigErrors> {
        Self::from_env_with(&Var::ALL)
    }

    /// Reads the environment of this process for a function that needs only these variables.
    ///
    /// # Errors
    /// [`ConfigErrors`] lists every variable that is missing or malformed.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn from_env_with(needs: &[Var]) -> Result<Config, ConfigErrors> {
        Self::parse(&|name| std::env::var(name).ok(), needs)
    }

    /// Makes sense of variables, wherever they come from. A variable that is set must be well formed even if it is not needed.
    ///
    /// # Errors
    /// [`ConfigErrors`] lists every variable that is missing or malformed.
    pub fn parse(get: &dyn Fn(&str) -> Option<String>, needs: &[Var]) -> Result<Config, ConfigErrors> {
        let mut from = value::Reader::new(get, needs);
        let config = Config {
            table_name: from.text(Var::TableName),
            decision_table_name: from.text(Var::DecisionTableName),
            model_bucket: from.bucket("MODEL_BUCKET"),
            kms_key_id: from.text(Var::KmsKeyId),
            interruptions_queue_url: from.text(Var::InterruptionsQueueUrl),
            plans_queue_url: from.text(Var::PlansQueueUrl),
            dead_letter_queue_url: from.text(Var::DeadLetterQueueUrl),
            rounds_queue_url: from.text(Var::RoundsQueueUrl),
            notification_email_from: from.email("NOTIFICATION_EMAIL_FROM"),
            scans_queue_url: from.text(Var::ScansQueueUrl),
            notices_queue_url: from.text(Var::NoticesQueueUrl),
            waste: Waste {
                ghosts: from.switch("GHOST_PROBE_SCANNER_ENABLED", true),
                volumes: from.switch("ZOMBIE_VOLUME_CLEANUP_ENABLED", true),
                network: from.switch("NETWORK_OPTIMIZATION_ENABLED", true),
            },
            optimization: Optimization {
                interval_minutes: from.number("OPTIMIZATION_INTERVAL_MINUTES", 10, 1..=1_440),
                spot: from.switch("SPOT_OPTIMIZATION_ENABLED", true),
                bin_packing: from.switch("BIN_PACKING_ENABLED", true),
                rightsizing: from.switch("RIGHTSIZING_ENABLED", true),
                oom_remediation: from.switch("OOM_REMEDIATION_ENABLED", true),
            },
            office_hours_enabled: from.switch("OFFICE_HOURS_ENABLED", true),
            polling: Polling {
                ask: domain::ports::Ask {
                    letters_max: from.number("SQS_MAX_MESSAGES", 10, 1..=10),
                    wait_s: from.number("SQS_WAIT_TIME_SECONDS", 20, 0..=20),
                    hidden_s: from.number("SQS_VISIBILITY_TIMEOUT", 30, 10..=43_200),
                },
                pause: domain::SignedDuration::from_secs(i64::from(from.number("SQS_POLL_INTERVAL_SECONDS", 5, 1..=60))),
            },
            region: from.text(Var::AwsRegion),
            k8s_api: K8sApi {
                timeout_s: from.number("K8S_API_TIMEOUT_SECONDS", 30, 1..=900),
                retry_attempts: from.number("K8S_API_RETRY_ATTEMPTS", 3, 0..=10),
                backoff_factor: from.number("K8S_API_BACKOFF_FACTOR", 2, 1..=10),
            },
            allowed_ranges: from.ranges("ALLOWED_ADDRESS_RANGES"),
            log_level: from.level("LOG_LEVEL", Level::INFO),
            bootstrap_admin_key_sha256: from.sha256("BOOTSTRAP_ADMIN_KEY_SHA256"),
            tokens: from.tokens(),
            ml_server_url: from.text(Var::MlServerUrl),
            ml_server_api_key: from.secret(Var::MlServerApiKey),
            session_secret: from.secret(Var::SessionSecret),
        };
        from.finish()?;
        Ok(config)
    }
}

/// For the log at start. The bootstrap hash is not printed: who has it can try keys against it offline.
impl std::fmt::Display for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts = [
            (Var::ScansQueueUrl, &self.scans_queue_url),
            (Var::TableName, &self.table_name),
            (Var::DecisionTableName, &self.decision_table_name),
            (Var::KmsKeyId, &self.kms_key_id),
            (Var::InterruptionsQueueUrl, &self.interruptions_queue_url),
            (Var::PlansQueueUrl, &self.plans_queue_url),
            (Var::DeadLetterQueueUrl, &self.dead_letter_queue_url),
            (Var::RoundsQueueUrl, &self.rounds_queue_url),
            (Var::NoticesQueueUrl, &self.notices_queue_url),
            (Var::AwsRegion, &self.region),
            (Var::MlServerUrl, &self.ml_server_url),
        ];
        for (var, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
            write!(f, "{}={text} ", var.name())?;
        }
        if let Some(bucket) = &self.model_bucket {
            write!(f, "MODEL_BUCKET={bucket} ")?;
        }
        let K8sApi { timeout_s, retry_attempts, backoff_factor } = self.k8s_api;
        write!(f, "K8S_API_TIMEOUT_SECONDS={timeout_s} K8S_API_RETRY_ATTEMPTS={retry_attempts} ")?;
        write!(f, "K8S_API_BACKOFF_FACTOR={backoff_factor} LOG_LEVEL={}", self.log_level.as_str().to_ascii_lowercase())?;
        let Optimization { interval_minutes, spot, bin_packing, rightsizing, oom_remediation } = self.optimization;
        write!(f, " OPTIMIZATION_INTERVAL_MINUTES={interval_minutes} SPOT_OPTIMIZATION_ENABLED={spot} ")?;
        write!(f, "BIN_PACKING_ENABLED={bin_packing} RIGHTSIZING_ENABLED={rightsizing} OOM_REMEDIATION_ENABLED={oom_remediation}")?;
        let Waste { ghosts, volumes, network } = self.waste;
        write!(f, " GHOST_PROBE_SCANNER_ENABLED={ghosts} ZOMBIE_VOLUME_CLEANUP_ENABLED={volumes} NETWORK_OPTIMIZATION_ENABLED={network}")?;
        write!(f, " OFFICE_HOURS_ENABLED={}", self.office_hours_enabled)?;
        if self.allowed_ranges.open_something() {
            write!(f, " ALLOWED_ADDRESS_RANGES={}", self.allowed_ranges)?;
        }
        let Polling { ask, pause } = self.polling;
        write!(f, " SQS_MAX_MESSAGES={} SQS_WAIT_TIME_SECONDS={} ", ask.letters_max, ask.wait_s)?;
        write!(f, "SQS_VISIBILITY_TIMEOUT={} SQS_POLL_INTERVAL_SECONDS={}", ask.hidden_s, pause.as_secs())?;
        let bootstrap = if self.bootstrap_admin_key_sha256.is_some() { "(set)" } else { "(not set)" };
        let key = if self.ml_server_api_key.is_some() { "(set)" } else { "(not set)" };
        if let Some(Tokens { issuer, audience, keys_url }) = &self.tokens {
            write!(f, " JWT_ISSUER={issuer} JWT_AUDIENCE={audience} JWT_JWKS_URL={keys_url}")?;
        }
        write!(f, " BOOTSTRAP_ADMIN_KEY_SHA256={bootstrap} ML_SERVER_API_KEY={key}")
    }
}

/// As [`Display`](std::fmt::Display), so that `?config` in a log line does not tell more.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
