//! The grammar of `#[entity(…)]`, `#[attribute(…)]` and `#[projection(…)]`: a list of words, of `word =
//! value`, and of `word(…)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Token, bracketed, ext::IdentExt, parenthesized};

use crate::errors::Errors;
use crate::template::Template;
use crate::words;

/// One entry of the list.
pub(crate) struct Entry {
    pub(crate) word: Ident,
    pub(crate) argument: Argument,
}

pub(crate) enum Argument {
    None,
    Value(Box<Expr>),
    /// `= [a, b]`, for words that take a list.
    Brackets(syn::token::Bracket, TokenStream),
    List(TokenStream),
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = Ident::parse_any(input)?;
        let argument = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if input.peek(syn::token::Bracket) && words::LISTS.iter().any(|known| word == known) {
                let list;
                let bracket = bracketed!(list in input);
                Argument::Brackets(bracket, list.parse()?)
            } else {
                Argument::Value(Box::new(input.parse()?))
            }
        } else if input.peek(syn::token::Paren) {
            let list;
            parenthesized!(list in input);
            Argument::List(list.parse()?)
        } else {
            Argument::None
        };
        Ok(Self { word, argument })
    }
}

impl ToTokens for Entry {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.word.to_tokens(tokens);
        match &self.argument {
            Argument::None => {}
            Argument::Value(value) => value.to_tokens(tokens),
            Argument::Brackets(bracket, list) => bracket.surround(tokens, |tokens| list.to_tokens(tokens)),
            Argument::List(list) => list.to_tokens(tokens),
        }
    }
}

/// The entries of all attributes called `name`.
pub(crate) fn entries(attributes: &[Attribute], name: &str, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        match attribute.parse_args_with(Punctuated::<Entry, Token![,]>::parse_terminated) {
            Ok(list) => entries.extend(list),
            Err(error) => errors.push(error),
        }
    }
    entries
}

impl Entry {
    /// A word that stands alone.
    pub(crate) fn flag(&self, errors: &mut Errors) -> bool {
        match &self.argument {
            Argument::None => true,
            _ => {
                let word = &self.word;
                errors.at(self, format_args!("`{word}` stands alone: write `{word}`"));
                false
            }
        }
    }

    /// `word = "text"`
    pub(crate) fn text(&self, example: &str, errors: &mut Errors) -> Option<LitStr> {
        if let Argument::Value(value) = &self.argument
            && let Some(text) = literal(value)
        {
            return Some(text);
        }
        let word = &self.word;
        errors.at(self, format_args!("`{word}` needs a string: write `{word} = \"{example}\"`"));
        None
    }

    /// `word = Type::CONSTANT`, or a path that starts there: any expression but a literal.
    pub(crate) fn field_path(&self, example: &str, errors: &mut Errors) -> Option<Expr> {
        if let Argument::Value(value) = &self.argument
            && !matches!(ungrouped(value), Expr::Lit(_))
        {
            return Some((**value).clone());
        }
        let word = &self.word;
        errors.at(
            self,
            format_args!("`{word}` needs a field, or a path inside one: write `{word} = {example}`"),
        );
        None
    }

    /// `word = some::path` or `word = "some::path"`
    pub(crate) fn path(&self, example: &str, errors: &mut Errors) -> Option<syn::Path> {
        if let Argument::Value(value) = &self.argument {
            match ungrouped(value) {
                Expr::Path(path) => return Some(path.path.clone()),
                value => {
                    if let Some(path) = literal(value).and_then(|text| text.parse().ok()) {
                        return Some(path);
                    }
                }
            }
        }
        let word = &self.word;
        errors.at(self, format_args!("`{word}` needs a path: write `{word} = {example}`"));
        None
    }

    /// `word = "TEXT#{field}"`
    pub(crate) fn template(&self, example: &str, errors: &mut Errors) -> Option<Template> {
        let literal = self.text(example, errors)?;
        Template::parse(literal).map_err(|error| errors.push(error)).ok()
    }

    /// `word = ["a", "b"]`
    pub(crate) fn texts(&self, example: &str, errors: &mut Errors) -> Option<Vec<LitStr>> {
        let texts = self.list::<LitStr>();
        if texts.is_none() {
            let word = &self.word;
            errors.at(
                self,
                format_args!(
                    "`{word}` needs a list of strings: write `{word} = \
                [\"{example}\"]`"
                ),
            );
        }
        texts
    }

    /// The elements in the brackets, if there is at least one and each is a `T`.
    fn list<T: Parse>(&self) -> Option<Vec<T>> {
        let Argument::Brackets(_, list) = &self.argument else { return None };
        let parser = Punctuated::<T, Token![,]>::parse_terminated;
        let list: Vec<T> = syn::parse::Parser::parse2(parser, list.clone()).ok()?.into_iter().collect();
        (!list.is_empty()).then_some(list)
    }

    /// `word = [a, b]`: a list of fields, in order.
    pub(crate) fn fields(&self, example: &str, errors: &mut Errors) -> Option<Vec<Ident>> {
        if let Some(fields) = self.list() {
            return Some(fields);
        }
        let word = &self.word;
        errors.at(self, format_args!("`{word}` needs a list of fields: write `{word} = [{example}]`"));
        None
    }

    /// True for `word = …`.
    pub(crate) fn has_value(&self) -> bool {
        matches!(&self.argument, Argument::Value(_) | Argument::Brackets(..))
    }

    /// True for `word(…)`.
    pub(crate) fn has_options(&self) -> bool {
        matches!(&self.argument, Argument::List(_))
    }

    /// True for `word = […]`.
    pub(crate) fn is_list(&self) -> bool {
        matches!(&self.argument, Argument::Brackets(..))
    }

    /// `word(option, option = "text")`
    pub(crate) fn options(&self, errors: &mut Errors) -> Vec<Entry> {
        let Argument::List(list) = &self.argument else { return Vec::new() };
        let options =
            syn::parse::Parser::parse2(Punctuated::<Entry, Token![,]>::parse_terminated, list.clone());
        match options {
            Ok(options) => options.into_iter().collect(),
            Err(error) => {
                errors.push(error);
                Vec::new()
            }
        }
    }

    /// `word("name", option, option = "text")`, or with only a name `word = "name"`.
    pub(crate) fn named(&self, example: &str, errors: &mut Errors) -> Option<(LitStr, Vec<Entry>)> {
        match &self.argument {
            Argument::Value(_) | Argument::Brackets(..) => Some((self.text(example, errors)?, Vec::new())),
            Argument::List(list) => {
                let parser = |input: ParseStream<'_>| name_and_options(&self.word, example, input);
                match syn::parse::Parser::parse2(parser, list.clone()) {
                    Ok(named) => Some(named),
                    Err(error) => {
                        errors.push(error);
                        None
                    }
                }
            }
            Argument::None => {
                let word = &self.word;
                errors.at(self, format_args!("`{word}` needs a name: write `{word} = \"{example}\"`"));
                None
            }
        }
    }
}

/// The path of the runtime crate without `crate = …`.
pub(crate) fn default_door() -> syn::Path {
    syn::parse_quote!(::dynorm)
}

/// The words that may be given only once, as they are met.
#[derive(Default)]
pub(crate) struct Once(Vec<String>);

impl Once {
    pub(crate) fn first(&mut self, word: &Ident, errors: &mut Errors) -> bool {
        let text = word.unraw().to_string();
        if self.0.contains(&text) {
            errors.at(word, format_args!("`{text}` is given twice: remove one of the two"));
            return false;
        }
        self.0.push(text);
        true
    }
}

fn name_and_options(
    word: &Ident,
    example: &str,
    input: ParseStream<'_>,
) -> syn::Result<(LitStr, Vec<Entry>)> {
    let name: LitStr = input.parse().map_err(|error| {
        let message = format!("the name comes first, as a string: write `{word}(\"{example}\", …)`");
        syn::Error::new(error.span(), message)
    })?;
    if input.is_empty() {
        return Ok((name, Vec::new()));
    }
    input.parse::<Token![,]>()?;
    let options = Punctuated::<Entry, Token![,]>::parse_terminated(input)?;
    Ok((name, options.into_iter().collect()))
}

fn literal(expression: &Expr) -> Option<LitStr> {
    match ungrouped(expression) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

/// Removes the invisible group around what a `macro_rules!` macro passed on.
fn ungrouped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungrouped(&group.expr),
        expression => expression,
    }
}

/// Reports an unknown word, with the nearest known one.
pub(crate) fn unknown(word: &Ident, known: &[&str], of: &str, errors: &mut Errors) {
    let text = word.unraw().to_string();
    let hint = match nearest(&text, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; {of} takes {}", list(known)),
    };
    errors.at(word, format_args!("unknown attribute `{text}`{hint}"));
}

/// The known word nearest to `word`, if one is near enough.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let (near, distance) =
        known.iter().map(|known| (*known, distance(word, known))).min_by_key(|(_, d)| *d)?;
    (distance <= near.len().max(word.len()).max(3) / 3).then_some(near)
}

/// The number of letters to insert, remove, change or swap with their neighbour to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Rows of the distance table, for the prefixes of `a` and `b`: two rows above, one row above, and this
    // one.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut line = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let at = |line: &[usize], j: usize| line.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best = at(&above, j) + usize::from(left != right);
            best = best.min(at(&above, j + 1) + 1).min(at(&line, j) + 1);
            if let (Some(i), Some(j)) = (i.checked_sub(1), j.checked_sub(1))
                && a.get(i) == Some(right)
                && b.get(j) == Some(left)
            {
                best = best.min(at(&before, j) + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

/// "`a`, `b` and `c`"
pub(crate) fn list<T: std::fmt::Display>(words: &[T]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{distance, list, nearest};

    #[test]
    fn the_distance_counts_letters() {
        for (a, b, letters) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("table", "table", 0),
            ("tabel", "table", 1),
            ("tble", "table", 1),
            ("taable", "table", 1),
            ("tible", "table", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), letters, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["id", "index", "partition", "created_at", "skip"];
        assert_eq!(nearest("partiton", &known), Some("partition"));
        assert_eq!(nearest("idnex", &known), Some("index"));
        assert_eq!(nearest("create_at", &known), Some("created_at"));
        assert_eq!(nearest("di", &known), Some("id"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(list::<&str>(&[]), "nothing");
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
