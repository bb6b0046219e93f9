//! Handlers get what the function works with bound to the customer who asks, and in no other way.

use crate::tree::{File, files};

/// Rooms in which whoever runs the control plane looks after its customers. For everybody else they are bound, too.
const OFFICES: [&str; 5] = ["billing.rs", "config.rs", "customers.rs", "halt.rs", "keys.rs"];

/// Where nobody is signed in yet.
const DOOR: &str = "functions/console/src/pages/door.rs";

fn handlers() -> Vec<File> {
    let rooms = ["functions/api/src/routes/", "functions/console/src/pages/"];
    let found: Vec<File> = files(&[".rs"]).into_iter().filter(|file| rooms.iter().any(|room| file.path.starts_with(room))).collect();
    assert!(found.len() > 40, "tidy/desks.rs looks in the wrong place");
    found
}

#[test]
fn no_handler_takes_the_ports_themselves() {
    for file in handlers() {
        if file.path != DOOR {
            assert!(!file.text.contains("State<") && !file.text.contains("extract::State"), "{} takes unbound ports", file.path);
        }
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let office = file.text.contains("Office(");
        assert_eq!(office, OFFICES.contains(&name) && file.path.starts_with("functions/api/"), "{} takes an Office", file.path);
    }
}

/// The handle is made in one place of each function, from whom the session or the key names.
#[test]
fn only_the_session_makes_a_handle() {
    let makers: Vec<String> = files(&[".rs"])
        .into_iter()
        .filter(|file| ["functions/api/src/", "functions/console/src/"].iter().any(|of| file.path.starts_with(of)))
        .filter(|file| file.text.contains(".bound("))
        .map(|file| file.path)
        .collect();
    assert_eq!(makers, ["functions/api/src/desk.rs", "functions/console/src/ask.rs"]);
}
