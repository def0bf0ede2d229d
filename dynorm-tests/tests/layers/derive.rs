//! The layers of the crate `dynorm-derive`.

use crate::rules::Layers;

/// From the ground up: what a struct is read into, how it is read and checked, and what is written for it.
pub(crate) const LAYERS: Layers<'static> = &[
    ("words and errors", &["words.rs", "errors.rs", "plural.rs"]),
    ("the model", &["model.rs", "template.rs", "names.rs"]),
    ("the grammar", &["attr.rs"]),
    ("what cannot work", &["check.rs"]),
    ("from the struct to the model", &["parse/"]),
    ("from the model to the code", &["expand/"]),
    ("the macros", &["lib.rs"]),
];
