//! Commands that print a credential, as `aws eks get-token` does. The user's own kubeconfig names them, and kubectl runs them alike.

use anyhow::{Context, bail};
use kubernetes::Credential;
use serde::Deserialize;
use std::process::{Command, Stdio};

/// `exec` of a user.
#[derive(Deserialize)]
pub(super) struct Exec {
    #[serde(rename = "apiVersion", default)]
    api_version: String,
    command: String,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    env: Option<Vec<Variable>>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}

/// What the command prints. Not `Debug`: it is a secret.
#[derive(Deserialize)]
struct Printed {
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Exec {
    /// Runs the command and reads what it prints. What it says on standard error is shown as it is.
    pub(super) fn run(&self) -> anyhow::Result<Credential> {
        let request = serde_json::json!({"apiVersion": self.api_version, "kind": "ExecCredential", "spec": {"interactive": false}});
        let output = Command::new(&self.command)
            .args(self.args.iter().flatten())
            .envs(self.env.iter().flatten().map(|variable| (&variable.name, &variable.value)))
            .env("KUBERNETES_EXEC_INFO", request.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("the kubeconfig asks for the command {:?}, and it cannot be started", self.command))?;
        if !output.status.success() {
            bail!("the command {:?} that should print a credential failed: {}", self.command, output.status);
        }
        // The parser's message could quote the credential.
        let Ok(printed) = serde_json::from_slice::<Printed>(&output.stdout) else {
            bail!("the command {:?} printed no ExecCredential", self.command);
        };
        match printed.status {
            Status { token: Some(token), .. } => Ok(Credential::Token(token.into())),
            Status { client_certificate_data: Some(chain_pem), client_key_data: Some(key), token: None } => {
                Ok(Credential::Certificate { chain_pem, key_pem: key.into() })
            }
            Status { .. } => bail!("the command {:?} printed a credential of neither kind that we know", self.command),
        }
    }
}
