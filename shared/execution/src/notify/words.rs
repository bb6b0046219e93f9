//! The words of notices: a headline for each kind, and nothing that is a secret.

use domain::ports::Notice;

/// What stands in the place of something that looks like a secret.
const HIDDEN: &str = "[hidden]";

/// What things are called in headlines; what is not here is called by its own name.
const THINGS: [(&str, &str); 15] = [
    ("ghost", "ghost instance"),
    ("zombie-volume", "unattached volume"),
    ("cross-zone", "traffic between zones"),
    ("idle-load-balancer", "idle load balancer"),
    ("idle-nat-gateway", "idle NAT gateway"),
    ("idle-address", "unused elastic IP"),
    ("oversized-workload", "oversized workload"),
    ("undersized-workload", "undersized workload"),
    ("out-of-memory", "container out of memory"),
    ("likely-leak", "likely memory leak"),
    ("office-hours", "office hours"),
    ("interruption", "interruption of node"),
    ("plan", "plan"),
    ("notification-target", "notification target"),
    ("test", "test notice"),
];

/// One line that says what, and where.
pub(super) fn headline(notice: &Notice) -> String {
    let (what, moment) = notice.kind.rsplit_once('.').unwrap_or((&notice.kind, ""));
    let thing = THINGS.iter().find(|(name, _)| *name == what).map_or(what, |(_, thing)| thing);
    let subject = discreet(&notice.subject);
    let text = match moment {
        "detected" => format!("Found: {thing} {subject}"),
        "before" => format!("About to act: {thing} {subject}"),
        "after" => format!("Done: {thing} {subject}"),
        "recovered" => format!("Over: {thing} {subject}"),
        "alert" => format!("Needs a person: {thing} {subject}"),
        other => format!("{thing} {subject} {other}"),
    };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{} ({})", line.trim_end(), notice.cluster)
}

/// The text with whatever looks like a credential left out. Nothing of ours puts one into a notice; a message of a server that is quoted
/// in one might.
pub(super) fn discreet(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_end();
            if secret(bare) { format!("{HIDDEN}{}", &word[bare.len()..]) } else { word.to_owned() }
        })
        .collect()
}

/// Access keys of AWS, tokens of Kubernetes (JSON web tokens), of Slack, our own keys and signing secrets, and URLs with a user or a token.
fn secret(word: &str) -> bool {
    let inner = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let long = |prefix: &str, least: usize| inner.find(prefix).is_some_and(|at| inner.len() - at >= least);
    long("AKIA", 20)
        || long("ASIA", 20)
        || long("eyJ", 40)
        || long("xoxb-", 12)
        || long("xoxp-", 12)
        || long("whsec_", 12)
        || long("hooks.slack.com/", 24)
        || inner.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|authority| authority.contains('@')))
}

#[cfg(test)]
mod tests {
    use super::discreet;

    #[test]
    fn credentials_are_left_out_and_the_rest_stays() {
        let token = format!("eyJ{}", "a".repeat(60));
        for word in [
            "AKIAABCDEFGHIJKLMNOP",
            token.as_str(),
            "whsec_MfKQ9r8GKYqr",
            "https://user:pw@example.com/x",
            "https://hooks.slack.com/services/T0/B0/x",
        ] {
            assert_eq!(discreet(&format!("the server said: {word}, and\nno more")), "the server said: [hidden] and\nno more", "{word}");
        }
        for text in ["deployment shop/web", "i-0123456789abcdef0 was seen at 2026-03-01T12:00:00Z", "https://example.com/a"] {
            assert_eq!(discreet(text), text);
        }
    }
}
