//! Laws of the key service.

use super::make::{cluster_id, customer_id};
use domain::ids::TargetId;
use domain::ports::{Vault, VaultError};
use domain::tenant::{SealContext, Sealed};
use secrecy::{ExposeSecret, SecretString};

/// Runs every law of the vault.
pub async fn vault(vault: &dyn Vault) {
    let context = |customer: &str, cluster: &str, endpoint: &str| SealContext::Token {
        customer: customer_id(customer),
        cluster: cluster_id(cluster),
        endpoint: endpoint.to_owned(),
    };
    let mine = context("acme", "prod", "https://one.example.com");
    let secret = SecretString::from("a token: ä".to_owned());
    let sealed = vault.seal(&mine, &secret).await.unwrap();
    assert!(!sealed.ciphertext.contains("a token"), "a seal hides");
    assert_eq!(vault.open(&mine, &sealed).await.unwrap().expose_secret(), secret.expose_secret());

    for other in [
        context("acme-2", "prod", "https://one.example.com"),
        context("acme", "test", "https://one.example.com"),
        context("acme", "prod", "https://two.example.com"),
        context("acme", "prodhttps", "://one.example.com"),
        SealContext::Target { customer: customer_id("acme"), target: TargetId::parse("prod").unwrap() },
    ] {
        let answer = vault.open(&other, &sealed).await;
        assert!(matches!(answer, Err(VaultError::Refused(_))), "opened under {other:?}");
    }
    let mut flipped = sealed.ciphertext.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    for broken in [String::from_utf8(flipped).unwrap(), String::new(), "no base64!".to_owned()] {
        let answer = vault.open(&mine, &Sealed { ciphertext: broken.clone() }).await;
        assert!(matches!(answer, Err(VaultError::Refused(_))), "opened {broken:?}");
    }
}
