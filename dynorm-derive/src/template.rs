//! The templates of keys: `CUSTOMER#{customer_id}`, `{n:020}`.

use proc_macro2::Span;
use syn::{Ident, LitStr};

pub(crate) struct Template {
    pub(crate) literal: LitStr,
    pub(crate) segments: Vec<Segment>,
}

pub(crate) enum Segment {
    Text(String),
    Field { field: Ident, width: usize },
}

impl Template {
    pub(crate) fn parse(literal: LitStr) -> syn::Result<Self> {
        let text = literal.value();
        let error = |message: &str| Err(syn::Error::new(literal.span(), message));
        if text.is_empty() {
            return error(
                "a key cannot be empty: write a text with fields in it, such as \"CUSTOMER#{customer_id}\"",
            );
        }
        let mut segments = Vec::new();
        let mut fixed = String::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '{' | '}' if rest.peek() == Some(&character) => {
                    rest.next();
                    fixed.push(character);
                }
                '}' => return error("a `}` without its `{`; write `}}` for a brace in the text"),
                '{' => {
                    let inside: String = rest.by_ref().take_while(|character| *character != '}').collect();
                    if !fixed.is_empty() {
                        segments.push(Segment::Text(std::mem::take(&mut fixed)));
                    }
                    segments.push(placeholder(&inside, literal.span())?);
                }
                character => fixed.push(character),
            }
        }
        if !fixed.is_empty() {
            segments.push(Segment::Text(fixed));
        }
        for pair in segments.windows(2) {
            if let [Segment::Field { field, width: 0 }, Segment::Field { .. }] = pair {
                return error(&format!(
                    "nothing ends `{{{field}}}`, so different values could make the same key: put a text such as `#` behind it"
                ));
            }
        }
        Ok(Self { literal, segments })
    }

    /// The fields that stand in it, each once.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Ident> {
        let mut seen: Vec<&Ident> = Vec::new();
        self.segments.iter().filter_map(move |segment| match segment {
            Segment::Field { field, .. } if !seen.contains(&field) => {
                seen.push(field);
                Some(field)
            }
            _ => None,
        })
    }
}

fn placeholder(inside: &str, span: Span) -> syn::Result<Segment> {
    let (name, format) = match inside.split_once(':') {
        Some((name, format)) => (name, Some(format)),
        None => (inside, None),
    };
    let field =
        syn::parse_str::<Ident>(name).map(|ident| Ident::new(&ident.to_string(), span)).map_err(|_| {
            syn::Error::new(
                span,
                format!("`{{{inside}}}` is not a field: write its name, such as `{{customer_id}}`"),
            )
        })?;
    let width = match format {
        None => 0,
        Some(format) => {
            let width = format.strip_prefix('0').and_then(|width| width.parse().ok());
            width.filter(|width| (1..=1000).contains(width)).ok_or_else(|| {
                syn::Error::new(
                    span,
                    format!("`:{format}` is not a width: write `{{{name}:020}}` to fill a number up with zeros to 20 digits"),
                )
            })?
        }
    };
    Ok(Segment::Field { field, width })
}
