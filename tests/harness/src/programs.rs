//! The real function binaries: built once, started under a Runtime API of their own.

use crate::runtime_api::{Answer, RuntimeApi};
use domain::ports::Clock;
use runtime::clock::SystemClock;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What an invocation is given, as in template.yaml for the interruption function.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The folder in which this profile's binaries lie: that of the running test or bench.
fn folder() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().to_owned()
}

/// Whether these are release binaries.
pub fn release() -> bool {
    folder().ends_with("release")
}

/// A binary of the workspace, in the profile of whoever asks.
///
/// Built together with the target that asks, so that features (those of tests, too) and profile are the same, and no
/// dependency is compiled a second time.
///
/// # Panics
/// If it cannot be built.
pub fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn build() -> PathBuf {
    let folder = folder();
    let own = std::env::current_exe().unwrap();
    // Cargo calls it `<target>-<hash>`.
    let target = own.file_stem().unwrap().to_string_lossy().rsplit_once('-').unwrap().0.to_owned();
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let kind = if package.join("benches").join(format!("{target}.rs")).exists() { "--bench" } else { "--test" };
    let profile = if release() { "release" } else { "dev" };
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells a test of its package: build scripts that listen to these would take each of its builds for another one, and all that
    // stands on them would be compiled anew, here and by whoever builds next.
    for (name, _) in std::env::vars_os() {
        let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_TARGET_TMPDIR"];
        if name.to_str().is_some_and(|name| told.iter().any(|told| name.starts_with(told))) {
            cargo.env_remove(name);
        }
    }
    let built = cargo
        .args(["build", "--workspace", "--bins", kind, &target, "--offline", "--quiet", "--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap())
        .current_dir(package.join(".."))
        .status()
        .unwrap();
    assert!(built.success(), "the binaries could not be built");
    folder
}

/// What every planted secret begins with.
const CANARY: &str = "canary-";

/// A running function.
pub struct Running {
    child: Child,
    api: RuntimeApi,
    log: Arc<Mutex<Vec<String>>>,
    /// When the process was started.
    pub started_at: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        // A test that fails already says why.
        if !std::thread::panicking() {
            let sung: Vec<String> = self.log().into_iter().filter(|line| line.contains(CANARY)).collect();
            assert!(sung.is_empty(), "a planted secret stands in the log: {sung:#?}");
        }
    }
}

impl Running {
    /// Starts a function in an empty environment with these variables, besides those that Lambda sets.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start(name: &str, variables: &[(String, String)]) -> Running {
        let path = program(name);
        let api = RuntimeApi::serve().await;
        let mut command = Command::new(path);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &api.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "tested")
            .envs(variables.iter().map(|(key, value)| (key, value)))
            .stdout(Stdio::piped());
        let started_at = Instant::now();
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stdout.take().unwrap()).lines(), log.clone());
        // Ends with the process.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Running { child, api, log, started_at }
    }

    /// Hands it one event.
    ///
    /// # Panics
    /// If it does not answer well in the time that Lambda would give it; the panic shows its log.
    pub async fn invoke(&self, event: &Value) -> Value {
        self.invoke_within(event, TIMEOUT).await
    }

    /// Hands it one event, for which it has this long.
    ///
    /// # Panics
    /// As [`invoke`](Running::invoke).
    pub async fn invoke_within(&self, event: &Value, timeout: Duration) -> Value {
        let deadline = SystemClock.now().as_millisecond().unsigned_abs() + u64::try_from(timeout.as_millis()).unwrap();
        match tokio::time::timeout(timeout, self.api.invoke(event, deadline)).await {
            Ok(Ok(Answer::Response(answer))) => answer,
            other => panic!("the function answered {other:?}; its log:\n{}", self.log().join("\n")),
        }
    }

    /// When it asked for its first event.
    pub async fn ready_at(&self) -> Instant {
        self.api.ready_at().await
    }

    /// What it has printed so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: it cannot say goodbye.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
