use super::*;
use secrecy::ExposeSecret;

const FILE: &str = r#"
apiVersion: v1
kind: Config
current-context: prod
contexts:
  - name: prod
    context: { cluster: one, user: bot, namespace: shop }
  - name: lost
    context: { cluster: nowhere, user: bot }
  - name: other
    context: { cluster: one, user: USER }
clusters:
  - name: one
    cluster:
      server: https://127.0.0.1:6443
      certificate-authority-data: LS0tCg==
users:
  - name: bot
    user: { token: s3cret }
  - name: USER
    user:
      BODY
"#;

fn written(text: &str) -> (tempdir::Folder, PathBuf) {
    let folder = tempdir::Folder::new();
    let path = folder.0.join("config");
    std::fs::write(&path, text.replace("BODY", "{}")).unwrap();
    (folder, path)
}

/// A folder of its own for each test, gone at its end.
mod tempdir {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    static NEXT: AtomicU32 = AtomicU32::new(0);

    pub(super) struct Folder(pub(super) PathBuf);

    impl Folder {
        pub(super) fn new() -> Self {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("cloudoptim-kubeconfig-{}-{number}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

fn other(body: &str) -> anyhow::Result<(String, Access)> {
    let (folder, path) = written(&FILE.replace("BODY", body));
    std::fs::write(folder.0.join("token"), "from-a-file\n").unwrap();
    read(&path, Some("other"))
}

fn token(access: &Access) -> String {
    match &access.credential {
        Credential::Token(token) => token.expose_secret().to_owned(),
        Credential::Certificate { .. } => panic!("a token"),
    }
}

#[test]
fn the_current_context_leads_to_cluster_and_user() {
    let (_folder, path) = written(FILE);
    let (name, access) = read(&path, None).unwrap();
    assert_eq!((name.as_str(), access.endpoint.as_str(), access.ca_pem.as_deref()), ("prod", "https://127.0.0.1:6443", Some("---\n")));
    assert_eq!(token(&access), "s3cret");
    assert!(!format!("{access:?}").contains("s3cret"));
}

#[test]
fn every_kind_of_credential_is_read() {
    assert_eq!(token(&other("token: abc").unwrap().1), "abc");
    assert_eq!(token(&other("tokenFile: token").unwrap().1), "from-a-file");
    let run = r#"{ exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", "echo \"{\\\"status\\\":{\\\"token\\\":\\\"$ADD\\\"}}\""], env: [{ name: ADD, value: run }] } }"#;
    assert_eq!(token(&other(run).unwrap().1), "run");
    let certificate = "{ client-certificate-data: LS0tCg==, client-key-data: LS0tCg== }";
    assert!(matches!(other(certificate).unwrap().1.credential, Credential::Certificate { .. }));
}

#[test]
fn what_is_not_supported_is_refused_with_what_to_do_instead() {
    for (body, words) in [
        ("{}", "kubectl create token"),
        ("{ username: a, password: b }", "kubectl create token"),
        ("{ auth-provider: { name: gcp } }", "kubectl create token"),
        ("{ client-certificate-data: LS0tCg== }", "needs its key"),
        ("{ client-certificate-data: '!', client-key-data: LS0tCg== }", "not base64"),
        ("{ exec: { command: no-such-command-here } }", "cannot be started"),
        ("{ exec: { command: 'false' } }", "failed"),
        ("{ exec: { command: echo, args: [s3cret] } }", "printed no ExecCredential"),
    ] {
        let error = format!("{:#}", other(body).err().unwrap());
        assert!(error.contains(words) && !error.contains("s3cret"), "{body}: {error}");
    }
}

#[test]
fn a_server_that_could_not_be_trusted_is_refused() {
    for setting in ["insecure-skip-tls-verify: true", "proxy-url: http://proxy", "tls-server-name: other"] {
        let (_folder, path) = written(&FILE.replace("certificate-authority-data: LS0tCg==", setting));
        let error = read(&path, None).err().unwrap().to_string();
        assert!(error.contains("not supported"), "{error}");
    }
}

#[test]
fn contexts_that_lead_nowhere_are_named() {
    let (_folder, path) = written(FILE);
    assert!(read(&path, Some("none")).err().unwrap().to_string().contains("prod, lost, other"));
    assert!(read(&path, Some("lost")).err().unwrap().to_string().contains("not in the file"));
    let (_folder, path) = written(&FILE.replace("current-context: prod", "current-context: \"\""));
    assert!(read(&path, None).err().unwrap().to_string().contains("--context"));
}

#[test]
fn rubbish_is_refused_and_not_quoted() {
    for text in ["token: [s3cret", "- s3cret", "users: s3cret", "\u{0}", ""] {
        let (_folder, path) = written(text);
        let error = format!("{:#}", read(&path, None).err().unwrap());
        assert!(!error.contains("s3cret"), "{error}");
    }
}

/// Only the text is read here: what a file names is opened, and what it commands is run, by `read`.
#[test]
fn no_text_makes_the_reader_panic() {
    let target = decoders::Target {
        name: "kubeconfig",
        run: |bytes| {
            let _read = serde_saphyr::from_str::<File>(&String::from_utf8_lossy(bytes)).is_ok();
        },
    };
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| format!("{text}a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
    let corpus: Vec<Vec<u8>> = [FILE, &bomb, "&a [*a]", "<<: *x", "!!binary x", "? {? [", "contexts: !!set {}", "\t"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec();
    decoders::mutate::run(&target, &corpus, 1, std::time::Duration::from_millis(300)).unwrap();
}
