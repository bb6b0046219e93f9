//! The rules of the house, as tests: what lints and the compiler cannot see.

mod calls;
mod desks;
mod documents;
mod environment;
mod layers;
mod modules;
mod permissions;
mod policies;
mod rights;
mod template;
mod tree;
mod watched;
mod words;
