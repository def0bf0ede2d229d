//! Parses key templates: `CUSTOMER#{customer_id}`, `{n:020}`.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::{Ident, LitStr};

pub(crate) struct Template {
    pub(crate) literal: LitStr,
    pub(crate) segments: Vec<Segment>,
}

#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) enum Segment {
    Text(String),
    /// `width` is the number of digits that an integer is padded to with zeros; 0 for no padding.
    Field {
        field: Ident,
        width: usize,
    },
}

/// A DynamoDB number has at most 38 digits, so no template needs more.
const MAX_WIDTH: usize = 1000;

impl Template {
    pub(crate) fn parse(literal: LitStr) -> syn::Result<Self> {
        let segments = segments(&literal.value(), literal.span())
            .map_err(|message| syn::Error::new(literal.span(), message))?;
        Ok(Self { literal, segments })
    }

    /// True if the template pads the field.
    pub(crate) fn pads(&self, ident: &Ident) -> bool {
        let pads =
            |segment: &Segment| matches!(segment, Segment::Field { field, width: 1.. } if field == ident);
        self.segments.iter().any(pads)
    }

    /// The fields in the template, each once.
    pub(crate) fn fields(&self) -> Vec<&Ident> {
        let mut fields: Vec<&Ident> = Vec::new();
        for segment in &self.segments {
            if let Segment::Field { field, .. } = segment
                && !fields.contains(&field)
            {
                fields.push(field);
            }
        }
        fields
    }
}

fn segments(text: &str, span: Span) -> Result<Vec<Segment>, String> {
    if text.is_empty() {
        return Err(
            "a key cannot be empty: write text with fields in it, such as \"CUSTOMER#{customer_id}\"".into(),
        );
    }
    let mut segments = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        fixed.push_str(before);
        if brace.starts_with("{{") || brace.starts_with("}}") {
            let (one, both) = (brace.get(..1), brace.get(2..));
            fixed.push_str(one.unwrap_or_default());
            rest = both.unwrap_or_default();
        } else if let Some(inside) = brace.strip_prefix('{') {
            let Some((inside, after)) = inside.split_once('}') else {
                return Err(format!(
                    "`{{{inside}` is not closed: write `{{{}}}`, or `{{{{` for a brace in the text",
                    inside.trim()
                ));
            };
            if !fixed.is_empty() {
                segments.push(Segment::Text(std::mem::take(&mut fixed)));
            }
            segments.push(placeholder(inside, span)?);
            rest = after;
        } else {
            return Err("a `}` without its `{`: write `}}` for a brace in the text".into());
        }
    }
    fixed.push_str(rest);
    if !fixed.is_empty() {
        segments.push(Segment::Text(fixed));
    }
    // `dynorm::key::Template` refuses the same, with shorter messages.
    for pair in segments.windows(2) {
        if let [Segment::Field { field, .. }, Segment::Text(text)] = pair
            && text.starts_with('\\')
        {
            return Err(format!(
                "`\\` after `{{{field}}}` is the escape character of values, so different values could make \
                the same key: put other text such as `#` after it"
            ));
        }
        if let [Segment::Field { field, width: 0 }, Segment::Field { .. }] = pair {
            return Err(format!(
                "nothing ends `{{{field}}}`, so different values could make the same key: put text such as \
                `#` after it"
            ));
        }
    }
    Ok(segments)
}

fn placeholder(inside: &str, span: Span) -> Result<Segment, String> {
    let (name, format) = match inside.split_once(':') {
        Some((name, format)) => (name.trim(), Some(format.trim())),
        None => (inside.trim(), None),
    };
    // A field named by a keyword is `r#type` in the struct and `{type}` here.
    let field = Ident::parse_any.parse_str(name).map_err(|_| {
        format!(
            "`{{{inside}}}` is not a field: write its name, such as `{{customer_id}}`, or `{{{{` for a \
            brace in the text"
        )
    })?;
    let width = match format {
        None => 0,
        Some(format) => {
            let width = format.strip_prefix('0').and_then(|width| width.parse().ok());
            width.filter(|width| (1..=MAX_WIDTH).contains(width)).ok_or_else(|| {
                format!(
                    "`:{format}` is not a width: write `{{{name}:020}}` to pad a number with zeros to \
                    20 digits"
                )
            })?
        }
    };
    Ok(Segment::Field { field: Ident::new(&field.unraw().to_string(), span), width })
}

#[cfg(test)]
mod tests {
    use super::{Segment, segments};
    use proc_macro2::Span;
    use syn::Ident;

    fn parse(text: &str) -> Result<Vec<Segment>, String> {
        segments(text, Span::call_site())
    }

    fn text(text: &str) -> Segment {
        Segment::Text(text.to_owned())
    }

    fn field(name: &str, width: usize) -> Segment {
        Segment::Field { field: Ident::new(name, Span::call_site()), width }
    }

    #[test]
    fn texts_fields_and_widths() {
        assert_eq!(parse("{id}"), Ok(vec![field("id", 0)]));
        assert_eq!(parse("fixed"), Ok(vec![text("fixed")]));
        assert_eq!(
            parse("A#{a}#{ b : 020 }é"),
            Ok(vec![text("A#"), field("a", 0), text("#"), field("b", 20), text("é")])
        );
        assert_eq!(parse("{a:05}{b}"), Ok(vec![field("a", 5), field("b", 0)]));
        assert_eq!(parse("{type}#{r#type}"), Ok(vec![field("type", 0), text("#"), field("type", 0)]));
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(parse("{{{a}}}"), Ok(vec![text("{"), field("a", 0), text("}")]));
        assert_eq!(parse("{{a}}"), Ok(vec![text("{a}")]));
        assert_eq!(parse("}}{{"), Ok(vec![text("}{")]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (template, message) in [
            ("", "cannot be empty"),
            ("A#{id", "`{id` is not closed: write `{id}`"),
            ("A#{", "is not closed"),
            ("A#}", "a `}` without its `{`"),
            ("{a}}", "a `}` without its `{`"),
            ("{}", "`{}` is not a field"),
            ("{a.b}", "`{a.b}` is not a field"),
            ("{1}", "`{1}` is not a field"),
            ("{a{b}", "`{a{b}` is not a field"),
            ("{a}{b}", "nothing ends `{a}`"),
            ("{a}\\{b}", "`\\` after `{a}` is the escape"),
            ("{a:05}\\", "`\\` after `{a}` is the escape"),
            ("{a:}", "`:` is not a width"),
            ("{a:5}", "`:5` is not a width: write `{a:020}`"),
            ("{a:0}", "is not a width"),
            ("{a:09999}", "is not a width"),
            ("{a:0x}", "is not a width"),
        ] {
            let error = parse(template).unwrap_err();
            assert!(error.contains(message), "{template:?}: {error}");
        }
    }
}
