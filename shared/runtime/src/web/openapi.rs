//! The frame of a published contract. What stands in it is said by each table of routes.

use serde_json::{Map, Value, json};

/// Whose contract it is.
pub struct About<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What a reader must know before all else.
    pub description: &'a str,
    /// The scheme of `Authorization: Bearer`.
    pub bearer: Value,
}

/// The document, as it is checked in: OpenAPI 3.1 with the two ways to show a key. `components` has at least `schemas`.
///
/// # Errors
/// None in practice: the document is JSON by construction.
pub fn document(about: &About<'_>, paths: Map<String, Value>, mut components: Value) -> Result<String, serde_json::Error> {
    components["securitySchemes"] = json!({
        "api_key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
        "bearer": about.bearer,
    });
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": about.version,
            "description": about.description,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": components,
    });
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    // Links of the code's own pages lead nowhere in the document.
    Ok(text.replace("[`", "`").replace("`]", "`"))
}
