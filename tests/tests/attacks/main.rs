//! The corpus of attacks against everything that stands outside the API: connections, events, and servers that are enemies; and the
//! table of all classes, which says what holds each. The API's own half of the corpus is run beside it
//! (`functions/api/src/tests/attacks.rs`).

mod classes;
mod corpus;
mod doors;
mod events;
mod servers;
