//! Every route. One that is not in here is closed: the router and the published contract are both made from this.

use super::Route;
use std::iter::{Copied, Flatten};

mod admin;
mod models;
mod work;

/// All routes, room by room.
pub struct Table([&'static [Route]; 3]);

/// Every route.
pub static TABLE: &Table = &Table([admin::ROUTES, work::ROUTES, models::ROUTES]);

impl Table {
    /// One after the other.
    pub fn iter(&'static self) -> Flatten<Copied<std::slice::Iter<'static, &'static [Route]>>> {
        self.0.iter().copied().flatten()
    }
}

impl IntoIterator for &'static Table {
    type Item = &'static Route;
    type IntoIter = Flatten<Copied<std::slice::Iter<'static, &'static [Route]>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
