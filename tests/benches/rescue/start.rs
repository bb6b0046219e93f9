//! How fast the real `interruption` binary is there, and how large it is.

use harness::programs::{Running, program, release};

const STARTS: usize = 21;

/// exec -> first `/next`, and resident memory by then.
pub fn start() {
    program("interruption");
    let nowhere = "http://127.0.0.1:9";
    let queue = |name: &str| format!("{nowhere}/000000000000/{name}");
    let variables = [
        ("TABLE_NAME", "cloudoptim".to_owned()),
        ("KMS_KEY_ID", "token-key".to_owned()),
        ("INTERRUPTIONS_QUEUE_URL", queue("interruptions")),
        ("PLANS_QUEUE_URL", queue("plans")),
        ("NOTICES_QUEUE_URL", queue("notices")),
        ("DEAD_LETTER_QUEUE_URL", queue("dead-letters")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", nowhere.to_owned()),
        ("AWS_ACCESS_KEY_ID", "function".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "function".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (mut took, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        runtime.block_on(async {
            let running = Running::start("interruption", &variables).await;
            took.push(running.ready_at().await.duration_since(running.started_at).as_secs_f64() * 1000.0);
            resident.extend(resident_mb(running.pid()));
        });
    }
    let profile = if release() { "release" } else { "dev" };
    println!("BENCH process_start_p50_of_the_{profile}_binary {:.1} ms <= 10", super::median(&mut took));
    match resident.is_empty() {
        true => println!("resident memory: this system does not tell it"),
        false if release() => println!("BENCH process_resident_memory {:.1} MB <= 25", super::median(&mut resident)),
        // A binary that nobody ships is not judged.
        false => println!("resident memory of the dev binary: {:.1} MB", super::median(&mut resident)),
    }
}

/// `VmHWM`: the most that was resident so far.
fn resident_mb(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kb / 1024.0)
}
