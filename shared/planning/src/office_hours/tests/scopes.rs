//! The golden scopes of GoKubeDownscaler.

use super::super::scopes::{Puzzle, Scope, Scoped, Wanted, forced, narrowest};
use super::*;

fn rules(set: &Value) -> Rules {
    let spec = |key: &str| set[key].as_bool().map(|holds| if holds { Spec::always() } else { Spec::never() });
    Rules {
        uptime: spec("uptime"),
        downtime: spec("downtime"),
        upscale_period: spec("upscale-period"),
        downscale_period: spec("downscale-period"),
        force_uptime: spec("force-uptime"),
        force_downtime: spec("force-downtime"),
        ..Rules::default()
    }
}

fn scoped(rules: impl IntoIterator<Item = Rules>) -> Vec<Scoped> {
    let order = [Scope::Workload, Scope::Namespace, Scope::NamespaceConfig, Scope::Cluster, Scope::Customer];
    order.into_iter().zip(rules).map(|(scope, rules)| Scoped { scope, rules }).collect()
}

fn word(wanted: Result<Wanted, Puzzle>) -> &'static str {
    match wanted {
        Ok(Wanted::Up(_)) => "up",
        Ok(Wanted::Down(_)) => "down",
        Ok(Wanted::AsIs(_)) => "ignore",
        Ok(Wanted::Unscheduled) => "none (next scope)",
        Err(_) => "multiple (error, skip)",
    }
}

#[test]
fn every_golden_scope_holds() {
    let (all, now) = (golden("downscaler_scopes_go"), at("2026-01-01T00:00:00Z"));
    for case in all["single_scope"].as_array().unwrap() {
        assert_eq!(word(narrowest(&scoped([rules(&case["set"])]), now)), case["result"], "{case}");
    }
    for case in all["forced"].as_array().unwrap() {
        let wanted = forced(&scoped([rules(&case["set"])]), Dialect::Go, now);
        assert_eq!(word(wanted.map(|forced| forced.unwrap_or(Wanted::AsIs(String::new())))), case["result"], "{case}");
    }
    for case in all["multi_scope"].as_array().unwrap() {
        let scopes = scoped(case["scopes"].as_array().unwrap().iter().map(rules));
        let wanted = forced(&scopes, Dialect::Go, now).and_then(|found| found.map_or_else(|| narrowest(&scopes, now), Ok));
        assert_eq!(word(wanted), case["result"], "{case}");
    }
    for case in all["incompatible_in_one_scope"].as_array().unwrap() {
        let mut set = serde_json::json!({});
        case.as_array().unwrap().iter().for_each(|key| set[key.as_str().unwrap()] = true.into());
        assert!(narrowest(&scoped([rules(&set)]), now).is_err(), "{case}");
    }
}
