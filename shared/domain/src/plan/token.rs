//! Client tokens of RunInstances.

use super::PlanKey;
use crate::ids::Zone;
use sha2::{Digest, Sha256};

/// Derives the token from the journal, so that it survives a crash.
///
/// The zone is part of it because EC2's idempotency is zonal: the same token with a subnet in another zone launches a
/// second instance without an error. `generation` grows only after a definite failure. 52 characters of base32 (EC2 takes
/// 64 ASCII characters).
pub fn client_token(plan: &PlanKey, step: usize, generation: u32, zone: &Zone) -> String {
    let mut hash = Sha256::new();
    for part in
        [plan.customer.as_str(), plan.cluster.as_str(), plan.plan.as_str(), &step.to_string(), &generation.to_string(), zone.as_str()]
    {
        // Length first: "ab" + "c" and "a" + "bc" must differ.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut token = data_encoding::BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
    token.truncate(52);
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClusterId, CustomerId, PlanId};

    #[test]
    fn a_token_differs_in_every_part_and_repeats_for_the_same() {
        let key = |c: &str, k: &str, p: &str| PlanKey {
            customer: CustomerId::parse(c).unwrap(),
            cluster: ClusterId::parse(k).unwrap(),
            plan: PlanId::parse(p).unwrap(),
        };
        let zone = |z: &str| Zone::parse(z).unwrap();
        let all = [
            client_token(&key("a", "b", "c"), 0, 0, &zone("us-east-1a")),
            client_token(&key("ab", "b", "c"), 0, 0, &zone("us-east-1a")),
            client_token(&key("a", "bc", "c"), 0, 0, &zone("us-east-1a")),
            client_token(&key("a", "b", "d"), 0, 0, &zone("us-east-1a")),
            client_token(&key("a", "b", "c"), 1, 0, &zone("us-east-1a")),
            client_token(&key("a", "b", "c"), 0, 1, &zone("us-east-1a")),
            client_token(&key("a", "b", "c"), 0, 0, &zone("us-east-1b")),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(all[0], client_token(&key("a", "b", "c"), 0, 0, &zone("us-east-1a")));
        assert!(all.iter().all(|t| t.len() == 52 && t.is_ascii()));
    }
}
