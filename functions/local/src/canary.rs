//! Canaries: secrets that are planted wherever the system takes one. Afterwards every log line, answer, stored byte, message and notice is
//! searched for them.

use crate::system::{Settings, System};
use crate::thinking::Server;
use crate::worker;
use data_encoding::{BASE64, BASE64_NOPAD};
use domain::SignedDuration;
use domain::interruption::SPOT_NOTICE;
use domain::ports::Clock;
use gate::Gate;
use http::{Method, Request};
use runtime::http::{Client, Limits};
use secrecy::SecretString;
use serde_json::{Value, json};
use sim::courier::{SimCourier, Temper};
use sim::store::Which;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tracing::Level;

const TOKEN: &str = "canary-token-5d1f0b77";
const OTHER_TOKEN: &str = "canary-token-91ac22e4";
const WRONG_KEY: &str = "canary-key-0e7b6d3c-of-nobody";
const ML_KEY: &str = "canary-ml-key-77f0a1b2c3d4";
const URL_TOKEN: &str = "canary-url-c0ffee42";
const PRIVATE_KEY: &str = "CANARYPRIVATEKEYMATERIAL0badcafe";
/// How long the system works, in seconds: a rescue and a round with their notices.
const WORKS_S: i64 = 12;

/// Where log lines go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // One that stays is in the way of nobody.
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

struct Caller {
    client: Client,
    /// Every answer: what was asked, and head and body of what came.
    answers: Mutex<Vec<(String, String)>>,
}

impl Caller {
    async fn call(&self, key: &str, method: Method, path: &str, body: Option<&Value>) -> Value {
        let mut request = Request::builder().method(method.clone()).uri(path).header("if-match", "*");
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(bytes).unwrap();
        let answer = self.client.send(request).await.unwrap();
        let text = format!("{} {:?} {}", answer.status, answer.headers, String::from_utf8_lossy(&answer.body));
        self.answers.lock().unwrap().push((format!("{method} {path}"), text));
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }
}

/// Where a canary sings: plain, or in one of the three ways in which base64 spells it inside something longer.
fn sings(canary: &str, text: &[u8]) -> bool {
    let holds = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let shifted = (0..3).map(|shift| {
        let spelled = BASE64.encode(&[&vec![b'x'; shift], canary.as_bytes()].concat());
        spelled.trim_end_matches('=').as_bytes()[4..spelled.trim_end_matches('=').len() - 2].to_vec()
    });
    holds(canary.as_bytes()) || shifted.into_iter().any(|part| holds(&part))
}

/// Everything that takes a secret gets one, everything that could repeat one is asked, and whatever can fail fails once.
async fn play(system: &System, caller: &Caller) -> Vec<String> {
    let admin = system.api_key.clone();
    let cluster = format!("/api/v1/admin/clusters/{}", system.cluster);
    let made = caller.call(&admin, Method::POST, "/api/v1/admin/keys", Some(&json!({ "label": "canary", "role": "operator" }))).await;
    let url = format!("https://receiver.demo.example/hook?token={URL_TOKEN}");
    let target = json!({ "label": "canary", "channel": "webhook", "url": url });
    let target = caller.call(&admin, Method::POST, "/api/v1/notifications/targets", Some(&target)).await;
    let secrets = [&made["secret"], &target["secret"]].map(|secret| secret.as_str().expect("it is shown once").to_owned());
    let target = format!("/api/v1/notifications/targets/{}", target["target_id"].as_str().unwrap());
    let registration = |token: &str, ca: Option<&str>| {
        json!({
            "cluster_name": "canary", "k8s_api_endpoint": "https://127.0.0.1:6443", "k8s_token": token, "region": "us-east-1", "k8s_ca": ca,
            "aws_role_arn": "arn:aws:iam::111122223333:role/CloudOptimRole",
        })
    };
    let key = format!("-----BEGIN PRIVATE KEY-----\n{PRIVATE_KEY}\n-----END PRIVATE KEY-----");
    let registered = caller.call(&admin, Method::POST, "/api/v1/admin/clusters", Some(&registration(TOKEN, None))).await;
    let registered = registered["cluster_id"].as_str().expect("it is registered").to_owned();
    for (method, path, body) in [
        (Method::POST, "/api/v1/admin/clusters".to_owned(), Some(registration(OTHER_TOKEN, Some(&key)))),
        (Method::POST, "/api/v1/admin/clusters".to_owned(), Some(json!({ "cluster_name": OTHER_TOKEN, "k8s_token": [OTHER_TOKEN] }))),
        (Method::POST, "/api/v1/admin/clusters".to_owned(), Some(json!({ "k8s_token": format!("Bearer {OTHER_TOKEN}") }))),
        (Method::POST, target.clone() + "/test", None),
        (Method::PUT, target.clone(), Some(json!({ "label": "canary-again" }))),
        (Method::GET, target.clone() + "/deliveries", None),
        (Method::GET, format!("/api/v1/k8s/{registered}/nodes"), None),
        (Method::POST, "/api/v1/ml/predict/spot-interruption".to_owned(), Some(json!({ "x": 1 }))),
        (Method::GET, "/api/v1/ml/health".to_owned(), None),
        // A token that the cluster does not take: what it says of it is an error of ours.
        (Method::PUT, format!("/api/v1/admin/clusters/{registered}"), Some(json!({ "k8s_token": OTHER_TOKEN }))),
        (Method::GET, format!("/api/v1/k8s/{registered}/pods"), None),
        (Method::GET, cluster, None),
        (Method::GET, "/api/v1/admin/clusters".to_owned(), None),
        (Method::GET, "/api/v1/admin/keys".to_owned(), None),
        (Method::GET, "/api/v1/notifications/targets".to_owned(), None),
        (Method::GET, "/api/v1/audit".to_owned(), None),
        (Method::GET, "/api/v1/audit?format=csv".to_owned(), None),
        (Method::GET, "/api/v1/audit/actions".to_owned(), None),
    ] {
        caller.call(&admin, method, &path, body.as_ref()).await;
    }
    // Secrets where none belong: in a path, a query, a cursor and a header. Of these only the path is said again, to whoever sent it.
    caller.call(&admin, Method::GET, &format!("/api/v1/admin/clusters/{OTHER_TOKEN}"), None).await;
    caller.call(&admin, Method::GET, &format!("/api/v1/admin/clusters?cursor={OTHER_TOKEN}&limit={OTHER_TOKEN}"), None).await;
    caller.call(WRONG_KEY, Method::GET, "/api/v1/admin/clusters", None).await;
    caller.call(&secrets[0], Method::GET, "/api/v1/admin/keys", None).await;
    secrets.into_iter().chain([admin]).collect()
}

#[expect(clippy::print_stdout, reason = "a figure for CI")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_planted_secret_is_found_in_any_log_answer_item_message_or_notice() {
    let lines = Lines::default();
    let sink = lines.clone();
    runtime::telemetry::to(Level::TRACE, move || sink.clone());
    let folder = Folder(std::env::temp_dir().join(format!("cloudoptim-canary-{}", std::process::id())));
    let receiver = SimCourier::new(Arc::new(runtime::clock::SystemClock));
    let url = format!("https://receiver.demo.example/hook?token={URL_TOKEN}");
    receiver.receiver(&url, Temper::Well);
    let decision_server = Some(Server { url: "http://127.0.0.1:9".to_owned(), key: SecretString::from(ML_KEY) });
    let settings = Settings { folder: Some(folder.0.clone()), courier: Some(receiver.clone()), decision_server, ..Settings::throwaway() };
    let system = System::start(&settings).await.unwrap();
    let server = runtime::http::Server::parse(&system.api_url).unwrap();
    let caller = Caller { client: Client::new(server, Limits::default(), &Gate::this_machine()).unwrap(), answers: Mutex::default() };
    let victim = system.world.live_instances(&system.cluster)[0].id.clone();
    let story = async {
        let secrets = play(&system, &caller).await;
        system.queue.put(Which::Interruptions, system.world.interrupt(&victim, SPOT_NOTICE), SignedDuration::ZERO);
        system.queue.put(Which::Interruptions, format!("{{\"token\":\"no event\",\"for\":\"{victim}\"}}"), SignedDuration::ZERO);
        system.ask_first_round().await.unwrap();
        system.clock.sleep(SignedDuration::from_secs(WORKS_S)).await;
        caller.call(&system.api_key, Method::GET, "/api/v1/audit", None).await;
        caller.call(&system.api_key, Method::GET, "/api/v1/events/history", None).await;
        secrets
    };
    let made = tokio::select! {
        secrets = story => secrets,
        () = worker::run(&system) => panic!("the worker stopped"),
    };
    let canaries: Vec<String> =
        [TOKEN, OTHER_TOKEN, WRONG_KEY, ML_KEY, URL_TOKEN, PRIVATE_KEY].map(str::to_owned).into_iter().chain(made).collect();
    let messages = system.queue.dead_letters().into_iter().chain(system.queue.take_due(system.clock.now()).into_iter().map(|m| m.body));
    let mut searched: Vec<(String, Vec<u8>)> = vec![("the log".to_owned(), lines.0.lock().unwrap().clone())];
    searched.extend(caller.answers.lock().unwrap().iter().map(|(what, text)| (what.clone(), text.clone().into_bytes())));
    searched.extend(messages.map(|body| ("a message".to_owned(), body.into_bytes())));
    searched.extend(receiver.got(&url).into_iter().map(|got| ("a notice".to_owned(), got.body.into_bytes())));
    let bytes: usize = searched.iter().map(|(_, text)| text.len()).sum();
    let mut found = Vec::new();
    for canary in &canaries {
        for (place, text) in &searched {
            // The one answer that shows a key, and the one that shows a signing secret.
            let once = ["POST /api/v1/admin/keys", "POST /api/v1/notifications/targets"].contains(&place.as_str());
            let sent = *place == format!("GET /api/v1/admin/clusters/{canary}");
            if sings(canary, text) && !(once && made_here(canary)) && !sent {
                found.push(format!("{canary} in {place}"));
            }
        }
        // What is sealed stands in the table; the vault of local mode spells it in base64, so only plain text is looked for there.
        for file in std::fs::read_dir(&folder.0).unwrap() {
            let text = std::fs::read(file.unwrap().path()).unwrap();
            if text.windows(canary.len()).any(|window| window == canary.as_bytes()) {
                found.push(format!("{canary} in the table"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        receiver.got(&url).len() > 1 && searched.len() > 25 && bytes > 20_000,
        "too little happened: {} places, {bytes} bytes",
        searched.len()
    );
    println!("BENCH canary_hits {} hits <= 0", found.len());
}

/// Whether the system made it: no constant of ours.
fn made_here(canary: &str) -> bool {
    !canary.to_ascii_lowercase().contains("canary")
}

#[test]
fn a_canary_is_heard_plain_and_in_base64() {
    let hidden = BASE64_NOPAD.encode(format!("xy{TOKEN}z").as_bytes());
    assert!(sings(TOKEN, format!("a {TOKEN} b").as_bytes()) && sings(TOKEN, hidden.as_bytes()));
    assert!(!sings(TOKEN, b"nothing at all"));
}
