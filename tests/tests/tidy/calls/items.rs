//! The functions of the house, from its files.

use super::body::{Mention, Receiver, mentions};
use crate::tree::files;
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use syn::{Attribute, FnArg, ImplItem, Item, Signature, TraitItem, Type, UseTree, Visibility};

/// A function, a constant or a method.
#[derive(Debug)]
pub(crate) struct Function {
    /// The crate: the folder under `shared/` or `functions/`.
    pub(crate) krate: String,
    /// The file.
    pub(crate) file: String,
    /// The type whose method it is, or the trait whose default it is.
    pub(crate) of: Option<String>,
    /// The trait that it implements or belongs to.
    pub(crate) of_trait: Option<String>,
    /// Whether that trait is one of the ports.
    pub(crate) of_port: bool,
    /// Whether that trait is none of ours.
    pub(crate) of_foreign_trait: bool,
    /// Its name.
    pub(crate) name: String,
    arguments: usize,
    /// What names the types of its parameters have.
    parameters: BTreeMap<String, BTreeSet<String>>,
    is_method: bool,
    /// Files that may call it begin so.
    visible_in: String,
    /// What its text mentions.
    pub(crate) mentions: Vec<Mention>,
}

impl Function {
    /// `crate::Type::name`.
    pub(crate) fn full(&self) -> String {
        let of = self.of.iter().map(|of| format!("{of}::")).collect::<String>();
        format!("{}::{of}{}", self.krate, self.name)
    }

    /// `Trait::name`.
    pub(crate) fn title(&self) -> String {
        format!("{}::{}", self.of_trait.as_deref().unwrap_or_default(), self.name)
    }

    /// Whether a parameter's type ends so.
    pub(crate) fn takes(&self, end: &str) -> bool {
        self.parameters.values().flatten().any(|of| of.ends_with(end))
    }

    /// The service of a client in this file.
    pub(crate) fn service(&self, client: &str) -> String {
        match (client, self.file.rsplit('/').next().unwrap_or_default()) {
            ("ec2", _) => "ec2",
            ("scaling", _) => "autoscaling",
            ("balancers" | "classic", _) => "elasticloadbalancing",
            (_, "queue.rs" | "mailboxes.rs") => "sqs",
            (_, "eks_directory.rs") => "eks",
            (_, "role.rs") => "sts",
            (_, "vault.rs") => "kms",
            (_, "price_list.rs") => "pricing",
            (_, "mail.rs") => "ses",
            _ if self.file.contains("/store/") => "dynamodb",
            (_, file) => panic!("say in tidy/calls/items.rs which service the client in {file} calls"),
        }
        .to_owned()
    }
}

/// All functions, and what is known of names.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The functions.
    pub(crate) functions: Vec<Function>,
    by_name: BTreeMap<String, Vec<usize>>,
    /// Types and traits, by crate.
    types: BTreeSet<(String, String)>,
    /// Traits of the house, each with the crates that declare one of that name.
    traits: BTreeMap<String, BTreeSet<String>>,
    /// The traits that a trait stands on.
    supertraits: BTreeMap<String, BTreeSet<String>>,
    /// What each crate may name.
    reach: BTreeMap<String, BTreeSet<String>>,
    /// Names that a file imports, each with the path before it.
    imports: BTreeMap<(String, String), Vec<String>>,
    /// What types fields of a name have: in a file, in a crate, anywhere.
    fields: BTreeMap<(String, String), BTreeSet<String>>,
    /// Types and traits that a crate names anywhere.
    known: BTreeSet<(String, String)>,
    /// Other names of types, by crate.
    aliases: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Index {
    /// From all files that run in production.
    pub(crate) fn read() -> Index {
        let mut index = Index::default();
        for file in files(&[".rs"]).into_iter().filter(|file| !file.is_test()) {
            let parts: Vec<&str> = file.path.split('/').collect();
            let ["shared" | "functions", krate, "src", ..] = parts.as_slice() else { continue };
            if ["sim", "local"].contains(krate) {
                continue;
            }
            let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
            if !index.reach.contains_key(*krate) {
                index.reach.insert((*krate).to_owned(), super::dependencies(parts[0], krate, true));
            }
            index.items(krate, &file.path, parsed.items);
        }
        for at in 0..index.functions.len() {
            let function = &mut index.functions[at];
            function.of_foreign_trait = function.of_trait.as_ref().is_some_and(|name| !index.traits.contains_key(name));
            index.by_name.entry(function.name.clone()).or_default().push(at);
        }
        assert!(index.functions.len() > 1_000, "the files have another shape than tidy/calls reads");
        index
    }

    /// Whether a crate declares a type.
    pub(crate) fn declares(&self, krate: &str, name: &str) -> bool {
        self.types.contains(&(krate.to_owned(), name.to_owned()))
    }

    fn items(&mut self, krate: &str, file: &str, items: Vec<Item>) {
        for item in items {
            match item {
                Item::Fn(item) if !is_test(&item.attrs) => {
                    self.add(krate, file, None, None, &item.vis, &item.sig, item.block.to_token_stream());
                }
                Item::Const(item) => self.value(krate, file, None, &item.ident.to_string(), item.expr.to_token_stream()),
                Item::Static(item) => self.value(krate, file, None, &item.ident.to_string(), item.expr.to_token_stream()),
                Item::Mod(item) if !is_test(&item.attrs) => {
                    self.items(krate, file, item.content.map(|(_, items)| items).unwrap_or_default())
                }
                Item::Use(item) => self.import(file, Vec::new(), &item.tree),
                Item::Struct(item) => {
                    self.types.insert((krate.to_owned(), item.ident.to_string()));
                    for (at, field) in item.fields.iter().enumerate() {
                        let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
                        let types = self.names_in(krate, &field.ty);
                        for scope in [file, krate, ""] {
                            self.fields.entry((scope.to_owned(), name.clone())).or_default().extend(types.clone());
                        }
                    }
                }
                Item::Type(item) => {
                    let types = self.names_in(krate, &item.ty);
                    self.aliases.insert((krate.to_owned(), item.ident.to_string()), types);
                }
                Item::Enum(item) => {
                    self.types.insert((krate.to_owned(), item.ident.to_string()));
                }
                Item::Trait(item) => {
                    let name = item.ident.to_string();
                    self.types.insert((krate.to_owned(), name.clone()));
                    let mut below = BTreeSet::new();
                    names(item.supertraits.to_token_stream(), &mut below);
                    self.supertraits.entry(name.clone()).or_default().extend(below.into_iter().map(|one| format!("dyn {one}")));
                    self.traits.entry(name.clone()).or_default().insert(krate.to_owned());
                    for member in item.items {
                        let TraitItem::Fn(member) = member else { continue };
                        let body = member.default.map(|block| block.to_token_stream()).unwrap_or_default();
                        self.add(krate, file, Some(&name), Some(&name), &Visibility::Inherited, &member.sig, body);
                    }
                }
                Item::Impl(item) if !is_test(&item.attrs) => {
                    let of = last_name(&item.self_ty);
                    let of_trait = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).map(|last| last.ident.to_string());
                    for member in item.items {
                        match member {
                            ImplItem::Fn(member) => {
                                let body = member.block.to_token_stream();
                                self.add(krate, file, Some(&of), of_trait.as_deref(), &member.vis, &member.sig, body);
                            }
                            ImplItem::Const(member) => {
                                self.value(krate, file, Some(&of), &member.ident.to_string(), member.expr.to_token_stream());
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one function, straight from the parser")]
    fn add(
        &mut self,
        krate: &str,
        file: &str,
        of: Option<&str>,
        of_trait: Option<&str>,
        vis: &Visibility,
        sig: &Signature,
        body: impl ToTokens,
    ) {
        let mut is_method = false;
        let mut parameters = BTreeMap::new();
        self.names_in(krate, &sig.output);
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(_) => is_method = true,
                FnArg::Typed(typed) => {
                    if let syn::Pat::Ident(name) = &*typed.pat {
                        parameters.insert(name.ident.to_string(), self.names_in(krate, &typed.ty));
                    }
                }
            }
        }
        self.functions.push(Function {
            krate: krate.to_owned(),
            file: file.to_owned(),
            of: of.map(str::to_owned),
            of_trait: of_trait.map(str::to_owned),
            of_port: of_trait.is_some() && (file.starts_with("shared/domain/src/ports") || ["aws", "ec2"].contains(&krate)),
            of_foreign_trait: false,
            name: sig.ident.to_string(),
            arguments: sig.inputs.len() - usize::from(is_method),
            parameters,
            is_method,
            visible_in: if of_trait.is_some() { String::new() } else { visible_in(file, vis) },
            mentions: mentions(body.to_token_stream()),
        });
    }

    fn value(&mut self, krate: &str, file: &str, of: Option<&str>, name: &str, body: proc_macro2::TokenStream) {
        self.functions.push(Function {
            krate: krate.to_owned(),
            file: file.to_owned(),
            of: of.map(str::to_owned),
            of_trait: None,
            of_port: false,
            of_foreign_trait: false,
            name: name.to_owned(),
            arguments: 0,
            parameters: BTreeMap::new(),
            is_method: false,
            visible_in: String::new(),
            mentions: mentions(body),
        });
    }

    fn import(&mut self, file: &str, mut before: Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(file, before, &path.tree);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(file, before.clone(), tree)),
            UseTree::Name(name) => {
                let krate = file.split('/').nth(1).unwrap_or_default();
                self.known.insert((krate.to_owned(), name.ident.to_string()));
                self.imports.insert((file.to_owned(), name.ident.to_string()), before);
            }
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }

    /// All names in a type count: `Arc<dyn Journal>` may be an `Arc` and a `Journal`.
    fn names_in(&mut self, krate: &str, of: &impl ToTokens) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        names(of.to_token_stream(), &mut all);
        self.known.extend(all.iter().map(|one| (krate.to_owned(), one.trim_start_matches("dyn ").to_owned())));
        all
    }

    /// What types a receiver may have; none where that cannot be told.
    fn types_of(&self, by: &Function, receiver: &Receiver) -> Option<BTreeSet<String>> {
        let types = match receiver {
            Receiver::Itself if by.of == by.of_trait => by.of.iter().map(|of| format!("dyn {of}")).collect(),
            Receiver::Itself => by.of.iter().cloned().collect(),
            Receiver::Made(of) if of == "Self" => by.of.iter().cloned().collect(),
            Receiver::Made(of) => BTreeSet::from([of.clone()]),
            Receiver::Variable(name) => by.parameters.get(name)?.clone(),
            Receiver::Field(name) => {
                let scopes = [by.file.as_str(), by.krate.as_str(), ""].into_iter();
                scopes.flat_map(|scope| self.fields.get(&(scope.to_owned(), name.clone()))).next()?.clone()
            }
            Receiver::Unknown => return None,
        };
        let other = |name: &String| {
            self.aliases
                .get(&(by.krate.clone(), name.clone()))
                .into_iter()
                .chain(self.supertraits.get(name.trim_start_matches("dyn ")))
                .flatten()
        };
        let more: Vec<String> = types.iter().flat_map(other).cloned().collect();
        Some(types.into_iter().chain(more).collect())
    }

    /// Whether a crate can call this: it is built on its crate, or on the crate of a trait that stands before it.
    fn can_name(&self, krate: &str, called: &Function) -> bool {
        let built_on = |other: &String| krate == other || self.reach.get(krate).is_some_and(|reach| reach.contains(other));
        built_on(&called.krate)
            || called.of_trait.as_ref().and_then(|name| self.traits.get(name)).is_some_and(|homes| homes.iter().any(built_on))
    }

    /// Whether the crate of a caller has anything of a type or trait, or of a trait that stands on it: in a field, in a parameter or
    /// imported.
    fn knows(&self, by: &Function, called: &Function) -> bool {
        let named = |name: &String| self.known.contains(&(by.krate.clone(), name.clone()));
        let above = |name: &String| {
            let below = format!("dyn {name}");
            self.supertraits.iter().any(|(upper, lower)| lower.contains(&below) && named(upper))
        };
        let mut names = [&called.of, &called.of_trait].into_iter().flatten();
        !called.of_port || by.krate == called.krate || names.any(|name| named(name) || above(name))
    }

    /// Which functions a mention may mean, among those of these crates.
    pub(crate) fn resolve(&self, by: &Function, mention: &Mention, crates: &BTreeSet<String>) -> Vec<usize> {
        let name = match mention {
            Mention::Method { name, .. } | Mention::Path { name, .. } => name,
        };
        let same = self.by_name.get(name).into_iter().flatten().copied();
        let built = same.filter(|at| crates.contains(&self.functions[*at].krate) && self.can_name(&by.krate, &self.functions[*at]));
        match mention {
            Mention::Method { arguments, receiver, .. } => {
                let fits = |f: &Function| {
                    f.is_method
                        && arguments.is_none_or(|n| n == f.arguments)
                        && by.file.starts_with(&f.visible_in)
                        && f.of_trait.as_ref().is_none_or(|t| self.traits.contains_key(t))
                };
                let is = |f: &Function, one: &String| match one.strip_prefix("dyn ") {
                    Some(name) => f.of_trait.as_deref() == Some(name),
                    None => f.of.as_ref() == Some(one),
                };
                let types = self.types_of(by, receiver);
                let may = |f: &Function| types.as_ref().map_or_else(|| self.knows(by, f), |types| types.iter().any(|one| is(f, one)));
                built.filter(|at| fits(&self.functions[*at]) && may(&self.functions[*at])).collect()
            }
            Mention::Path { qualifier: None, .. } => {
                let free: Vec<usize> = built.filter(|at| self.functions[*at].of.is_none()).collect();
                let here: Vec<usize> = free.iter().filter(|at| self.functions[**at].file == by.file).copied().collect();
                match self.imports.get(&(by.file.clone(), name.clone())) {
                    Some(path) if here.is_empty() => self.within(by, path, free),
                    Some(_) | None => here,
                }
            }
            Mention::Path { qualifier: Some(qualifier), .. } => {
                let qualifier = if qualifier == "Self" { by.of.as_deref().unwrap_or_default() } else { qualifier };
                let of = |at: &usize| {
                    let f = &self.functions[*at];
                    f.of.as_deref() == Some(qualifier) || f.of_trait.as_deref() == Some(qualifier)
                };
                if qualifier.starts_with(|c: char| c.is_ascii_uppercase()) {
                    return built.filter(of).collect();
                }
                let free: Vec<usize> = built.filter(|at| self.functions[*at].of.is_none()).collect();
                let mut path = self.imports.get(&(by.file.clone(), qualifier.to_owned())).cloned().unwrap_or_default();
                path.push(qualifier.to_owned());
                self.within(by, &path, free)
            }
        }
    }

    /// Those of these functions that a path leads to: in its last module, else, where that hands on what it does not declare, in its crate.
    fn within(&self, by: &Function, path: &[String], free: Vec<usize>) -> Vec<usize> {
        let first = path.first().map_or("", String::as_str);
        let krate = |f: &Function| f.krate.replace('-', "_");
        let foreign = free.iter().any(|at| krate(&self.functions[*at]) == first) && first != by.krate;
        let home = if foreign { first.to_owned() } else { krate(by) };
        let at_home: Vec<usize> = free.into_iter().filter(|at| krate(&self.functions[*at]) == home).collect();
        let last = path.last().map_or("", String::as_str);
        let exact: Vec<usize> = at_home.iter().filter(|at| module(&self.functions[**at]) == last).copied().collect();
        if exact.is_empty() { at_home } else { exact }
    }
}

/// The last part of a function's module.
fn module(function: &Function) -> String {
    let stem = function.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if ["lib", "main"].contains(&stem) { function.krate.replace('-', "_") } else { stem.to_owned() }
}

/// The files from which something in this file can be called begin so.
fn visible_in(file: &str, vis: &Visibility) -> String {
    let module = file.trim_end_matches(".rs");
    match vis {
        Visibility::Public(_) => String::new(),
        Visibility::Restricted(within) if within.path.is_ident("super") => {
            module.rsplit_once('/').map_or("", |(above, _)| above).to_owned()
        }
        Visibility::Restricted(_) => file.split("/src/").next().unwrap_or_default().to_owned(),
        Visibility::Inherited => module.trim_end_matches("/lib").to_owned(),
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|one| one.path().is_ident("test") || (one.path().is_ident("cfg") && one.meta.to_token_stream().to_string().contains("test")))
}

fn last_name(of: &Type) -> String {
    match of {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        Type::Reference(reference) => last_name(&reference.elem),
        _ => String::new(),
    }
}

/// All names in a text; one behind `dyn` or `impl` is that of a trait, and says so.
fn names(text: proc_macro2::TokenStream, found: &mut BTreeSet<String>) {
    let mut behind = String::new();
    for token in text {
        match token {
            proc_macro2::TokenTree::Ident(name) => {
                let name = name.to_string();
                let of_trait = ["dyn", "impl"].contains(&behind.as_str());
                found.insert(if of_trait { format!("dyn {name}") } else { name.clone() });
                behind = name;
            }
            proc_macro2::TokenTree::Group(group) => names(group.stream(), found),
            // `dyn domain::ports::Cluster` ends with the trait.
            proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ':' && found.remove(&format!("dyn {behind}")) => {
                behind = "dyn".to_owned();
            }
            proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Literal(_) => {}
        }
    }
}
