//! The plural of a name, for the default table name: `OrderItem` → `order_items`.
//!
//! The rules are written here rather than taken from a crate, since a table name must never change with the
//! version of a dependency. For the same reason, a rule that has been released is never changed. The existing
//! crates also compile regular expressions, which costs every crate with an entity 50 ms of build time.

use heck::ToSnakeCase;

/// Words that are their own plural.
const UNCOUNTABLE: &[&str] = &[
    "aircraft",
    "analytics",
    "audio",
    "data",
    "deer",
    "equipment",
    "evidence",
    "feedback",
    "firmware",
    "fish",
    "hardware",
    "headquarters",
    "information",
    "inventory",
    "jeans",
    "mail",
    "means",
    "media",
    "merchandise",
    "metadata",
    "money",
    "moose",
    "music",
    "news",
    "offspring",
    "police",
    "rice",
    "salmon",
    "scissors",
    "series",
    "sheep",
    "shrimp",
    "software",
    "species",
    "staff",
    "swine",
    "traffic",
    "trout",
];

/// Words with an irregular plural.
const IRREGULAR: &[(&str, &str)] = &[
    ("analysis", "analyses"),
    ("axis", "axes"),
    ("basis", "bases"),
    ("calf", "calves"),
    ("child", "children"),
    ("crisis", "crises"),
    ("criterion", "criteria"),
    ("datum", "data"),
    ("diagnosis", "diagnoses"),
    ("die", "dice"),
    ("echo", "echoes"),
    ("elf", "elves"),
    ("emphasis", "emphases"),
    ("foot", "feet"),
    ("goose", "geese"),
    ("half", "halves"),
    ("hero", "heroes"),
    ("hypothesis", "hypotheses"),
    ("index", "indices"),
    ("knife", "knives"),
    ("leaf", "leaves"),
    ("life", "lives"),
    ("loaf", "loaves"),
    ("louse", "lice"),
    ("man", "men"),
    ("matrix", "matrices"),
    ("mouse", "mice"),
    ("ox", "oxen"),
    ("parenthesis", "parentheses"),
    ("person", "people"),
    ("phenomenon", "phenomena"),
    ("potato", "potatoes"),
    ("quiz", "quizzes"),
    ("self", "selves"),
    ("shelf", "shelves"),
    ("synopsis", "synopses"),
    ("thesis", "theses"),
    ("thief", "thieves"),
    ("tomato", "tomatoes"),
    ("tooth", "teeth"),
    ("vertex", "vertices"),
    ("wife", "wives"),
    ("wolf", "wolves"),
    ("woman", "women"),
];

/// The default table name of an entity.
pub(crate) fn table_name(entity: &str) -> String {
    let snake = entity.to_snake_case();
    match snake.rsplit_once('_') {
        Some((first, last)) => format!("{first}_{}", plural(last)),
        None => plural(&snake),
    }
}

/// The plural of a lowercase word.
fn plural(word: &str) -> String {
    if UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    if let Some((_, plural)) =
        IRREGULAR.iter().find(|(singular, plural)| [*singular, *plural].contains(&word))
    {
        return (*plural).to_owned();
    }
    // Compounds such as `salesperson`. Not those in `-man`, since `human` and `german` are not compounds.
    for (singular, plural) in [("person", "people"), ("child", "children")] {
        if let Some(first) = word.strip_suffix(singular) {
            return format!("{first}{plural}");
        }
    }
    let letters: Vec<char> = word.chars().rev().take(3).collect();
    match letters.as_slice() {
        // `bus`, `status`, `address`, `gas`; other words in `-s` are taken for plurals.
        ['s', 's' | 'u' | 'i', ..] | ['s', 'a', 'g' | 'i'] => format!("{word}es"),
        ['s', 'a', 'v', ..] => format!("{word}es"),
        ['s', ..] => word.to_owned(),
        ['x' | 'z', ..] | ['h', 'c' | 's', ..] => format!("{word}es"),
        ['y', before, ..] if !"aeiou".contains(*before) || letters.starts_with(&['y', 'u', 'q']) => {
            format!("{}ies", word.strip_suffix('y').unwrap_or(word))
        }
        _ => format!("{word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::table_name;

    #[test]
    fn tables_are_named_in_the_plural() {
        for (entity, table) in [
            ("User", "users"),
            ("OrderItem", "order_items"),
            ("Reading", "readings"),
            ("Plane", "planes"),
            ("Category", "categories"),
            ("Day", "days"),
            ("Query", "queries"),
            ("Soliloquy", "soliloquies"),
            ("Status", "statuses"),
            ("Address", "addresses"),
            ("Bus", "buses"),
            ("Canvas", "canvases"),
            ("Alias", "aliases"),
            ("Gas", "gases"),
            ("Box", "boxes"),
            ("Batch", "batches"),
            ("Wish", "wishes"),
            ("Company", "companies"),
            ("Key", "keys"),
            ("House", "houses"),
            ("Database", "databases"),
            ("Photo", "photos"),
            ("Human", "humans"),
            ("Person", "people"),
            ("Salesperson", "salespeople"),
            ("Grandchild", "grandchildren"),
            ("Analysis", "analyses"),
            ("TimeSeries", "time_series"),
            ("Aircraft", "aircraft"),
            ("Settings", "settings"),
            ("People", "people"),
            ("Users", "users"),
            ("HTTPRequest", "http_requests"),
            ("A", "as"),
            ("Été", "étés"),
        ] {
            assert_eq!(table_name(entity), table, "{entity}");
        }
    }
}
