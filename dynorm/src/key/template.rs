//! Keys made of text and fields, such as `ORDER#{id}`: how they are written, and how they are read back.
//!
//! No two combinations of values make the same key, and every key reads back as its values. What ends a value must be told
//! from what is part of it, so the escaped characters (`\`, `#`, and whatever a fixed text behind a field begins with) carry
//! an escape, `\`:
//!
//! - in a value with something behind it the escape stands in front, `a#b` becomes `a\#b`: the value ends at the first such
//!   character without one;
//! - in the value that ends the template it stands behind, `a#b` becomes `a#\b`: so the order of the keys stays that of the
//!   values. Nothing ends this value, but without the escape `USER#{name}` could make the key of `USER#{id}#ORDER#{number}`.
//!
//! A padded number has one length, and needs no escape.

use std::borrow::Cow;

use crate::attribute::Part;
use crate::codec::{Encoder, ValueError, scalar_text};

/// Where the attribute of a key comes from.
#[derive(Clone, Copy, Debug)]
pub enum KeySource {
    /// The field at this position of the table of fields.
    Field(usize),
    /// Text made of fields, stored in an attribute of its own.
    Template(Template),
}

/// A key made of text and fields, such as `ORDER#{id}`.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The attribute that holds it.
    pub attribute: &'static str,
    /// What it is made of, in order.
    pub segments: &'static [Segment],
    /// False if values are written as they are, for keys that others made.
    pub(super) is_escaped: bool,
}

/// A part of a [`Template`].
#[derive(Clone, Copy, Debug)]
pub enum Segment {
    /// Fixed text.
    Text(&'static str),
    /// The field at this position of the table of fields, with zeros in front up to a width (0: as it is).
    Field(usize, usize),
}

impl KeySource {
    /// False for a template whose values are written as they are.
    pub(crate) const fn is_escaped(&self) -> bool {
        match self {
            Self::Field(_) => true,
            Self::Template(template) => template.is_escaped,
        }
    }
}

pub(super) const ESCAPE: char = '\\';

/// Escaped in every template, since it is what separates the parts of keys in most tables: so entities whose templates
/// differ in their fixed text cannot make each other's keys.
pub(super) const SEPARATOR: char = '#';

impl Template {
    /// A template whose values are told apart.
    ///
    /// # Panics
    ///
    /// While the entity is compiled, if the values could not be told apart: the derive macro refuses such a template first.
    #[must_use]
    pub const fn new(attribute: &'static str, segments: &'static [Segment]) -> Self {
        assert!(is_unambiguous(segments), "different values of this template could make the same key");
        Self { attribute, segments, is_escaped: true }
    }

    /// A template whose values are written as they are.
    #[must_use]
    pub const fn unescaped(attribute: &'static str, segments: &'static [Segment]) -> Self {
        Self { attribute, segments, is_escaped: false }
    }

    /// The text for the given fields; `None` if one of them is absent.
    #[doc(hidden)]
    pub fn render<'p>(
        &self,
        field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    ) -> Result<Option<String>, ValueError> {
        let (text, rendered) = self.render_start(field)?;
        Ok((rendered == self.segments.len()).then_some(text))
    }

    /// The reverse of [`render`](Self::render): the texts of the fields, in the order of the template, each with the position
    /// of its field. A text that the template cannot have made is refused.
    #[doc(hidden)]
    pub fn parse(&self, key: &str) -> Result<Vec<(usize, String)>, ValueError> {
        let mut parts: Vec<(usize, String)> = Vec::new();
        let mut rest = key;
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Text(fixed) => rest = rest.strip_prefix(fixed).ok_or_else(|| foreign(self))?,
                Segment::Field(field, width) => {
                    let (value, after) = self.take_value(position, *width, rest)?;
                    if parts.iter().any(|(known, other)| known == field && *other != value) {
                        return Err(foreign(self));
                    }
                    parts.push((*field, value));
                    rest = after;
                }
            }
        }
        if rest.is_empty() { Ok(parts) } else { Err(foreign(self)) }
    }

    /// The fields that it is made of, as positions of the table of fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = usize> + use<> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Field(field, _) => Some(*field),
            Segment::Text(_) => None,
        })
    }

    /// The text up to the first field that is absent, and the number of segments that it stands for.
    pub(crate) fn render_start<'p>(
        &self,
        field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    ) -> Result<(String, usize), ValueError> {
        let mut text = String::new();
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Text(fixed) => text.push_str(fixed),
                Segment::Field(index, _) => {
                    let Some(part) = field(*index).filter(|part| !part.is_absent_part()) else {
                        return Ok((text, position));
                    };
                    self.push_value(&mut text, position, part)?;
                }
            }
        }
        Ok((text, self.segments.len()))
    }

    /// The text of one value, as the segment at `position`.
    pub(crate) fn render_value(&self, position: usize, part: &dyn Part) -> Result<String, ValueError> {
        let mut text = String::new();
        self.push_value(&mut text, position, part)?;
        Ok(text)
    }

    /// True if the values of the segment at `position` are in one order with the texts that they make: `is_fixed` says that
    /// they have one length, `is_text` that they are text.
    pub(crate) fn keeps_order(&self, position: usize, is_fixed: bool, is_text: bool) -> bool {
        let is_last = self.is_last(position);
        match self.segments.get(position) {
            Some(Segment::Field(_, 1..)) => true,
            // An escape in front changes the length, unless the same places are escaped in all values.
            Some(Segment::Field(_, 0)) if is_fixed => {
                is_last || !self.is_escaped || !self.delimiters().any(char::is_alphanumeric)
            }
            Some(Segment::Field(_, 0)) => is_last && is_text,
            _ => false,
        }
    }

    pub(super) fn is_last(&self, position: usize) -> bool {
        position + 1 == self.segments.len()
    }

    /// True for the characters that carry an escape in a value.
    pub(super) fn escapes(&self, character: char) -> bool {
        self.is_escaped
            && (matches!(character, ESCAPE | SEPARATOR)
                || self.delimiters().any(|delimiter| delimiter == character))
    }

    /// The characters that end a value: those that the fixed text behind a field begins with.
    fn delimiters(&self) -> impl Iterator<Item = char> + use<> {
        self.segments.windows(2).filter_map(|pair| match pair {
            [Segment::Field(..), Segment::Text(text)] => text.chars().next(),
            _ => None,
        })
    }

    fn push_value(&self, text: &mut String, position: usize, part: &dyn Part) -> Result<(), ValueError> {
        let mut encoder = Encoder::default();
        part.encode_part(&mut encoder)?;
        let json = encoder.into_bytes();
        let is_number = json.starts_with(br#"{"N""#);
        let value = match json.as_slice() {
            br#"{"BOOL":true}"# => Cow::Borrowed("true"),
            br#"{"BOOL":false}"# => Cow::Borrowed("false"),
            json => scalar_text(json)?,
        };
        let value: &str = if is_number { number_text(&value) } else { &value };
        match self.segments.get(position) {
            Some(Segment::Field(_, width @ 1..)) if is_number => return push_padded(text, value, *width),
            Some(Segment::Field(_, 1..)) => return Err(ValueError::new("only a number can be padded")),
            _ => {}
        }
        let is_last = self.is_last(position);
        for character in value.chars() {
            let is_escaped = self.escapes(character);
            if is_escaped && !is_last {
                text.push(ESCAPE);
            }
            text.push(character);
            if is_escaped && is_last {
                text.push(ESCAPE);
            }
        }
        Ok(())
    }

    /// The value that `text` begins with, and what is behind it.
    fn take_value<'t>(
        &self,
        position: usize,
        width: usize,
        text: &'t str,
    ) -> Result<(String, &'t str), ValueError> {
        if width > 0 {
            let (digits, rest) = text.split_at_checked(width).ok_or_else(|| foreign(self))?;
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(foreign(self));
            }
            let number = digits.trim_start_matches('0');
            return Ok((if number.is_empty() { "0" } else { number }.to_owned(), rest));
        }
        let is_last = self.is_last(position);
        if !self.is_escaped {
            let end = match self.segments.get(position + 1) {
                Some(Segment::Text(fixed)) => text.find(fixed).ok_or_else(|| foreign(self))?,
                _ => text.len(),
            };
            return text
                .split_at_checked(end)
                .map(|(value, rest)| (value.to_owned(), rest))
                .ok_or_else(|| foreign(self));
        }
        let mut value = String::new();
        let mut characters = text.chars();
        loop {
            let rest = characters.as_str();
            let Some(character) = characters.next() else { return Ok((value, rest)) };
            if !self.escapes(character) {
                value.push(character);
            } else if is_last {
                if characters.next() != Some(ESCAPE) {
                    return Err(foreign(self));
                }
                value.push(character);
            } else if character == ESCAPE {
                let escaped = characters.next().filter(|escaped| self.escapes(*escaped));
                value.push(escaped.ok_or_else(|| foreign(self))?);
            } else {
                return Ok((value, rest));
            }
        }
    }
}

/// True if different values always make different keys: a value that is not padded is followed by a fixed text, or by
/// nothing, and no fixed text behind a value begins with the escape.
pub(crate) const fn is_unambiguous(segments: &[Segment]) -> bool {
    let mut position = 0;
    while position + 1 < segments.len() {
        if let Segment::Field(_, width) = segments[position] {
            match segments[position + 1] {
                Segment::Field(..) if width == 0 => return false,
                Segment::Field(..) => {}
                Segment::Text(text) => {
                    let bytes = text.as_bytes();
                    if bytes.is_empty() || bytes[0] == ESCAPE as u8 {
                        return false;
                    }
                }
            }
        }
        position += 1;
    }
    true
}

/// One text for equal numbers, whatever zeros they come with: DynamoDB gives 1.50 back as 1.5, and -0 as 0.
fn number_text(text: &str) -> &str {
    let text = match text.contains('.') && !text.contains(['e', 'E']) {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    if text == "-0" { "0" } else { text }
}

fn push_padded(text: &mut String, value: &str, width: usize) -> Result<(), ValueError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::new(
            "a padded part of a key must be a whole number and not negative, since the order of the texts would not be that of the numbers",
        ));
    }
    if value.len() > width {
        return Err(ValueError::new(format!(
            "a number of {} digits does not fit the {width} that the key is padded to, so it would not sort with the others",
            value.len()
        )));
    }
    text.extend(std::iter::repeat_n('0', width - value.len()));
    text.push_str(value);
    Ok(())
}

fn foreign(template: &Template) -> ValueError {
    ValueError::new("the key is not one that the template of the entity makes").in_field(template.attribute)
}

#[cfg(test)]
mod tests {
    use super::{Segment, Template, is_unambiguous};
    use crate::attribute::Part;
    use crate::key::EntityKey;

    const TEMPLATE: Template = Template::new(
        "pk",
        &[Segment::Text("A#"), Segment::Field(0, 0), Segment::Text("#"), Segment::Field(1, 0)],
    );

    fn render(template: &Template, parts: &(String, String)) -> String {
        template.render(&|index| parts.part(index)).unwrap().unwrap()
    }

    #[test]
    fn different_values_never_make_the_same_key() {
        let values = ["a", "a#b", "b#c", "c", "", "#", "\\", "\\#", "a\\", "#\\#", "##", "#\\"];
        let mut seen = std::collections::HashMap::new();
        for first in values {
            for second in values {
                let parts = (first.to_owned(), second.to_owned());
                let text = render(&TEMPLATE, &parts);
                assert_eq!(seen.insert(text.clone(), (first, second)), None, "{text}");
                assert_eq!(TEMPLATE.parse(&text).unwrap(), [(0, parts.0), (1, parts.1)], "{text}");
            }
        }
    }

    #[test]
    fn the_escape_stands_in_front_or_at_the_end_behind() {
        let parts = ("a#b\\".to_owned(), "c#d\\".to_owned());
        assert_eq!(render(&TEMPLATE, &parts), r"A#a\#b\\#c#\d\\");
    }

    #[test]
    fn what_a_template_cannot_have_made_is_refused() {
        for key in ["", "A", "A#", "B#a#b", "A#a", r"A#a\b#c", "A#a\\", "A#a#b#c", r"A#a#b\c", r"A#a#b\"] {
            assert!(TEMPLATE.parse(key).is_err(), "{key}");
        }
        let padded = Template::new("sk", &[Segment::Field(0, 3), Segment::Field(0, 2), Segment::Text("é")]);
        assert_eq!(padded.parse("00707é").unwrap(), [(0, "7".to_owned()), (0, "7".to_owned())]);
        for key in ["00707", "00708é", "0070é7", "+0707é", "0é707é", "00707éé"] {
            assert!(padded.parse(key).is_err(), "{key}");
        }
    }

    #[test]
    fn ambiguous_templates_are_known() {
        for (segments, unambiguous) in [
            (&[Segment::Field(0, 0), Segment::Field(1, 0)][..], false),
            (&[Segment::Field(0, 0), Segment::Text("\\"), Segment::Field(1, 0)], false),
            (&[Segment::Field(0, 0), Segment::Text(""), Segment::Field(1, 0)], false),
            (&[Segment::Field(0, 3), Segment::Field(1, 0)], true),
            (&[Segment::Text("\\"), Segment::Field(1, 0)], true),
        ] {
            assert_eq!(is_unambiguous(segments), unambiguous, "{segments:?}");
        }
    }

    #[test]
    fn padding_keeps_the_order_of_numbers_or_says_that_it_cannot() {
        let template = Template::new("sk", &[Segment::Field(0, 5)]);
        let text = |number: &dyn Part| template.render_value(0, number);
        assert_eq!(text(&42_i64).unwrap(), "00042");
        assert!(text(&-1_i64).unwrap_err().to_string().contains("not negative"));
        assert!(text(&123_456_i64).unwrap_err().to_string().contains("6 digits"));
        assert!(text(&"7".to_owned()).unwrap_err().to_string().contains("only a number"));
    }

    #[test]
    fn equal_numbers_make_one_text() {
        let template = Template::new("sk", &[Segment::Field(0, 0)]);
        assert_eq!(template.render_value(0, &-0.0_f64).unwrap(), "0");
        assert_eq!(template.render_value(0, &100_u32).unwrap(), "100");
        assert_eq!(template.render_value(0, &-1.5_f64).unwrap(), "-1.5");
    }

    #[test]
    fn values_of_keys_that_others_made_are_written_as_they_are() {
        let template = Template::unescaped("pk", TEMPLATE.segments);
        let parts = ("a".to_owned(), "b#c\\".to_owned());
        assert_eq!(render(&template, &parts), r"A#a#b#c\");
        assert_eq!(template.parse(r"A#a#b#c\").unwrap(), [(0, parts.0), (1, parts.1)]);
    }

    #[test]
    fn an_absent_part_makes_the_key_absent() {
        let key = (Some("a".to_owned()), None::<String>);
        assert_eq!(TEMPLATE.render(&|index| key.part(index)).unwrap(), None);
    }
}
