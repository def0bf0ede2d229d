use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(serde)]
    theme: Theme,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug)]
struct Theme {
    dark: bool,
}

fn condition() {
    let _ = User::THEME.size().gt(1);
}

fn main() {}
