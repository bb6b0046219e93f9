//! What the text of a function mentions.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// On what a method is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// `self`.
    Itself,
    /// A variable.
    Variable(String),
    /// The last field before the dot; a number where it has no name.
    Field(String),
    /// What a function of a type returned: `Type::new(..)`.
    Made(String),
    /// What another call returned, or anything else.
    Unknown,
}

/// Something that may be a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mention {
    /// `receiver.name(...)`.
    Method {
        /// The method.
        name: String,
        /// How many arguments, where that can be counted.
        arguments: Option<usize>,
        /// On what.
        receiver: Receiver,
    },
    /// `qualifier::name`, called or handed on.
    Path {
        /// What stands before the last `::`.
        qualifier: Option<String>,
        /// The last part.
        name: String,
    },
}

/// All of them, in order.
pub(crate) fn mentions(text: TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    scan(text, &mut found);
    found
}

fn scan(text: TokenStream, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = text.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(dot) if dot.as_char() == '.' => {
                if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                    let after = past_generics(&tokens, at + 2);
                    if let Some(TokenTree::Group(group)) = tokens.get(after)
                        && group.delimiter() == Delimiter::Parenthesis
                    {
                        found.push(Mention::Method {
                            name: name.to_string(),
                            arguments: count(group.stream()),
                            receiver: receiver(&tokens[..at]),
                        });
                    }
                    at += 1;
                }
            }
            TokenTree::Ident(_) => at = path(&tokens, at, found),
            TokenTree::Group(group) => scan(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at += 1;
    }
}

/// Reads `a::b::c` from its first name; answers the place of its last.
fn path(tokens: &[TokenTree], from: usize, found: &mut Vec<Mention>) -> usize {
    let mut names = vec![tokens[from].to_string()];
    let mut at = from;
    while is_colons(tokens, at + 1) {
        let next = past_generics(tokens, at + 1);
        // `Vec::<u8>::new`: the generics lie between.
        let next = if next > at + 1 && is_colons(tokens, next) { next } else { at + 1 };
        match tokens.get(next + 2) {
            Some(TokenTree::Ident(name)) => {
                names.push(name.to_string());
                at = next + 2;
            }
            _ => break,
        }
    }
    let name = names.pop().unwrap_or_default();
    found.push(Mention::Path { qualifier: names.pop(), name });
    at
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// Behind `::<...>`, if there is one.
fn past_generics(tokens: &[TokenTree], from: usize) -> usize {
    let is = |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == wanted);
    if !(is_colons(tokens, from) && is(from + 2, '<')) {
        return from;
    }
    let (mut depth, mut at) = (0_usize, from + 2);
    while at < tokens.len() {
        if is(at, '<') {
            depth += 1;
        }
        if is(at, '>') && !is(at - 1, '-') {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
        at += 1;
    }
    from
}

/// What stands before a dot.
fn receiver(before: &[TokenTree]) -> Receiver {
    match before {
        [.., TokenTree::Punct(dot), TokenTree::Literal(field)] if dot.as_char() == '.' => Receiver::Field(field.to_string()),
        [.., TokenTree::Punct(dot), TokenTree::Ident(field)] if dot.as_char() == '.' && field != "await" => {
            Receiver::Field(field.to_string())
        }
        [.., TokenTree::Punct(dot), TokenTree::Ident(_)] if dot.as_char() == '.' => Receiver::Unknown,
        [.., TokenTree::Ident(name)] if name == "self" => Receiver::Itself,
        [.., TokenTree::Ident(name)] => Receiver::Variable(name.to_string()),
        // `journal.clone().open(..)`: the copy is what it is a copy of.
        [rest @ .., TokenTree::Punct(dot), TokenTree::Ident(copy), TokenTree::Group(_)]
            if dot.as_char() == '.' && ["clone", "as_ref"].contains(&copy.to_string().as_str()) =>
        {
            receiver(rest)
        }
        [.., TokenTree::Ident(of), TokenTree::Punct(colon), TokenTree::Punct(_), TokenTree::Ident(_), TokenTree::Group(_)]
            if colon.as_char() == ':' && of.to_string().starts_with(|c: char| c.is_ascii_uppercase()) =>
        {
            Receiver::Made(of.to_string())
        }
        _ => Receiver::Unknown,
    }
}

/// How many arguments; none where closures or generics hide commas.
fn count(arguments: TokenStream) -> Option<usize> {
    let (mut commas, mut last_is_comma, mut empty) = (0, false, true);
    for token in arguments {
        empty = false;
        last_is_comma = false;
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                ',' => {
                    commas += 1;
                    last_is_comma = true;
                }
                '|' | '<' => return None,
                _ => {}
            }
        }
    }
    Some(if empty { 0 } else { commas + usize::from(!last_is_comma) })
}
