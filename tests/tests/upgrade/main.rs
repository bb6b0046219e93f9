//! Another version reads what this one wrote, and this one reads what others wrote: rows, messages and plans in flight.
//!
//! `tests/golden/<version>` holds what that version wrote. A field that is removed, renamed or read otherwise loses something of it, and
//! breaks a law here. `UPDATE=1 cargo test --workspace --test upgrade` writes the folder of the present version anew; the folders of others
//! stay as they are, for as long as plans of theirs can be under way.

mod flight;
mod golden;
mod rows;
