use super::*;

const HASH: &str = "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824";
const KEY: &str = "a-key-that-must-never-be-seen";

fn complete(name: &str) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => "cloudoptim-core",
        "KMS_KEY_ID" => "alias/cloudoptim",
        "INTERRUPTIONS_QUEUE_URL" => "https://sqs.us-east-1.amazonaws.com/111122223333/interruptions",
        "PLANS_QUEUE_URL" => "https://sqs.us-east-1.amazonaws.com/111122223333/plans",
        "DEAD_LETTER_QUEUE_URL" => "https://sqs.us-east-1.amazonaws.com/111122223333/dead",
        "AWS_REGION" => "us-east-1",
        "BOOTSTRAP_ADMIN_KEY_SHA256" => HASH,
        "ML_SERVER_URL" => "https://ml.example.com",
        "ML_SERVER_API_KEY" => KEY,
        _ => return None,
    };
    Some(value.to_owned())
}

#[test]
fn what_is_not_set_has_the_documented_default() {
    let config = Config::parse(&complete, &Var::ALL).unwrap();
    assert_eq!(config.k8s_api, K8sApi { timeout_s: 30, retry_attempts: 3, backoff_factor: 2 });
    assert_eq!(config.log_level, Level::INFO);
    assert_eq!(config.bootstrap_admin_key_sha256, Some(HASH.to_ascii_lowercase()));
}

#[test]
fn everything_that_is_missing_or_malformed_is_told_at_once() {
    let get = |name: &str| match name {
        "TABLE_NAME" => Some("  ".to_owned()),
        "PLANS_QUEUE_URL" => Some("arn:aws:sqs:us-east-1:111122223333:plans".to_owned()),
        "K8S_API_TIMEOUT_SECONDS" => Some("0".to_owned()),
        "K8S_API_BACKOFF_FACTOR" => Some("two".to_owned()),
        "LOG_LEVEL" => Some("loud".to_owned()),
        "BOOTSTRAP_ADMIN_KEY_SHA256" => Some("my-secret-key".to_owned()),
        other => complete(other),
    };
    let errors = Config::parse(&get, &Var::ALL).unwrap_err();
    assert_eq!(errors.0.len(), 6, "{errors}");
    let text = errors.to_string();
    assert!(text.contains("TABLE_NAME is not set") && text.contains("a whole number from 1 to 900"), "{text}");
    assert!(!text.contains("my-secret-key"), "a value must not be repeated: {text}");
}

#[test]
fn a_decision_server_is_reached_over_tls_or_on_this_machine() {
    let with =
        |name: &'static str, value: &'static str| move |asked: &str| if asked == name { Some(value.to_owned()) } else { complete(asked) };
    for (name, value) in [("ML_SERVER_URL", "http://ml.example.com"), ("ML_SERVER_URL", "ml.example.com"), ("ML_SERVER_API_KEY", "short")] {
        let errors = Config::parse(&with(name, value), &[]).unwrap_err();
        assert!(errors.0.len() == 1 && errors.to_string().contains(name) && !errors.to_string().contains(value), "{errors}");
    }
    assert!(Config::parse(&with("ML_SERVER_URL", "http://127.0.0.1:8001"), &[Var::MlServerUrl, Var::MlServerApiKey]).is_ok());
}

#[test]
fn a_function_misses_only_what_it_needs() {
    let none = |_: &str| None;
    assert!(Config::parse(&none, &[]).is_ok());
    let errors = Config::parse(&none, &[Var::PlansQueueUrl]).unwrap_err();
    assert_eq!(errors.0, vec![ConfigError::Missing("PLANS_QUEUE_URL")]);
}

#[test]
fn a_printed_configuration_holds_no_secret() {
    let config = Config::parse(&complete, &Var::ALL).unwrap();
    for printed in [config.to_string(), format!("{config:?}")] {
        assert!(printed.contains("TABLE_NAME=cloudoptim-core") && printed.contains("BOOTSTRAP_ADMIN_KEY_SHA256=(set)"), "{printed}");
        assert!(printed.contains("ML_SERVER_URL=https://ml.example.com") && printed.contains("ML_SERVER_API_KEY=(set)"), "{printed}");
        assert!(!printed.to_ascii_uppercase().contains(HASH) && !printed.contains(KEY), "{printed}");
    }
}
