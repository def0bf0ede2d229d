//! The plans of queries in words: a change of the planner or of the words shows here.

use std::collections::{BTreeMap, BTreeSet};

use dynorm::prelude::*;
use dynorm::{Query, Repository};

#[derive(Entity, Clone, Debug)]
struct Part {
    #[entity(partition)]
    shelf: u8,
    #[entity(sort)]
    number: i32,
    #[entity(index = "by_kind")]
    kind: Kind,
    #[entity(index("by_kind", sort))]
    size: u32,
    #[entity(index = "by_maker")]
    maker: String,
    #[entity(index("by_maker", sort))]
    name: String,
    #[entity(lsi = "by_weight")]
    weight: u32,
    price: Option<u32>,
    sold: bool,
    tags: BTreeSet<String>,
    lines: Vec<String>,
    scores: BTreeMap<String, u32>,
    place: Option<Place>,
}

#[derive(Attribute, Clone, Copy, Debug)]
enum Kind {
    Bolt,
    Nut,
}

#[derive(Attribute, Clone, Debug)]
struct Place {
    hall: String,
}

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    age: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{id}")]
#[entity(index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}"))]
struct Order {
    customer_id: String,
    id: String,
    status: String,
    placed_at: String,
    total: u64,
}

#[derive(Entity, Clone, Debug)]
#[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "LINE#{order}#{number:04}")]
struct Line {
    customer_id: String,
    order: String,
    number: u32,
}

/// Checks the explanation of a query line by line.
fn says<E: dynorm::Entity>(query: &Query<E>, lines: &[&str]) {
    assert_eq!(query.explain().to_string(), lines.join("\n"), "{query:?}");
}

#[test]
fn the_key_of_the_table() {
    says(
        &PartRepo::filter(Part::SHELF.eq(1)),
        &["Query on the table `parts`", "  key:    shelf = ?", "  cost:   reads one partition"],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).filter(Part::NUMBER.eq(7)),
        &["Query on the table `parts`", "  key:    shelf = ? AND number = ?", "  cost:   reads one item"],
    );
    says(
        &UserRepo::filter(User::ID.eq(Id::new())),
        &["Query on the table `users`", "  key:    id = ?", "  cost:   reads one item"],
    );
    says(
        &PartRepo::filter(Part::SHELF.is_in([1, 2, 3])),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ? (3 values)",
            "  order:  number, merged",
            "  cost:   reads 3 partitions",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.is_in([4, 4])),
        &["Query on the table `parts`", "  key:    shelf = ?", "  cost:   reads one partition"],
    );
    says(
        &PartRepo::filter(Part::SHELF.is_in([1, 2]) & Part::NUMBER.ge(3)).order_by(Part::NUMBER.desc()),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ? (2 values) AND number >= ?",
            "  order:  number descending, merged",
            "  cost:   reads parts of 2 partitions",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.is_in([1, 2]) & Part::NUMBER.eq(3)),
        &["BatchGetItem on the table `parts`", "  keys:   2", "  cost:   reads 2 items"],
    );
    says(
        &UserRepo::filter(User::ID.is_in([Id::new(), Id::new()])),
        &["BatchGetItem on the table `users`", "  keys:   2", "  cost:   reads 2 items"],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::NUMBER.between(3, 9)),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ? AND number BETWEEN ? AND ?",
            "  cost:   reads a part of one partition",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::NUMBER.ge(3) & Part::NUMBER.le(9)),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ? AND number BETWEEN ? AND ?",
            "  cost:   reads a part of one partition",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::NUMBER.gt(3) & Part::NUMBER.lt(9)),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ? AND number BETWEEN ? AND ?",
            "  here:   number > ? AND number < ?",
            "  cost:   reads a part of one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::NUMBER.ge(9) & Part::NUMBER.le(3)).limit(5),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  here:   number >= ? AND number <= ?",
            "  cost:   reads nothing: the bounds of the sort key are crossed",
        ],
    );
}

#[test]
fn an_index() {
    says(
        &PartRepo::by_kind(Kind::Nut),
        &["Query on the index `by_kind` of `parts`", "  key:    kind = ?", "  cost:   reads one partition"],
    );
    says(
        &PartRepo::filter(Part::SIZE.gt(3)).filter(Part::KIND.eq(Kind::Nut)),
        &[
            "Query on the index `by_kind` of `parts`",
            "  key:    kind = ? AND size > ?",
            "  cost:   reads a part of one partition",
        ],
    );
    says(
        &PartRepo::by_maker("acme").filter(Part::NAME.begins_with("a")),
        &[
            "Query on the index `by_maker` of `parts`",
            "  key:    maker = ? AND begins_with(name, ?)",
            "  cost:   reads a part of one partition",
        ],
    );
    says(
        &PartRepo::by_kind(Kind::Nut).filter(Part::SIZE.eq(3)),
        &[
            "Query on the index `by_kind` of `parts`",
            "  key:    kind = ? AND size = ?",
            "  cost:   reads the items of one key of the index",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).order_by(Part::WEIGHT.asc()).consistent(),
        &[
            "Query on the index `by_weight` of `parts`",
            "  key:    shelf = ?",
            "  read:   consistent, at twice the capacity",
            "  cost:   reads one partition",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::MAKER.eq("acme")).using("by_maker"),
        &[
            "Query on the index `by_maker` of `parts`",
            "  key:    maker = ?",
            "  filter: shelf = ?",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
}

#[test]
fn of_several_keys_the_best_is_taken() {
    // Equally good: the table is preferred to its indexes.
    says(
        &PartRepo::filter(Part::KIND.eq(Kind::Nut) & Part::SHELF.eq(1)),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: kind = ?",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    // Equally good: the index that was declared first is preferred.
    says(
        &PartRepo::filter(Part::MAKER.eq("acme") & Part::KIND.eq(Kind::Nut)),
        &[
            "Query on the index `by_kind` of `parts`",
            "  key:    kind = ?",
            "  filter: maker = ?",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    // The narrowed sort key is preferred.
    says(
        &PartRepo::filter(Part::KIND.eq(Kind::Nut) & Part::MAKER.eq("acme") & Part::NAME.begins_with("a")),
        &[
            "Query on the index `by_maker` of `parts`",
            "  key:    maker = ? AND begins_with(name, ?)",
            "  filter: kind = ?",
            "  cost:   reads a part of one partition; what the filter leaves out is paid for",
        ],
    );
    // One partition is preferred to several.
    says(
        &PartRepo::filter(Part::SHELF.is_in([1, 2]) & Part::KIND.eq(Kind::Nut)),
        &[
            "Query on the index `by_kind` of `parts`",
            "  key:    kind = ?",
            "  filter: shelf IN (2 values)",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
}

#[test]
fn order_limits_and_consistency() {
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).order_by(Part::NUMBER.desc()).limit(10),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  order:  number descending",
            "  cost:   reads one partition, up to 10 matches",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).order_by(Part::NUMBER.asc()).limit(1),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  cost:   reads one partition, up to one match",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::SOLD.eq(true)).max_evaluated(1),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: sold = ?",
            "  cost:   reads one partition, evaluates at most one item; what the filter leaves out is paid \
            for",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::SOLD.eq(true)).limit(20).max_evaluated(100),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: sold = ?",
            "  cost:   reads one partition, up to 20 matches, evaluates at most 100 items; what the filter \
            leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).consistent(),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  read:   consistent, at twice the capacity",
            "  cost:   reads one partition",
        ],
    );
}

#[test]
fn what_is_left_is_a_filter() {
    says(
        &PartRepo::filter(
            Part::SHELF.eq(1)
                & Part::PLACE.field(Place::HALL).eq("A")
                & Part::LINES.at(0).begins_with("x")
                & Part::SCORES.key("chess").gt(9),
        ),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: place.hall = ? AND begins_with(lines[0], ?) AND scores.chess > ?",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(
            Part::SHELF.eq(1)
                & Part::TAGS.size().ge(2)
                & Part::TAGS.contains("new")
                & !Part::LINES.contains("x"),
        ),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: size(tags) >= ? AND contains(tags, ?) AND NOT (contains(lines, ?))",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(
            Part::SHELF.eq(1)
                & Part::PRICE.le(Part::WEIGHT)
                & Part::KIND.is_in([Kind::Bolt, Kind::Nut])
                & Part::NAME.is_in(["a"]),
        ),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: price <= weight AND kind IN (2 values) AND name = ?",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(
            Part::SHELF.eq(1) & (Part::SOLD.eq(true) | Part::PRICE.not_exists() & Part::SIZE.ne(3)),
        ),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: sold = ? OR (attribute_not_exists(price) AND size <> ?)",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    // DynamoDB accepts no filter on the keys of the queried table or index.
    says(
        &PartRepo::filter(
            Part::SHELF.eq(1) & (Part::NUMBER.eq(3) | Part::NUMBER.gt(9)) & !Part::NUMBER.eq(12),
        ),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  here:   (number = ? OR number > ?) AND NOT (number = ?)",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(
            Part::SHELF.eq(1) & (Part::NUMBER.ge(3) | Part::SOLD.eq(true)) & Part::PRICE.exists(),
        ),
        &[
            "Query on the table `parts`",
            "  key:    shelf = ?",
            "  filter: attribute_exists(price)",
            "  here:   number >= ? OR sold = ?",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
}

#[test]
fn keys_made_by_templates() {
    says(
        &OrderRepo::filter(Order::CUSTOMER_ID.eq("c") & Order::ID.eq("o")),
        &[
            "Query on the table `shop`",
            "  key:    pk = ? AND sk = ?",
            "  filter: entity_type = \"Order\"",
            "  cost:   reads one item; what the filter leaves out is paid for",
        ],
    );
    says(
        &OrderRepo::filter(Order::CUSTOMER_ID.eq("c")),
        &[
            "Query on the table `shop`",
            "  key:    pk = ? AND begins_with(sk, ?)",
            "  filter: entity_type = \"Order\"",
            "  cost:   reads a part of one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &OrderRepo::filter(Order::CUSTOMER_ID.eq("c") & (Order::TOTAL.gt(9) | Order::STATUS.eq("new"))),
        &[
            "Query on the table `shop`",
            "  key:    pk = ? AND begins_with(sk, ?)",
            "  filter: entity_type = \"Order\" AND (total > ? OR status = ?)",
            "  cost:   reads a part of one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &LineRepo::filter(Line::CUSTOMER_ID.eq("c") & Line::ORDER.eq("o")),
        &[
            "Query on the table `shop`",
            "  key:    pk = ? AND begins_with(sk, ?)",
            "  filter: entity_type = \"Line\"",
            "  cost:   reads a part of one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &LineRepo::filter(Line::CUSTOMER_ID.eq("c") & Line::NUMBER.eq(3)),
        &[
            "Query on the table `shop`",
            "  key:    pk = ? AND begins_with(sk, ?)",
            "  filter: entity_type = \"Line\" AND number = ?",
            "  cost:   reads a part of one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &OrderRepo::gsi1("new").order_by(Order::PLACED_AT.desc()),
        &[
            "Query on the index `gsi1` of `shop`",
            "  key:    gsi1pk = ?",
            "  filter: entity_type = \"Order\"",
            "  order:  gsi1sk descending",
            "  cost:   reads one partition; what the filter leaves out is paid for",
        ],
    );
    says(
        &OrderRepo::filter(Order::STATUS.eq("new") & Order::PLACED_AT.eq("2026")),
        &[
            "Query on the index `gsi1` of `shop`",
            "  key:    gsi1pk = ? AND gsi1sk = ?",
            "  filter: entity_type = \"Order\"",
            "  cost:   reads the items of one key of the index; what the filter leaves out is paid for",
        ],
    );
}

#[test]
fn scans() {
    says(&PartRepo::scan(), &["Scan of the table `parts`", "  cost:   reads the whole table"]);
    says(
        &PartRepo::scan().filter(Part::SOLD.eq(true)).limit(10).consistent(),
        &[
            "Scan of the table `parts`",
            "  filter: sold = ?",
            "  read:   consistent, at twice the capacity",
            "  cost:   reads the whole table, up to 10 matches; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(Part::NAME.eq("x") & Part::NUMBER.gt(3)).allow_scan(),
        &[
            "Scan of the table `parts`",
            "  filter: name = ? AND number > ?",
            "  cost:   reads the whole table; what the filter leaves out is paid for",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).allow_scan(),
        &["Query on the table `parts`", "  key:    shelf = ?", "  cost:   reads one partition"],
    );
    says(
        &OrderRepo::scan(),
        &[
            "Scan of the table `shop`",
            "  filter: entity_type = \"Order\"",
            "  cost:   reads the whole table; what the filter leaves out is paid for",
        ],
    );
    says(
        &OrderRepo::filter(Order::TOTAL.gt(9) & Order::TOTAL.ne(12)).allow_scan(),
        &[
            "Scan of the table `shop`",
            "  filter: entity_type = \"Order\" AND total > ? AND total <> ?",
            "  cost:   reads the whole table; what the filter leaves out is paid for",
        ],
    );
}

#[test]
fn what_cannot_be_is_refused_with_the_way_out() {
    says(
        &PartRepo::filter(Part::NAME.eq("x")),
        &["Refused: no key and no index of `Part` can serve these conditions, so the whole table would be \
            read: add `#[entity(index = \"by_name\")]` to `name`, or call `.allow_scan()`"],
    );
    says(
        &PartRepo::filter(Part::SHELF.gt(1)),
        &["Refused: no key and no index of `Part` can serve these conditions, so the whole table would be \
            read: add a condition with `.eq(…)` on a partition key, which is `shelf`, or `kind`, or \
            `maker`, or call `.allow_scan()`"],
    );
    says(
        &OrderRepo::filter(Order::TOTAL.gt(1)),
        &["Refused: no key and no index of `Order` can serve these conditions, so the whole table would \
            be read: add a condition with `.eq(…)` on a partition key, which is `customer_id`, or `status`, \
            or call `.allow_scan()`"],
    );
    says(
        &PartRepo::by_kind(Kind::Nut).consistent(),
        &["Refused: the index `by_kind` is global, and DynamoDB reads only tables and local indexes \
            consistently: remove `.consistent()`, or query by the key of the table"],
    );
    says(
        &PartRepo::by_kind(Kind::Nut).order_by(Part::NAME.asc()),
        &["Refused: a query is ordered by the sort key of the table or index, and with these conditions \
            that is not `name`; the keys can order by `number` with the key of the table, by `size` with \
            the index `by_kind`, by `name` with the index `by_maker`, by `weight` with the index \
            `by_weight`; or sort the result with `.sorted_by(…)`"],
    );
    says(
        &PartRepo::scan().order_by(Part::NAME.asc()),
        &[
            "Refused: a scan has no order: query an index that has it as its sort key, or sort the result with \
            `.sorted_by(…)`",
        ],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).using("by_what"),
        &["Refused: `Part` has no index `by_what`; it has `by_kind`, `by_maker`, `by_weight`"],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1)).using("by_maker"),
        &["Refused: the index `by_maker` cannot serve the query: its partition key is made of `maker`, \
            and no condition fixes it"],
    );
    says(
        &PartRepo::filter(Part::SHELF.eq(1) & Part::NUMBER.between(9, 3)),
        &["Refused: the bounds of `between` on `number` are crossed, so nothing can match: give the lower \
            one first"],
    );
    says(
        &PartRepo::filter(Part::SHELF.is_in([0; 0])),
        &["Refused: `is_in` on `shelf` was given no values, so nothing can match"],
    );
    says(
        &PartRepo::filter(Part::SHELF.is_in(0..101)),
        &["Refused: `is_in` on the partition key `shelf` was given 101 values, and a query reads at most \
            100 partitions"],
    );
    says(
        &PartRepo::by_maker(""),
        &["Refused: maker: the partition key of the index `by_maker` cannot be empty"],
    );
}
