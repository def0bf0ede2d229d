//! Entities in unusual places: in functions, in macros, in modules with glob imports.

use dynorm::prelude::*;

macro_rules! entity {
    ($vis:vis $name:ident, $table:literal, $key:ident: $type:ty $(, $field:ident: $of:ty = $default:expr)*) => {
        #[derive(Entity, Clone, Debug, PartialEq)]
        #[entity(table = $table)]
        $vis struct $name {
            #[entity(partition)]
            $key: $type,
            $(#[entity(default = $default, index = "by_number")] $field: $of,)*
        }
    };
}

entity!(pub(crate) Counter, "counters", name: String, number: u64 = 7);

macro_rules! setting {
    ($name:ident { $($variant:ident),* }) => {
        #[derive(Attribute, Clone, Copy, Debug, PartialEq)]
        enum $name { $($variant),* }
    };
}

setting!(Level { Low, High });

mod inner {
    use super::*;

    #[derive(Entity, Clone, Debug, PartialEq)]
    pub(super) struct Setting {
        #[entity(id)]
        pub(super) id: Id<Self>,
        pub(super) level: Level,
        pub(super) counter: Option<Id<Counter>>,
    }
}

#[tokio::test]
async fn entities_of_macros_and_functions() -> dynorm::Result<()> {
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Local {
        #[entity(id)]
        id: Id<Local>,
        part: Part,
    }

    #[derive(Attribute, Clone, Debug, PartialEq)]
    struct Part {
        text: String,
    }

    let db = dynorm_tests::database();
    db.create_table::<Local>().await?;
    db.create_table::<Counter>().await?;
    db.create_table::<inner::Setting>().await?;
    db.scope(async {
        let local = Local { id: Id::default(), part: Part { text: "x".to_owned() } };
        let local = LocalRepo::save(local).await?;
        assert_eq!(LocalRepo::find(local.id).await?, Some(local));

        let counter = CounterRepo::save(Counter { name: "a".to_owned(), number: 1 }).await?;
        assert_eq!(CounterRepo::by_number(1).get_all().await?, vec![counter]);

        let setting = inner::Setting { id: Id::new(), level: Level::High, counter: None };
        let setting = inner::SettingRepo::save(setting).await?;
        assert_eq!(inner::SettingRepo::get(setting.id).await?.level, Level::High);
        assert_ne!(setting.level, Level::Low);
        Ok(())
    })
    .await
}
