use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    settings: Settings,
}

#[derive(Attribute, Clone, Debug)]
struct Settings {
    #[attribute(serde)]
    level: u32,
}

fn condition() {
    let _ = User::SETTINGS.field(Settings::LEVEL).lt(3);
}

fn main() {}
