//! An application that depends on dynorm under the name `store`: generated code must not say `dynorm`. It is
//! a library under strict lints, which generated code must satisfy.

#![deny(
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unused_qualifications,
    warnings,
    clippy::all,
    clippy::pedantic
)]

use std::collections::BTreeMap;

use store::prelude::*;

/// A book on a shelf.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(crate = "store")]
pub struct Book {
    /// Its number.
    #[entity(id)]
    pub id: Id<Book>,
    /// The shelf.
    #[entity(index = "by_shelf", index("by_shelf_only", keys_only))]
    pub shelf: String,
    /// The genre.
    pub genre: Genre,
    /// The binding.
    pub binding: Binding,
    /// The author.
    pub author: Author,
    /// All other attributes.
    #[entity(flatten)]
    pub more: BTreeMap<String, String>,
    /// The time of the acquisition.
    #[entity(created_at)]
    pub bought_at: Timestamp,
    #[entity(index = "by_state", index("by_state_and_genre", include = [genre, author]))]
    state: State,
    #[entity(index("by_lot", keys_only))]
    lot: u32,
}

/// The label of a book.
#[derive(Projection, Clone, Debug, PartialEq)]
#[projection(of = Book, crate = "store")]
pub struct Spine {
    /// The name of the author.
    #[projection(from = Book::AUTHOR.field(Author::NAME))]
    pub by: Option<Name>,
    /// The genre.
    pub genre: Genre,
    state: State,
}

impl Spine {
    /// True if it can be read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.state == State::Whole
    }
}

/// More private than the entity.
#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[attribute(crate = store)]
enum State {
    #[default]
    Whole,
    Torn,
}

impl Book {
    /// Tears the book.
    pub fn tear(&mut self) {
        self.state = State::Torn;
    }
}

impl BookRepo {
    /// The torn books.
    ///
    /// # Errors
    ///
    /// Those of the query.
    pub async fn torn() -> store::Result<Collection<Book>> {
        Self::by_state(State::Torn).get_all().await
    }
}

impl BookRepo {
    /// The books of a lot, with the fields in the index.
    ///
    /// # Errors
    ///
    /// Those of the query.
    pub async fn of_lot(lot: u32) -> store::Result<Collection<BookByLot>> {
        Self::by_lot(lot).get_all().await
    }
}

/// The author of a book.
#[derive(Attribute, Clone, Debug, PartialEq)]
#[attribute(crate = store)]
pub struct Author {
    /// The name.
    pub name: Name,
}

/// A name.
#[derive(Attribute, Clone, Debug, PartialEq)]
#[attribute(crate = store)]
pub struct Name(pub String);

/// The genre of a book.
#[derive(Attribute, Clone, Copy, Debug, PartialEq, Eq)]
#[attribute(crate = store)]
pub enum Genre {
    /// Fiction.
    Novel,
    /// Non-fiction.
    History,
}

/// The binding of a book.
#[derive(Attribute, Clone, Debug, PartialEq)]
#[attribute(crate = "store")]
pub enum Binding {
    /// Paper.
    Paper,
    /// Leather of some animal.
    Leather {
        /// The animal.
        of: String,
    },
}

/// A loan: an entity with key templates.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(crate = store, partition = "BOOK#{book}", sort = "READER#{reader}")]
pub struct Loan {
    /// The book.
    pub book: Id<Book>,
    /// The reader.
    pub reader: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn books_are_saved_and_found() -> store::Result<()> {
        let db = Database::memory()?;
        db.create_table::<Book>().await?;
        db.create_table::<Loan>().await?;
        db.scope(async {
            let book = Book {
                id: Id::default(),
                shelf: "b4".to_owned(),
                genre: Genre::History,
                binding: Binding::Leather { of: "calf".to_owned() },
                author: Author { name: Name("Herodotus".to_owned()) },
                more: BTreeMap::from([("pages".to_owned(), "716".to_owned())]),
                bought_at: Timestamp::default(),
                state: State::default(),
                lot: 9,
            };
            let mut book = BookRepo::save(book).await?;
            assert_eq!(BookRepo::find(book.id).await?.as_ref(), Some(&book));
            let history = BookRepo::by_shelf("b4").filter(Book::GENRE.eq(Genre::History));
            assert_eq!(history.get_all().await?, vec![book.clone()]);
            let BookByShelfOnly { id, shelf } = BookRepo::by_shelf_only("b4").one().await?;
            assert_eq!((id, shelf.as_str()), (book.id, "b4"));
            assert_eq!(BookRepo::of_lot(9).await?[0].id, book.id);
            let spine: Spine = BookRepo::by_shelf("b4").select_as().one().await?;
            assert_eq!(spine.by, Some(Name("Herodotus".to_owned())));
            assert!(spine.is_whole());
            assert!(BookRepo::torn().await?.is_empty());
            book.tear();
            BookRepo::save(&mut book).await?;
            assert_eq!(BookRepo::torn().await?.len(), 1);
            let loan = LoanRepo::save(Loan { book: book.id, reader: "Ada".to_owned() }).await?;
            assert_eq!(LoanRepo::get((book.id, "Ada")).await?, loan);
            Ok(())
        })
        .await
    }
}
