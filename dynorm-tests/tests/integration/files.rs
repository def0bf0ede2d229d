//! `Database::file`: files of other programs are refused, and not changed.

use std::fs;
use std::path::{Path, PathBuf};

use dynorm::Error;
use dynorm::prelude::*;

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "fl_notes")]
struct Note {
    #[entity(partition)]
    title: String,
}

/// A temporary directory, removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("dynorm-{}", ulid::Ulid::generate()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An SQLite database of another program.
fn foreign(path: &Path, sql: &str) {
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(sql).unwrap();
}

#[track_caller]
fn refused(path: &Path) -> String {
    let error = Database::file(path).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)) && !error.is_retryable(), "{error:?}");
    error.to_string()
}

#[test]
fn the_file_of_another_program_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    for (name, sql) in [
        ("a.db", "CREATE TABLE users (id); INSERT INTO users VALUES (1);"),
        ("b.db", "PRAGMA journal_mode = WAL; CREATE TABLE _tables (id); INSERT INTO _tables VALUES (1);"),
        ("c.db", "PRAGMA user_version = 7; CREATE TABLE _config (key, value);"),
    ] {
        let path = folder.file(name);
        foreign(&path, sql);
        let before = fs::read(&path).unwrap();
        let text = refused(&path);
        assert!(text.contains("of another program") && text.contains(name), "{text}");
        assert!(fs::read(&path).unwrap() == before, "{name} was changed");
    }
    let path = folder.file("letter.txt");
    fs::write(&path, "Dear Ada, ".repeat(1000)).unwrap();
    assert!(refused(&path).contains("not a SQLite database"));
    assert_eq!(fs::read(&path).unwrap(), "Dear Ada, ".repeat(1000).as_bytes());
    assert!(refused(&folder.0).contains("it is a folder"));
    assert!(refused(&folder.file("no/where.db")).contains("create it first"));
}

#[tokio::test]
async fn an_empty_file_is_new_and_ours_is_opened_again() {
    let folder = Folder::new();
    let path = folder.file("app.db");
    fs::write(&path, "").unwrap();
    {
        let db = Database::file(&path).unwrap();
        db.create_table::<Note>().await.unwrap();
        NoteRepo::save(Note { title: "milk".into() }).on(&db).await.unwrap();
        // Also while it is open.
        let again = Database::file(&path).unwrap();
        assert_eq!(NoteRepo::all().on(&again).await.unwrap().len(), 1);
    }
    let db = Database::file(&path).unwrap();
    assert_eq!(NoteRepo::all().on(&db).await.unwrap().len(), 1);
}

#[test]
fn a_file_of_a_newer_format_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    let path = folder.file("app.db");
    drop(Database::file(&path).unwrap());
    foreign(
        &path,
        "UPDATE _config SET value = '999' WHERE key = 'schema_version'; PRAGMA wal_checkpoint(TRUNCATE);",
    );
    let before = fs::read(&path).unwrap();
    assert!(refused(&path).contains("999"));
    assert!(fs::read(&path).unwrap() == before, "it was changed");
}
