use super::{Connections, KEPT, Settings, bearer};
use async_trait::async_trait;
use domain::ids::{AccountId, ClusterId, CustomerId, Region};
use domain::ports::{ClusterError, Clusters, Vault, VaultError};
use domain::tenant::{Cluster, ClusterStatus, SealContext, Sealed};
use gate::Gate;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

mod minted;

/// Opens what begins with `sealed:`, and counts.
#[derive(Default)]
struct Safe {
    opened: AtomicU32,
    contexts: Mutex<Vec<SealContext>>,
}

#[async_trait]
impl Vault for Safe {
    async fn seal(&self, _: &SealContext, secret: &SecretString) -> Result<Sealed, VaultError> {
        Ok(Sealed { ciphertext: format!("sealed:{}", secret.expose_secret()) })
    }

    async fn open(&self, context: &SealContext, sealed: &Sealed) -> Result<SecretString, VaultError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.contexts.lock().unwrap().push(context.clone());
        let token = sealed.ciphertext.strip_prefix("sealed:").ok_or_else(|| VaultError::Refused("another context".into()))?;
        Ok(token.to_owned().into())
    }
}

/// A certificate authority made for this test.
fn authority() -> String {
    rcgen::generate_simple_self_signed(vec!["cluster.example".to_owned()]).unwrap().cert.pem()
}

fn cluster(id: &str, ca: &str) -> Cluster {
    Cluster {
        id: ClusterId::parse(id).unwrap(),
        customer: CustomerId::parse("acme").unwrap(),
        name: id.into(),
        k8s_api_endpoint: "https://cluster.example:6443".into(),
        k8s_ca: Some(ca.into()),
        k8s_token: Some(Sealed { ciphertext: "sealed:token".into() }),
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: String::new(),
        account: AccountId::parse("123456789012").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        sqs_queue_url: None,
        status: ClusterStatus::Connected,
        status_reason: String::new(),
        node_count: 0,
        seen_at: None,
        policy: Default::default(),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn connections() -> (Arc<Safe>, Connections) {
    let safe = Arc::new(Safe::default());
    (Arc::clone(&safe), Connections::new(safe, Settings::default(), Gate::this_machine()))
}

#[tokio::test]
async fn a_connection_is_kept_and_its_credential_opened_once() {
    let (safe, connections) = connections();
    let cluster = cluster("a", &authority());
    let first = connections.connection(&cluster).await.unwrap();
    let second = connections.connection(&cluster).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(safe.opened.load(Ordering::Relaxed), 1);
    assert_eq!(safe.contexts.lock().unwrap()[0], cluster.seal_context());
}

#[tokio::test]
async fn a_changed_endpoint_authority_or_credential_opens_a_new_connection() {
    let (safe, connections) = connections();
    let original = cluster("a", &authority());
    connections.connection(&original).await.unwrap();
    let changed = [
        Cluster { k8s_api_endpoint: "https://other.example".into(), ..original.clone() },
        Cluster { k8s_ca: Some(authority()), ..original.clone() },
        Cluster { k8s_token: Some(Sealed { ciphertext: "sealed:other".into() }), ..original.clone() },
        Cluster { customer: CustomerId::parse("evil").unwrap(), ..original.clone() },
    ];
    for (opened, cluster) in (2..).zip(&changed) {
        connections.connection(cluster).await.unwrap();
        assert_eq!(safe.opened.load(Ordering::Relaxed), opened);
    }
}

#[tokio::test]
async fn no_more_connections_are_kept_than_the_limit_and_the_oldest_goes_first() {
    let (safe, connections) = connections();
    let ca = authority();
    let open = async |n: usize| connections.connection(&cluster(&format!("c{n}"), &ca)).await.unwrap();
    for n in 0..KEPT {
        open(n).await;
    }
    open(0).await;
    open(KEPT).await;
    open(0).await;
    assert_eq!(safe.opened.load(Ordering::Relaxed), u32::try_from(KEPT).unwrap() + 1, "c0 was asked for lately");
    open(1).await;
    assert_eq!(safe.opened.load(Ordering::Relaxed), u32::try_from(KEPT).unwrap() + 2, "c1 was the oldest");
}

#[tokio::test]
async fn a_cluster_that_cannot_be_connected_says_why() {
    let (_, connections) = connections();
    let good = cluster("a", &authority());
    for (bad, word) in [
        (Cluster { k8s_token: None, ..good.clone() }, "no credential"),
        (Cluster { k8s_token: Some(Sealed { ciphertext: "moved".into() }), ..good.clone() }, "another context"),
        (Cluster { k8s_token: Some(Sealed { ciphertext: "sealed:a b".into() }), ..good.clone() }, "not a token"),
        (Cluster { k8s_api_endpoint: "http://cluster.example".into(), ..good.clone() }, "https"),
        (Cluster { k8s_ca: Some("rubbish".into()), ..good.clone() }, "certificate"),
    ] {
        match connections.connect(&bad).await {
            Err(ClusterError::Refused(text)) => assert!(text.contains(word), "{text}"),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{word}"),
        }
    }
}

#[test]
fn a_token_is_never_printed() {
    let header = bearer(&" secret-token\n".to_owned().into()).unwrap();
    assert!(header.is_sensitive());
    assert!(!format!("{header:?}").contains("secret-token"));
    assert_eq!(header.as_bytes(), b"Bearer secret-token");
    for rubbish in ["", " ", "a\nb", "a\u{0}b", "é"] {
        assert!(bearer(&rubbish.to_owned().into()).is_err());
    }
}
