//! Files that pages name: embedded, and named with their content, so that they may be kept for ever.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use http::{StatusCode, header};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file.
struct Asset {
    name: &'static str,
    media: &'static str,
    bytes: &'static str,
}

/// Every file. The licences of those that others wrote stand in `assets/LICENSES.md`.
static ALL: [Asset; 6] = [
    Asset { name: "console.css", media: "text/css; charset=utf-8", bytes: include_str!("../assets/console.css") },
    Asset { name: "uplot.css", media: "text/css; charset=utf-8", bytes: include_str!("../assets/uPlot.min.css") },
    Asset { name: "uplot.js", media: "text/javascript; charset=utf-8", bytes: include_str!("../assets/uPlot.iife.min.js") },
    Asset { name: "htmx.js", media: "text/javascript; charset=utf-8", bytes: include_str!("../assets/htmx.min.js") },
    Asset { name: "console.js", media: "text/javascript; charset=utf-8", bytes: include_str!("../assets/console.js") },
    Asset { name: "icon.svg", media: "image/svg+xml", bytes: include_str!("../assets/icon.svg") },
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    ALL.iter().for_each(|asset| hash.update(asset.bytes.as_bytes()));
    HEXLOWER.encode(&hash.finalize()[..6])
});

/// What all files together are called: another content is another name.
pub fn version() -> &'static str {
    &VERSION
}

/// Bytes of all files: the weight that every page carries.
pub fn weight() -> usize {
    ALL.iter().map(|asset| asset.bytes.len()).sum()
}

/// `GET /console/assets/{version}/{name}`.
pub async fn show(Path((asked, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ALL.iter().find(|asset| asset.name == name && asked == version()) else {
        return (StatusCode::NOT_FOUND, "There is no such file.").into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.media), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.bytes).into_response()
}
