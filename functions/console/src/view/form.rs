//! Forms: what can be done, and what is chosen.

use super::parts::Tone;

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub label: &'static str,
    /// What stands in it.
    pub value: String,
    /// What may stand in it, with words for each; empty: any text.
    pub options: Vec<(String, String)>,
    /// Whether it is not shown.
    pub hidden: bool,
    /// Whether a file is chosen in it.
    pub file: bool,
    /// Where the script of the page asks for an address to put that file at; empty: it goes with the form.
    pub uploads: &'static str,
}

impl Field {
    /// A field that is not shown.
    pub fn hidden(name: &'static str, value: impl Into<String>) -> Field {
        Field { name, label: "", value: value.into(), options: Vec::new(), hidden: true, file: false, uploads: "" }
    }

    /// A field for a text.
    pub fn text(name: &'static str, label: &'static str, value: impl Into<String>) -> Field {
        Field { name, label, value: value.into(), options: Vec::new(), hidden: false, file: false, uploads: "" }
    }

    /// A file: the script of the page reads it and sends it as base64 for addresses.
    pub fn file(name: &'static str, label: &'static str) -> Field {
        Field { name, label, value: String::new(), options: Vec::new(), hidden: false, file: true, uploads: "" }
    }

    /// A file that is put by itself: the script of the page asks there for an address, and sends what the upload is called.
    pub fn upload(name: &'static str, label: &'static str, uploads: &'static str) -> Field {
        Field { uploads, ..Field::file(name, label) }
    }

    /// A choice.
    pub fn choice(name: &'static str, label: &'static str, value: impl Into<String>, options: Vec<(String, String)>) -> Field {
        Field { name, label, value: value.into(), options, hidden: false, file: false, uploads: "" }
    }
}

/// Something that can be done, or chosen.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// What its button says.
    pub button: String,
    /// What happens then, in a sentence.
    pub says: String,
    /// How it is meant.
    pub tone: Tone,
    /// Its fields.
    pub fields: Vec<Field>,
}

impl Form {
    /// A form.
    pub fn new(action: impl Into<String>, button: impl Into<String>) -> Form {
        Form { action: action.into(), button: button.into(), says: String::new(), tone: Tone::Plain, fields: Vec::new() }
    }

    /// Saying what happens.
    #[must_use]
    pub fn says(mut self, says: impl Into<String>) -> Form {
        self.says = says.into();
        self
    }

    /// Meant so.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Form {
        self.tone = tone;
        self
    }

    /// With a field more.
    #[must_use]
    pub fn field(mut self, field: Field) -> Form {
        self.fields.push(field);
        self
    }
}
