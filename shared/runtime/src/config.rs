//! Configuration: the environment, read once, all errors told together.

use std::fmt;

/// A variable that a function needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Var {
    /// `AWS_REGION`: set by Lambda.
    Region,
    /// `TABLE_NAME`: the table of the core.
    Table,
    /// `KMS_KEY_ID`: the key that seals tokens.
    KmsKey,
    /// `INTERRUPTIONS_QUEUE_URL`: where notices are put.
    InterruptionsQueue,
    /// `PLANS_QUEUE_URL`: where plans wait to be gone on with.
    PlansQueue,
    /// `DEAD_LETTER_QUEUE_URL`: where unreadable messages are put.
    DeadLetterQueue,
}

impl Var {
    /// Its name in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Var::Region => "AWS_REGION",
            Var::Table => "TABLE_NAME",
            Var::KmsKey => "KMS_KEY_ID",
            Var::InterruptionsQueue => "INTERRUPTIONS_QUEUE_URL",
            Var::PlansQueue => "PLANS_QUEUE_URL",
            Var::DeadLetterQueue => "DEAD_LETTER_QUEUE_URL",
        }
    }

    /// All of them: what the functions that act need.
    pub const ALL: [Var; 6] = [Var::Region, Var::Table, Var::KmsKey, Var::InterruptionsQueue, Var::PlansQueue, Var::DeadLetterQueue];
}

/// How the Kubernetes API is called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kubernetes {
    /// `K8S_API_TIMEOUT_SECONDS`: the whole of one call, retries included.
    pub timeout_s: u32,
    /// `K8S_API_RETRY_ATTEMPTS`.
    pub retry_attempts: u32,
    /// `K8S_API_BACKOFF_FACTOR`: how much longer each pause is than the one before.
    pub backoff_factor: f64,
}

/// The configuration of a function. Variables that it does not need are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `AWS_REGION`.
    pub region: String,
    /// `TABLE_NAME`.
    pub table: String,
    /// `KMS_KEY_ID`.
    pub kms_key: String,
    /// `INTERRUPTIONS_QUEUE_URL`.
    pub interruptions_queue: String,
    /// `PLANS_QUEUE_URL`.
    pub plans_queue: String,
    /// `DEAD_LETTER_QUEUE_URL`.
    pub dead_letter_queue: String,
    /// How the Kubernetes API is called.
    pub kubernetes: Kubernetes,
    /// `LOG_LEVEL`.
    pub log_level: String,
    /// `BOOTSTRAP_ADMIN_KEY_SHA256`: hex SHA-256 of the first administrator's key.
    pub bootstrap_admin_hash: Option<String>,
}

/// Everything that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration is not complete: {}", .0.join("; "))]
pub struct ConfigErrors(pub Vec<String>);

impl Config {
    /// Reads the environment, once.
    ///
    /// # Errors
    /// [`ConfigErrors`] names every missing and every bad variable.
    pub fn from_env(needs: &[Var]) -> Result<Config, ConfigErrors> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        Config::parse(&|name| std::env::var(name).ok(), needs)
    }

    /// Reads a configuration from any source: pure.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn parse(read: &dyn Fn(&str) -> Option<String>, needs: &[Var]) -> Result<Config, ConfigErrors> {
        let mut wrong = Vec::new();
        let read = |name: &str| read(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let mut text = |var: Var| match read(var.name()) {
            Some(value) => value,
            None => {
                if needs.contains(&var) {
                    wrong.push(format!("{} is missing", var.name()));
                }
                String::new()
            }
        };
        let (region, table, kms_key) = (text(Var::Region), text(Var::Table), text(Var::KmsKey));
        let (interruptions_queue, plans_queue) = (text(Var::InterruptionsQueue), text(Var::PlansQueue));
        let dead_letter_queue = text(Var::DeadLetterQueue);
        let kubernetes = Kubernetes {
            timeout_s: number(&read, "K8S_API_TIMEOUT_SECONDS", 30, &mut wrong),
            retry_attempts: number(&read, "K8S_API_RETRY_ATTEMPTS", 3, &mut wrong),
            backoff_factor: number(&read, "K8S_API_BACKOFF_FACTOR", 2.0, &mut wrong),
        };
        let bootstrap_admin_hash = read("BOOTSTRAP_ADMIN_KEY_SHA256");
        if bootstrap_admin_hash.as_ref().is_some_and(|h| h.len() != 64 || !h.bytes().all(|b| b.is_ascii_hexdigit())) {
            wrong.push("BOOTSTRAP_ADMIN_KEY_SHA256 is not 64 hex digits".to_owned());
        }
        if !wrong.is_empty() {
            return Err(ConfigErrors(wrong));
        }
        let log_level = read("LOG_LEVEL").unwrap_or_else(|| "info".to_owned());
        Ok(Config {
            region,
            table,
            kms_key,
            interruptions_queue,
            plans_queue,
            dead_letter_queue,
            kubernetes,
            log_level,
            bootstrap_admin_hash,
        })
    }
}

fn number<T: std::str::FromStr>(read: &dyn Fn(&str) -> Option<String>, name: &str, default: T, wrong: &mut Vec<String>) -> T {
    match read(name) {
        None => default,
        Some(text) => text.parse().unwrap_or_else(|_| {
            wrong.push(format!("{name} is {text:?}, which is no number of its kind"));
            default
        }),
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "region={} table={} interruptions={} plans={} dead_letters={} k8s_timeout_s={} k8s_retries={} k8s_backoff={} log={} bootstrap_key={}",
            self.region,
            self.table,
            self.interruptions_queue,
            self.plans_queue,
            self.dead_letter_queue,
            self.kubernetes.timeout_s,
            self.kubernetes.retry_attempts,
            self.kubernetes.backoff_factor,
            self.log_level,
            if self.bootstrap_admin_hash.is_some() { "set" } else { "not set" },
        )
    }
}

#[cfg(test)]
mod tests;
