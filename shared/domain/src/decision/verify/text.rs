//! Words of another server, made harmless for our table, logs and pages.

use crate::decision::DecisionAnswer;

/// The longest sentence that is kept, in characters.
pub(super) const SENTENCE_MAX: usize = 500;
/// How many sentences of a list are kept.
const SENTENCES_MAX: usize = 50;
/// The longest name of an engine, in characters.
const ENGINE_MAX: usize = 100;

/// A text without control characters and marks that turn the direction of writing, at most `max` characters long.
pub fn harmless(text: &str, max: usize) -> String {
    let mut kept: String = text.chars().map(|c| if tricky(c) { ' ' } else { c }).take(max).collect();
    if text.chars().nth(max).is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

fn tricky(c: char) -> bool {
    // Bidirectional marks, zero-width characters, line and paragraph separators, tags.
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn sentence(text: &mut String) {
    // Most are fine as they are.
    if text.len() > SENTENCE_MAX || text.chars().any(tricky) {
        *text = harmless(text, SENTENCE_MAX);
    }
}

/// Cleans a list of sentences.
pub(super) fn sentences(texts: &mut Vec<String>) {
    texts.truncate(SENTENCES_MAX);
    texts.iter_mut().for_each(sentence);
}

/// Cleans every text of an answer that is not an identifier.
pub(super) fn clean(answer: &mut DecisionAnswer) {
    answer.engine = harmless(&answer.engine, ENGINE_MAX);
    sentences(&mut answer.reasons);
    sentences(&mut answer.rejected);
    answer.execution_plan.iter_mut().for_each(|step| sentence(&mut step.why));
    for untouched in &mut answer.untouched {
        sentence(&mut untouched.why);
        untouched.object.iter_mut().for_each(sentence);
    }
}
