//! Reads a type and its attributes. What is wrong with one attribute is reported and passed over, so that everything else
//! is still read.

mod attribute;
mod case;
mod entity;
mod field;
mod projection;

pub(crate) use attribute::attribute;
pub(crate) use entity::entity;
pub(crate) use projection::projection;

use syn::ext::IdentExt;
use syn::{Ident, Path};

use crate::attr::Entry;
use crate::errors::Errors;
use crate::template::Template;

/// Where the runtime crate is, unless `crate = …` says otherwise.
fn default_door() -> Path {
    syn::parse_quote!(::dynorm)
}

fn template(entry: &Entry, example: &str, errors: &mut Errors) -> Option<Template> {
    let literal = entry.text(example, errors)?;
    Template::parse(literal).map_err(|error| errors.push(error)).ok()
}

/// Words that are given once.
#[derive(Default)]
struct Once(Vec<String>);

impl Once {
    fn first(&mut self, word: &Ident, errors: &mut Errors) -> bool {
        let text = word.unraw().to_string();
        if self.0.contains(&text) {
            errors.at(word, format_args!("`{text}` is given twice: remove one of the two"));
            return false;
        }
        self.0.push(text);
        true
    }
}
