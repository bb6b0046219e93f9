//! Tables for spreadsheets.

use crate::view::Table;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use http::header;

/// A table as a file to be kept.
pub fn answer(table: &Table, now: Timestamp) -> Response {
    let name = format!("attachment; filename=\"cloudoptim-{}-{}.csv\"", table.id, now.as_second());
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, text(table)).into_response()
}

/// The table as RFC 4180 has it. Money stands as a plain decimal, its unit in the head.
pub fn text(table: &Table) -> String {
    let head = table.columns.iter().map(|column| field(&column.full()));
    let rows = table.rows.iter().map(|row| row.iter().map(|cell| field(cell.plain())).collect::<Vec<_>>().join(","));
    std::iter::once(head.collect::<Vec<_>>().join(",")).chain(rows).map(|line| line + "\r\n").collect()
}

/// Spreadsheets take what begins with one of these for a formula; a name out of a cluster must not become one.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn field(text: &str) -> String {
    let number = text.parse::<f64>().is_ok();
    let text = if text.starts_with(FORMULA) && !number { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Cell, Column};

    #[test]
    fn what_looks_like_a_formula_stays_text_and_what_is_a_number_stays_one() {
        let row = ["=1+1", "-1.5", "a,\"b\"", "plain"].map(Cell::text).to_vec();
        let table = Table::new("t", "T").columns(["a", "b", "c", "d"].map(Column::text)).row(row);
        assert_eq!(text(&table), "a,b,c,d\r\n'=1+1,-1.5,\"a,\"\"b\"\"\",plain\r\n");
    }
}
