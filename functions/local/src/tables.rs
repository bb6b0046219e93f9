//! The two tables: the real store adapters over an embedded emulator of DynamoDB.

use crate::system::REGION;
use anyhow::Context;
use domain::ports::StoreError;
use std::path::Path;

const CORE: &str = "cloudoptim";
const DECISION: &str = "cloudoptim-decision";

/// The tables of the core and of the decision server.
pub(crate) struct Tables {
    pub(crate) core: aws::Table,
    pub(crate) decision: aws::DecisionTable,
}

/// Opens them in a folder; without one, in memory.
pub(crate) async fn open(folder: Option<&Path>) -> anyhow::Result<Tables> {
    let database = match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
            dynoxide::Database::new(&folder.join("table.sqlite").to_string_lossy())
                .map_err(|e| anyhow::anyhow!("the tables' file cannot be opened: {e}"))?
        }
        None => dynoxide::Database::memory().map_err(|e| anyhow::anyhow!("the tables cannot be made: {e}"))?,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = aws::local_config(&endpoint, REGION);
    for made in [aws::create_table(&config, CORE).await, aws::create_decision_table(&config, DECISION).await] {
        match made {
            // It may be there from the last time.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error).context("a table cannot be made"),
        }
    }
    Ok(Tables { core: aws::Table::new(&config, CORE.to_owned()), decision: aws::DecisionTable::new(&config, DECISION.to_owned()) })
}
