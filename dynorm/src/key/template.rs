//! Key templates: keys made of text and fields, such as `ORDER#{id}`, and how they are written and read.
//!
//! Different values always make different keys, and the values can be read back from a key. To find where a
//! value ends, some characters are escaped by `\` in values: `\`, `#`, and the first character of each text
//! that follows a field.
//!
//! - In a value that is followed by text, the escape stands before the character: `a#b` becomes `a\#b`. The
//!   value ends at the first such character without an escape.
//! - In a value at the end of the template, the escape stands after the character: `a#b` becomes `a#\b`. So
//!   the keys are in the order of the values. Nothing follows such a value, but without escapes `USER#{name}`
//!   could make a key of `USER#{id}#ORDER#{number}`.
//!
//! A padded number has a fixed length, and needs no escapes.

use std::borrow::Cow;

use crate::attribute::Part;
use crate::codec::{Encoder, ValueError, scalar_text};

/// The source of a key attribute.
#[derive(Clone, Copy, Debug)]
pub enum KeySource {
    /// The field at this position of the entity's fields.
    Field(usize),
    /// Text made by a template, stored in an attribute of its own.
    Template(Template),
}

/// A key made of text and fields, such as `ORDER#{id}`.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The attribute that holds it.
    pub attribute: &'static str,
    /// The segments, in order.
    pub segments: &'static [Segment],
    /// False if values are written without escapes, for keys of other programs.
    pub(super) is_escaped: bool,
}

/// A segment of a [`Template`].
#[derive(Clone, Copy, Debug)]
pub enum Segment {
    /// Fixed text.
    Text(&'static str),
    /// The field at this position of the entity's fields, padded with zeros to a width (0 for no padding).
    Field(usize, usize),
}

impl KeySource {
    /// Returns false for a template whose values are written without escapes.
    pub(crate) const fn is_escaped(&self) -> bool {
        match self {
            Self::Field(_) => true,
            Self::Template(template) => template.is_escaped,
        }
    }
}

pub(super) const ESCAPE: char = '\\';

/// Escaped in every template, since it separates the parts of keys in most tables: so entities whose
/// templates differ in their fixed text cannot make the same keys.
pub(super) const SEPARATOR: char = '#';

impl Template {
    /// Creates a template whose values are escaped.
    ///
    /// # Panics
    ///
    /// At compile time, if different values could make the same key. The derive macro refuses such a template
    /// before.
    #[must_use]
    pub const fn new(attribute: &'static str, segments: &'static [Segment]) -> Self {
        assert!(is_unambiguous(segments), "different values of this template could make the same key");
        Self { attribute, segments, is_escaped: true }
    }

    /// Creates a template whose values are written without escapes.
    #[must_use]
    pub const fn unescaped(attribute: &'static str, segments: &'static [Segment]) -> Self {
        Self { attribute, segments, is_escaped: false }
    }

    /// Returns the key for the given fields; `None` if one of them is absent.
    #[doc(hidden)]
    pub fn render<'p>(
        &self,
        field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    ) -> Result<Option<String>, ValueError> {
        let (text, rendered) = self.render_start(field)?;
        Ok((rendered == self.segments.len()).then_some(text))
    }

    /// Parses a key, the reverse of [`render`](Self::render): returns the positions and texts of the fields,
    /// in the order of the template. Fails if the template cannot have made the key.
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

    /// Returns the positions of the fields in the template.
    pub(crate) fn fields(&self) -> impl Iterator<Item = usize> + use<> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Field(field, _) => Some(*field),
            Segment::Text(_) => None,
        })
    }

    /// Returns the text up to the first absent field, and the number of segments in it.
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

    /// Returns the text of one value, as the segment at `position`.
    pub(crate) fn render_value(&self, position: usize, part: &dyn Part) -> Result<String, ValueError> {
        let mut text = String::new();
        self.push_value(&mut text, position, part)?;
        Ok(text)
    }

    /// Returns true if the keys are in the order of the values of the segment at `position`. `is_fixed` says
    /// that all values have texts of the same length, `is_text` that they are text.
    pub(crate) fn keeps_order(&self, position: usize, is_fixed: bool, is_text: bool) -> bool {
        let is_last = self.is_last(position);
        match self.segments.get(position) {
            Some(Segment::Field(_, 1..)) => true,
            // An escape before a character changes the length, unless all values have escapes at the same
            // positions.
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

    /// Returns true for the characters that are escaped in values.
    pub(super) fn escapes(&self, character: char) -> bool {
        self.is_escaped
            && (matches!(character, ESCAPE | SEPARATOR)
                || self.delimiters().any(|delimiter| delimiter == character))
    }

    /// Returns the characters that end a value: the first ones of the texts that follow fields.
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

    /// Reads the value at the beginning of `text`. Returns it and the rest.
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

/// Returns true if different values always make different keys: each value without padding is followed by
/// text or ends the template, and no text after a value begins with the escape character.
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

/// Returns the same text for equal numbers with different zeros: DynamoDB returns 1.50 as 1.5, and -0 as 0.
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
            "a padded part of a key must be a whole number and not negative, since the order \
             of the texts would not be that of the numbers",
        ));
    }
    if value.len() > width {
        return Err(ValueError::new(format!(
            "a number of {} digits does not fit the {width} that the key is padded to, so it \
             would not sort with the others",
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
