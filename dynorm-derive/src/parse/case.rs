//! Reads `rename_all`, the case of names, as in serde.

use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutySnakeCase, ToSnakeCase};

use crate::attr::{self, Entry};
use crate::errors::Errors;

const CASES: &[(&str, Case)] = &[
    ("snake_case", Case::Snake),
    ("camelCase", Case::Camel),
    ("PascalCase", Case::Pascal),
    ("kebab-case", Case::Kebab),
    ("SCREAMING_SNAKE_CASE", Case::Screaming),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
];

/// The case of a name.
#[derive(Clone, Copy)]
pub(super) enum Case {
    Snake,
    Camel,
    Pascal,
    Kebab,
    Screaming,
    Lower,
    Upper,
}

impl Case {
    pub(super) fn of_field(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_owned(),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            case => case.of_variant(name),
        }
    }

    pub(super) fn of_variant(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_snake_case(),
            Self::Camel => name.to_lower_camel_case(),
            Self::Pascal => name.to_pascal_case(),
            Self::Kebab => name.to_kebab_case(),
            Self::Screaming => name.to_shouty_snake_case(),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
        }
    }
}

/// `rename_all = "camelCase"`
pub(super) fn parse(entry: &Entry, errors: &mut Errors) -> Option<Case> {
    let text = entry.text("camelCase", errors)?;
    let name = text.value();
    let known = CASES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case);
    if known.is_none() {
        let names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
        let hint = match attr::nearest(&name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", attr::list(&names)),
        };
        errors.at(&text, format_args!("unknown case {name:?}: {hint}"));
    }
    known
}
