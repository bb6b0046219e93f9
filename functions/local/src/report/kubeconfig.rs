//! Kubeconfig files, as far as it takes to read one cluster: one context, its cluster, its user.

use anyhow::{Context, bail};
use data_encoding::BASE64;
use kubernetes::{Access, Credential};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::path::{Path, PathBuf};

mod exec;

/// The file. Nothing here is `Debug`: it holds secrets.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct File {
    current_context: String,
    contexts: Vec<NamedContext>,
    clusters: Vec<NamedServer>,
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Names,
}

#[derive(Deserialize)]
struct Names {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
struct NamedServer {
    name: String,
    cluster: Server,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Server {
    server: String,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
    insecure_skip_tls_verify: bool,
    proxy_url: Option<String>,
    tls_server_name: Option<String>,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct User {
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<String>,
    exec: Option<exec::Exec>,
    auth_provider: Option<IgnoredAny>,
    username: Option<IgnoredAny>,
}

/// How to reach the cluster of a context (without one: of the current context), and the context's name.
///
/// # Errors
/// In a sentence that says what to do instead.
pub(super) fn read(path: &Path, context: Option<&str>) -> anyhow::Result<(String, Access)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    // The parser's own message would quote the line that it stumbled over, and that could be a token.
    let Ok(file) = serde_saphyr::from_str::<File>(&text) else { bail!("{} is no kubeconfig file", path.display()) };
    let beside = path.parent().unwrap_or_else(|| Path::new("."));
    let name = context.unwrap_or(&file.current_context);
    if name.is_empty() {
        bail!("{} has no current context: name one with --context", path.display());
    }
    let Some(names) = file.contexts.iter().find(|context| context.name == name).map(|context| &context.context) else {
        let known: Vec<&str> = file.contexts.iter().map(|context| context.name.as_str()).collect();
        bail!("{} has no context {name:?}; it has: {}", path.display(), known.join(", "));
    };
    let server = file.clusters.into_iter().find(|server| server.name == names.cluster);
    let user = file.users.into_iter().find(|user| user.name == names.user);
    let (Some(server), Some(user)) = (server, user) else {
        bail!("{}: the context {name:?} names a cluster or a user that is not in the file", path.display());
    };
    let (ca_pem, endpoint) = self::server(server.cluster, beside)?;
    Ok((name.to_owned(), Access { endpoint, ca_pem, credential: credential(user.user, beside)? }))
}

fn server(server: Server, beside: &Path) -> anyhow::Result<(Option<String>, String)> {
    if server.insecure_skip_tls_verify {
        bail!("insecure-skip-tls-verify is not supported: put the cluster's authority into certificate-authority-data");
    }
    if server.proxy_url.is_some() {
        bail!("proxy-url is not supported: run the report where the API server can be reached directly");
    }
    if server.tls_server_name.is_some() {
        bail!("tls-server-name is not supported: name the server as its certificate does");
    }
    let ca = either(server.certificate_authority_data, server.certificate_authority, beside, "certificate-authority")?;
    Ok((ca, server.server))
}

/// In kubectl's order: a client certificate, a token, a command.
fn credential(user: User, beside: &Path) -> anyhow::Result<Credential> {
    let chain = either(user.client_certificate_data, user.client_certificate, beside, "client-certificate")?;
    let key = either(user.client_key_data, user.client_key, beside, "client-key")?;
    if let Some(token) = user.token.filter(|token| !token.is_empty()) {
        return Ok(Credential::Token(token.into()));
    }
    if let Some(path) = user.token_file {
        let path = beside.join(path);
        let token = std::fs::read_to_string(&path).with_context(|| format!("the tokenFile {} cannot be read", path.display()))?;
        return Ok(Credential::Token(SecretString::from(token.trim())));
    }
    match (chain, key) {
        (Some(chain_pem), Some(key)) => return Ok(Credential::Certificate { chain_pem, key_pem: key.into() }),
        (Some(_), None) | (None, Some(_)) => bail!("a client certificate needs its key, and a key its certificate"),
        (None, None) => {}
    }
    if let Some(exec) = user.exec {
        return exec.run();
    }
    let instead = "make a token for a service account (kubectl create token NAME) and put it into a user of the file as `token`";
    if user.auth_provider.is_some() || user.username.is_some() {
        bail!("auth-provider and passwords are not supported, nor are they by Kubernetes any more: {instead}");
    }
    bail!("the user of the context has no credential: {instead}")
}

/// Data in the file itself, or in another file that it names, relative to itself.
fn either(data: Option<String>, path: Option<PathBuf>, beside: &Path, what: &str) -> anyhow::Result<Option<String>> {
    let bytes = match (data.filter(|data| !data.is_empty()), path) {
        (Some(data), _) => {
            let compact: String = data.split_whitespace().collect();
            BASE64.decode(compact.as_bytes()).ok().with_context(|| format!("{what}-data is not base64"))?
        }
        (None, Some(path)) => {
            let path = beside.join(path);
            std::fs::read(&path).with_context(|| format!("the {what} {} cannot be read", path.display()))?
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(String::from_utf8(bytes).ok().with_context(|| format!("the {what} is no PEM text"))?))
}

#[cfg(test)]
mod tests;
