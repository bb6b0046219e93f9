//! Drawings: shapes with classes, texts escaped. No styles: the stylesheet has them.

use std::fmt::Write;

/// A drawing that grows.
pub struct Svg {
    width: u32,
    height: u32,
    body: String,
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// To a tenth, and no longer than it needs to be: a heat map has hundreds of boxes.
fn short(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Svg {
    /// An empty one of this size.
    pub fn new(width: u32, height: u32) -> Svg {
        Svg { width, height, body: String::new() }
    }

    // Writing into a String cannot fail.
    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(shape);
    }

    /// A box, with words for whoever points at it.
    pub fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), title: &str) {
        let ((x, y), (w, h)) = (at, (size.0.max(0.0), size.1.max(0.0)));
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escaped(title)) };
        let [x, y, w, h] = [x, y, w, h].map(short);
        self.add(format_args!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\">{title}</rect>"));
    }

    /// A line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.add(format_args!("<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>", from.0, from.1, to.0, to.1));
    }

    /// A dot.
    pub fn dot(&mut self, class: &str, at: (f64, f64), radius: f64, title: &str) {
        self.add(format_args!(
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"><title>{}</title></circle>",
            at.0,
            at.1,
            escaped(title)
        ));
    }

    /// Words.
    pub fn text(&mut self, class: &str, at: (f64, f64), text: &str) {
        self.add(format_args!("<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", at.0, at.1, escaped(text)));
    }

    /// The drawing. Whoever does not see it is told in words by the part of the page that it stands in.
    pub fn finish(self) -> String {
        format!(
            "<svg viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" aria-hidden=\"true\">{2}</svg>",
            self.width, self.height, self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_written_into_a_drawing_becomes_a_part_of_it() {
        let mut svg = Svg::new(1, 1);
        svg.text("q", (0.0, 0.0), "<script>\"&'");
        svg.rect("one", (0.0, 0.0), (1.0, 1.0), "</title><b>");
        let text = svg.finish();
        assert!(text.contains("&lt;script&gt;&quot;&amp;&#39;") && !text.contains("<script") && !text.contains("<b>"), "{text}");
    }
}
