//! Scenarios: golden stories in text, run through the real handlers in a world whose time is virtual.
//!
//! A story has one command a line; `#` begins a comment. What a command leads to is told below it, with the seconds since the
//! story began. Instances and nodes are called by the names that the story gives them.
//!
//! ```text
//! at TIME                                      first of all: when the story begins
//! cluster NAME REGION                          a registered cluster of account 123456789012
//! node NAME [is ID] [owner KIND NAME] [zone Z] [unregistered]
//! workload NAME REPLICAS on NODE [exit S] [grace S]
//! budget NAME min-available|max-unavailable N
//! policy rebalance ignore|cordon|replace-then-drain
//! policy rebalances-per-hour N
//! join SECONDS|never                           how long instances take to become nodes
//! take NODE in SECONDS                         AWS takes an instance back, and says nothing yet
//! hook NODE as CASE                            its group waits for the hook that the body of this case names
//! end NODE                                     a person ends an instance
//! notice CASE [N times] [at once]              a body of `events/interruption` comes, or several copies of it
//! notice CASE for NODE                         the same, as it would be sent for this node now
//! warn NODE | recommend NODE                   the world's own warning or recommendation comes
//! crash before|after CALL                      the process dies at the next call of this name
//! fail CALL                                    the next call of this name has no effect and no answer
//! kubernetes down SECONDS                      the API server does not answer
//! run SECONDS|all                              time passes; `all`: until nothing is under way
//! show plans|events|pods|dead-letters
//! check                                        the laws of every world
//! ```

mod stage;
mod tell;

use stage::Stage;

/// Plays a story; returns it with what happened written below each command.
///
/// # Errors
/// A command that cannot be understood, with its line.
pub fn play(story: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut stage = Stage::default();
        let mut told = String::new();
        for (number, line) in (1..).zip(story.lines()) {
            told.push_str(line.trim_end());
            told.push('\n');
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            if words.is_empty() {
                continue;
            }
            let lines = stage.act(&words).await.map_err(|why| format!("line {number}, {line:?}: {why}"))?;
            for line in lines {
                told.push_str(&format!("    {line}\n"));
            }
        }
        Ok(told)
    })
}

/// The cases whose bodies a story sends, in order.
pub fn cases(story: &str) -> Vec<String> {
    let mut cases = Vec::new();
    for line in story.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["notice", case, rest @ ..] = words.as_slice() {
            let times = rest.first().and_then(|n| n.parse().ok()).unwrap_or(1);
            cases.extend(std::iter::repeat_n((*case).to_owned(), times));
        }
    }
    cases
}
