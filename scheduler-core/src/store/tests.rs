//! Both stores keep the same contract.

use std::sync::Arc;

use super::{JsonStore, JsonStoreOptions, MemoryStore};
use crate::{Clock, Home, testing::store_conformance};

#[tokio::test]
async fn the_memory_store_conforms() {
    store_conformance(|clock| async move { MemoryStore::new(clock, crate::job::JobDefaults::default()) }).await;
}

#[tokio::test]
async fn the_json_store_conforms() {
    json_store_conforms(|options| options).await;
}

#[tokio::test]
async fn the_json_store_conforms_while_it_compacts_every_few_frames() {
    json_store_conforms(|options| options.with_compaction(Some(0))).await;
}

async fn json_store_conforms(with: fn(JsonStoreOptions) -> JsonStoreOptions) {
    let folder = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicU32::new(0);
    store_conformance(|clock| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let home = Home::new(folder.path().join(n.to_string()));
        async move {
            let clock: Arc<dyn Clock> = clock;
            JsonStore::open(&with(JsonStoreOptions::new(home, clock))).unwrap()
        }
    })
    .await;
}
