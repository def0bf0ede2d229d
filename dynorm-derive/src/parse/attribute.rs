//! Reads the input of `#[derive(Attribute)]`.

use syn::ext::IdentExt;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Fields, FieldsNamed, LitStr, Variant as SynVariant};

use super::case::{self, Case};
use super::field;
use crate::attr::{self, Once, default_door};
use crate::check;
use crate::errors::Errors;
use crate::model::{Attribute, AttributeShape, Field, Variant, VariantData};
use crate::words;

pub(crate) fn attribute<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Attribute<'i> {
    let is_enum = matches!(input.data, Data::Enum(_));
    let (words, of) = if is_enum { (words::ON_ENUM, "an enum") } else { (words::ON_STRUCT, "a struct") };
    let mut once = Once::default();
    let (mut door, mut case, mut tag) = (default_door(), None, None);
    for entry in &attr::entries(&input.attrs, words::ATTRIBUTE, errors) {
        if !once.first(&entry.word, errors) {
            continue;
        }
        match entry.word.unraw().to_string().as_str() {
            words::CRATE => door = entry.path("my_dynorm", errors).unwrap_or(door),
            words::RENAME_ALL => case = case::parse(entry, errors),
            words::TAG if is_enum => tag = entry.text("type", errors),
            _ => attr::unknown(&entry.word, words, of, errors),
        }
    }
    let shape = if let Some(lifetime) = input.generics.lifetimes().next() {
        errors.at(
            lifetime,
            "an attribute owns its data, since the response that it is read from is dropped: use `String` \
            or `Cow<'static, str>` instead of a reference",
        );
        None
    } else {
        shape(input, case, tag, errors)
    };
    Attribute { ident: &input.ident, generics: &input.generics, door, shape }
}

/// `None` for a type that cannot be an attribute, and for an enum with errors, whose code would not compile.
fn shape<'i>(
    input: &'i DeriveInput,
    case: Option<Case>,
    tag: Option<LitStr>,
    errors: &mut Errors,
) -> Option<AttributeShape<'i>> {
    match &input.data {
        Data::Struct(data) => structure(input, data, case, errors),
        Data::Enum(data) => {
            let before = errors.count();
            let shape = enumeration(input, data, case, tag, errors);
            (errors.count() == before).then_some(shape)
        }
        Data::Union(_) => {
            errors.at(
                &input.ident,
                "a union cannot be stored, since it does not tell which of its fields is set: use an enum",
            );
            None
        }
    }
}

fn structure<'i>(
    input: &'i DeriveInput,
    data: &'i DataStruct,
    case: Option<Case>,
    errors: &mut Errors,
) -> Option<AttributeShape<'i>> {
    match &data.fields {
        Fields::Named(fields) => Some(AttributeShape::Struct(nested_fields(fields, case, errors))),
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let field = fields.unnamed.first()?;
            refuse_field_attributes(field, errors);
            Some(AttributeShape::Newtype(&field.ty))
        }
        Fields::Unnamed(_) | Fields::Unit => {
            errors.at(
                &input.ident,
                "this struct cannot be stored: use named fields, which are stored as a map, or a single \
                unnamed one, `struct Email(String);`, which is stored as its type",
            );
            None
        }
    }
}

fn enumeration<'i>(
    input: &'i DeriveInput,
    data: &'i DataEnum,
    case: Option<Case>,
    tag: Option<LitStr>,
    errors: &mut Errors,
) -> AttributeShape<'i> {
    if data.variants.is_empty() {
        errors.at(&input.ident, "an enum without variants has no value that could be stored: add a variant");
    }
    if data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) {
        if let Some(tag) = tag {
            errors.at(
                tag,
                "the variants of this enum hold no data, so each is stored as its name: remove `tag`",
            );
        }
        let variants = data.variants.iter();
        let variants: Vec<_> =
            variants.map(|variant| (&variant.ident, variant_name(variant, case, errors).0)).collect();
        check_variant_names(variants.iter().map(|(_, name)| name), errors);
        return AttributeShape::Choice(variants);
    }
    let tag = tag.unwrap_or_else(|| LitStr::new(words::TAG_OF_ENUM, input.ident.span()));
    let variants: Vec<_> =
        data.variants.iter().filter_map(|variant| read_variant(variant, case, &tag, errors)).collect();
    check_variant_names(variants.iter().map(|variant| &variant.name), errors);
    AttributeShape::Tagged { tag, variants }
}

/// The field of a newtype has no name of its own, so it takes no attributes.
fn refuse_field_attributes(field: &syn::Field, errors: &mut Errors) {
    for entry in &attr::entries(&field.attrs, words::ATTRIBUTE, errors) {
        errors.at(
            &entry.word,
            format_args!(
                "a newtype is stored as its field is, so the field takes no attributes: remove `{}`",
                entry.word
            ),
        );
    }
}

fn nested_fields<'i>(fields: &'i FieldsNamed, case: Option<Case>, errors: &mut Errors) -> Vec<Field<'i>> {
    let fields = fields.named.iter().filter_map(|field| field::read(field, words::ATTRIBUTE, case, errors));
    let fields: Vec<Field<'i>> = fields.map(|(field, _)| field).collect();
    check::field_names(&fields, errors);
    fields
}

fn read_variant<'i>(
    variant: &'i SynVariant,
    case: Option<Case>,
    tag: &LitStr,
    errors: &mut Errors,
) -> Option<Variant<'i>> {
    let (name, field_case) = variant_name(variant, case, errors);
    let collision = |name: &LitStr, errors: &mut Errors| {
        errors.at(
            name,
            format_args!(
                "{:?} is also the name of the tag: choose another tag with `#[attribute(tag = \
                \"…\")]` on the enum",
                tag.value()
            ),
        );
    };
    let data = match &variant.fields {
        Fields::Unit => VariantData::Unit,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let field = fields.unnamed.first()?;
            refuse_field_attributes(field, errors);
            if tag.value() == words::VALUE_OF_VARIANT {
                errors.at(tag, "the value of a variant is stored as \"value\": choose another tag");
            }
            VariantData::Newtype(&field.ty)
        }
        Fields::Unnamed(fields) => {
            errors.at(
                fields,
                "the values of a variant become entries of a map, so they need names: write \
                `Variant { width: u32, height: u32 }`",
            );
            return None;
        }
        Fields::Named(fields) => {
            let fields = nested_fields(fields, field_case, errors);
            for field in fields.iter().filter(|field| field.is_stored()) {
                if field.name.value() == tag.value() {
                    collision(&field.name, errors);
                }
            }
            VariantData::Struct(fields)
        }
    };
    Some(Variant { ident: &variant.ident, name, data })
}

fn variant_name(variant: &SynVariant, case: Option<Case>, errors: &mut Errors) -> (LitStr, Option<Case>) {
    let mut once = Once::default();
    let (mut rename, mut field_case) = (None, None);
    for entry in &attr::entries(&variant.attrs, words::ATTRIBUTE, errors) {
        if !once.first(&entry.word, errors) {
            continue;
        }
        match entry.word.unraw().to_string().as_str() {
            words::RENAME => rename = entry.text("active", errors),
            words::RENAME_ALL => field_case = case::parse(entry, errors),
            _ => attr::unknown(&entry.word, words::ON_VARIANT, "a variant", errors),
        }
    }
    let name = rename.unwrap_or_else(|| {
        let text = variant.ident.unraw().to_string();
        LitStr::new(&case.unwrap_or(Case::Snake).of_variant(&text), variant.ident.span())
    });
    (name, field_case)
}

fn check_variant_names<'n>(names: impl Iterator<Item = &'n LitStr>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if seen.contains(&name.value()) {
            errors.at(
                name,
                format_args!(
                    "two variants are stored as {:?}: rename one with `#[attribute(rename = \"…\")]`",
                    name.value()
                ),
            );
        }
        seen.push(name.value());
    }
}
