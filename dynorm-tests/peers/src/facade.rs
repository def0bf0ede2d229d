//! dynamodb-facade: `dynamodb_batch_write`, which sends all chunks in parallel. It has no batch reads.

use aws_sdk_dynamodb::Client;
use dynamodb_facade::{
    DynamoDBItemBatchOp as _, StringAttribute, attribute_definitions, dynamodb_batch_write, dynamodb_item,
    init_global_client, table_definitions,
};

use crate::clock::{Clock, Took};
use crate::user::User;
use crate::{NOT_DONE, create_table};

attribute_definitions! {
    UserId { "id": StringAttribute }
}

table_definitions! {
    Users {
        type PartitionKey = UserId;
        fn table_name() -> String {
            crate::table("facade")
        }
    }
}

dynamodb_item! {
    #[table = Users]
    User {
        #[partition_key]
        UserId {
            fn attribute_id(&self) -> &'id str { &self.id }
            fn attribute_value(id) -> String { id.to_owned() }
        }
    }
}

pub async fn run(client: Client, users: Vec<User>) -> anyhow::Result<[Took; 2]> {
    create_table(&client, &crate::table("facade")).await?;
    init_global_client(client);
    let clock = Clock::start()?;
    let requests: Vec<_> = users.iter().map(|user| user.batch_put()).collect();
    // The crate's error is not `Sync`.
    dynamodb_batch_write::<Users>(requests).await.map_err(|error| anyhow::anyhow!(error.to_string()))?;
    Ok([clock.stop()?, NOT_DONE])
}
