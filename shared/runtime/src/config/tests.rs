use super::*;

fn parse(pairs: &[(&str, &str)], needs: &[Var]) -> Result<Config, ConfigErrors> {
    Config::parse(&|name| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned()), needs)
}

#[test]
fn all_missing_and_bad_variables_are_told_together() {
    let errors =
        parse(&[("K8S_API_TIMEOUT_SECONDS", "soon"), ("BOOTSTRAP_ADMIN_KEY_SHA256", "x")], &[Var::Region, Var::Table]).unwrap_err();
    assert_eq!(errors.0.len(), 4, "{errors}");
}

#[test]
fn a_function_is_not_asked_for_what_it_does_not_need() {
    let config = parse(&[("AWS_REGION", "us-east-1")], &[Var::Region]).unwrap();
    assert_eq!(config.kubernetes, Kubernetes { timeout_s: 30, retry_attempts: 3, backoff_factor: 2.0 });
}

#[test]
fn the_printed_configuration_does_not_hold_the_key_hash() {
    let hash = "ab".repeat(32);
    let config = parse(&[("BOOTSTRAP_ADMIN_KEY_SHA256", &hash)], &[]).unwrap();
    assert!(!config.to_string().contains(&hash));
}
