//! What we may do in a cluster and in its account, capability by capability: what is missing, and what does not work without it.

use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::view::{Cell, Column, Field, Form, Table, Tone};
use domain::Timestamp;
use domain::permissions::account::{ACCOUNT_CAPABILITIES, AccountCapability};
use domain::permissions::{CAPABILITIES, Capability, Checklist, asked_key, key};
use domain::tenant::{Cluster, Role};

/// What was found, and when somebody last asked for a look.
pub struct Rights {
    list: Option<Checklist>,
    asked_at: Option<Timestamp>,
}

/// Reads what was found.
///
/// # Errors
/// The table did not answer.
pub async fn read(ask: &Ask, cluster: &Cluster) -> Result<Rights, Failure> {
    let (found, asked) = (key(&cluster.id), asked_key(&cluster.id));
    let config = |key| ask.deps.registry.config(&cluster.customer, key);
    let (list, asked_at) = tokio::try_join!(config(&found), config(&asked))?;
    let list = list.and_then(|value| serde_json::from_value(value).ok());
    Ok(Rights { list, asked_at: asked_at.and_then(|value| serde_json::from_value(value).ok()) })
}

impl Rights {
    /// A row for each capability, of the cluster and of the account.
    pub fn table(&self, now: Timestamp) -> Table {
        let lead = match (&self.list, self.asked_at) {
            (Some(list), Some(asked)) if asked > list.at => {
                format!("Looked at {}; asked for again {}", show::ago(now, list.at), show::ago(now, asked))
            }
            (Some(list), _) => format!("Looked at {}", show::ago(now, list.at)),
            (None, _) => "Not looked at yet: the next scan does".to_owned(),
        };
        let columns = ["Capability", "Granted by", "State", "What is missing", "Without it"].map(Column::text);
        let in_cluster = CAPABILITIES.iter().map(|capability| self.in_cluster(capability));
        let in_account = ACCOUNT_CAPABILITIES.iter().map(|capability| self.in_account(capability));
        Table::new("rights", "What CloudOptim may do").columns(columns).rows(in_cluster.chain(in_account)).age(lead)
    }

    fn in_cluster(&self, capability: &Capability) -> Vec<Cell> {
        let list = self.list.as_ref();
        let missing: Vec<String> = capability
            .rights()
            .iter()
            .filter(|right| list.and_then(|list| list.holds_right(right)) == Some(false))
            .map(ToString::to_string)
            .collect();
        let why = list.and_then(|list| list.why.clone()).unwrap_or_default();
        vec![
            Cell::text(capability.name).beneath("Kubernetes"),
            Cell::text(format!("rbac.yaml: cloudoptim-{}", capability.name)),
            mark(list.and_then(|list| list.allows(capability))),
            Cell::text(if missing.is_empty() { why } else { missing.join(", ") }),
            Cell::text(capability.without),
        ]
    }

    fn in_account(&self, capability: &AccountCapability) -> Vec<Cell> {
        let list = self.list.as_ref();
        let grants = capability.grants();
        let found = || grants.iter().filter_map(|grant| list.and_then(|list| list.found(grant)));
        let missing: Vec<String> =
            found().filter(|found| found.held == Some(false)).map(|found| format!("{} ({})", found.action, found.statement)).collect();
        // The first reason is enough: it mostly is the same for all.
        let why = found().find_map(|found| found.why.as_ref().map(|why| format!("{}: {why}", found.statement))).unwrap_or_default();
        let mut statements: Vec<&str> = grants.iter().map(|grant| grant.statement).collect();
        statements.dedup();
        vec![
            Cell::text(capability.name).beneath("AWS account"),
            Cell::text(format!("cloudformation.yaml: {}", statements.join(", "))),
            mark(list.and_then(|list| list.grants(capability))),
            Cell::text(if missing.is_empty() { why } else { missing.join(", ") }),
            Cell::text(capability.without),
        ]
    }
}

fn mark(complete: Option<bool>) -> Cell {
    match complete {
        Some(true) => Cell::mark("granted", Tone::Good),
        Some(false) => Cell::mark("missing", Tone::Warn),
        None => Cell::mark("not known", Tone::Quiet),
    }
}

/// Asks for a look.
pub fn form(cluster: &Cluster) -> Form {
    Form::new("/console/clusters/look", "Look again what CloudOptim may do")
        .says("The cluster and the account are asked, and nothing is changed there.")
        .field(Field::hidden("cluster", cluster.id.as_str()))
}

/// `POST /console/clusters/look`.
///
/// # Errors
/// It is not theirs, they may not, or everything is stopped.
pub async fn look(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let cluster = act.ask.cluster(act.need("cluster")?).await?;
    act.ask.deps.wishes().ask_look(&act.ask.who(), &cluster.id).await?;
    act.done(&format!("/console/clusters/{}", cluster.id), "look")
}
