//! The real adapters of a Lambda function, put together once: what every `main.rs` would otherwise repeat.
//!
//! It stands above the adapters and beside nobody: only a function's `main.rs` names it. A function asks for what it works with;
//! what it does not ask for is neither built nor called, and its policy does not allow it.
//!
//! Not here, and never: decisions, environment variables (`runtime::config` reads them), or the simulated world.

use domain::ports::Vault;
use gate::Gate;
use runtime::clock::SystemClock;
use runtime::config::{Config, ConfigErrors, Var};
use runtime::meter::EmfMeter;
use runtime::telemetry;
use std::sync::Arc;

/// Reads the environment, starts the log and says so in it.
///
/// # Errors
/// [`ConfigErrors`] lists every variable of `needs` that is missing, and every one that is malformed.
pub fn start(needs: &[Var]) -> Result<Config, ConfigErrors> {
    let config = Config::from_env_with(needs)?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    Ok(config)
}

/// The adapters of one process. Making them calls nobody.
pub struct Wires {
    /// What the environment says.
    pub config: Config,
    /// How AWS is called, for adapters that only one function has.
    pub sdk: aws::SdkConfig,
    /// The table of the core, behind every port that keeps state.
    pub table: Arc<aws::Table>,
    /// Time.
    pub clock: Arc<SystemClock>,
    /// Counters.
    pub meter: Arc<EmfMeter>,
}

impl Wires {
    /// For this environment.
    pub fn new(config: Config) -> Wires {
        let sdk = aws::sdk_config(&config.region);
        let table = Arc::new(aws::Table::new(&sdk, config.table_name.clone()));
        let clock = Arc::new(SystemClock);
        Wires { table, meter: Arc::new(EmfMeter::new(clock.clone())), clock, sdk, config }
    }

    /// The queues of notices, plans and dead letters. One whose address the function did not ask for refuses what is sent to it.
    pub fn queues(&self) -> Arc<aws::Queues> {
        let urls = aws::QueueUrls {
            interruptions: self.config.interruptions_queue_url.clone(),
            plans: self.config.plans_queue_url.clone(),
            dead_letters: self.config.dead_letter_queue_url.clone(),
        };
        Arc::new(aws::Queues::new(&self.sdk, urls))
    }

    /// What seals and opens secrets.
    pub fn vault(&self) -> Arc<aws::KeyVault> {
        Arc::new(aws::KeyVault::new(&self.sdk, self.config.kms_key_id.clone()))
    }

    /// The way to addresses that others have named.
    pub fn gate(&self) -> Gate {
        Gate::internet(self.config.allowed_ranges.clone())
    }

    /// The decision server, by its key, and signed for where it is a function of ours.
    ///
    /// # Errors
    /// [`AdvisorError::Refused`](domain::ports::AdvisorError::Refused): `ML_SERVER_API_KEY` is not set, or it or `ML_SERVER_URL` cannot be used.
    #[cfg(feature = "ml")]
    pub fn ml(&self, limits: runtime::http::Limits) -> Result<runtime::advisor::Connection, domain::ports::AdvisorError> {
        let missing = || domain::ports::AdvisorError::Refused("ML_SERVER_API_KEY is not set".to_owned());
        let key = self.config.ml_server_api_key.as_ref().ok_or_else(missing)?;
        let connection = runtime::advisor::Connection::new(&self.config.ml_server_url, key.wrapped(), limits, &self.gate())?;
        Ok(connection.signed_by(Arc::new(aws::FunctionUrls::new(self.sdk.clone(), self.clock.clone()))))
    }

    /// The Kubernetes APIs, with credentials that this vault opens, or, where a cluster knows AWS roles, with tokens of this role.
    pub fn clusters(&self, vault: Arc<dyn Vault>, role: aws::EksRole) -> Arc<kubernetes::Connections> {
        let said = self.config.k8s_api;
        let settings =
            kubernetes::Settings { timeout_s: said.timeout_s, retry_attempts: said.retry_attempts, backoff_factor: said.backoff_factor };
        let bearers = aws::EksTokens::new(self.sdk.clone(), self.table.clone(), self.clock.clone(), role);
        Arc::new(kubernetes::Connections::new(vault, settings, self.gate()).with_bearers(Arc::new(bearers)))
    }

    /// Everything that works over clusters and accounts.
    #[cfg(feature = "act")]
    pub fn ports(&self) -> execution::Ports {
        self.ports_over(Arc::new(ec2::Ec2::new(self.sdk.clone())))
    }

    /// The same for whoever only looks at accounts: what would act in one is refused there, and not even linked.
    #[cfg(feature = "act")]
    pub fn looking(&self) -> execution::Ports {
        self.ports_over(Arc::new(ec2::Looks::new(self.sdk.clone())))
    }

    #[cfg(feature = "act")]
    fn ports_over(&self, cloud: Arc<dyn domain::ports::Cloud>) -> execution::Ports {
        execution::Ports {
            cloud,
            journal: self.table.clone(),
            registry: self.table.clone(),
            routes: self.table.clone(),
            pools: self.table.clone(),
            watchbooks: self.table.clone(),
            clusters: self.clusters(self.vault(), aws::EksRole::Act),
            queue: self.queues(),
            notices: Arc::new(aws::NoticeQueue::new(&self.sdk, self.config.notices_queue_url.clone())),
            clock: self.clock.clone(),
            meter: self.meter.clone(),
            roster: Default::default(),
        }
    }
}
