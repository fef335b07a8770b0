//! A home folder on a real disk, and a store in it.

use std::{path::Path, sync::Arc};

use scheduler_core::{
    Clock, Home,
    store::{JsonStore, JsonStoreOptions},
    vfs::{RealFs, Vfs, atomic_write},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A home that is gone when this is dropped.
#[derive(Debug)]
pub struct BenchHome {
    folder: TempDir,
    clock: Arc<dyn Clock>,
    fs: Arc<dyn Vfs>,
}

impl BenchHome {
    /// A home below `parent` (the folder for temporary files if `None`) with `entries` in its jobs.json, and nothing else yet.
    ///
    /// # Panics
    /// If it can't be made.
    pub fn new(parent: Option<&Path>, clock: Arc<dyn Clock>, entries: &[Value]) -> Self {
        let folder = parent.map_or_else(tempfile::tempdir, tempfile::tempdir_in).expect("a folder for the home");
        let text = serde_json::to_vec(&json!({"format": 1, "jobs": entries})).expect("JSON");
        let home = Home::new(folder.path());
        atomic_write(&RealFs, &home.jobs_json(), &text, None).expect("jobs.json can be written");
        Self { folder, clock, fs: Arc::new(RealFs) }
    }

    /// The same on another file system.
    #[must_use]
    pub fn with_fs(mut self, fs: Arc<dyn Vfs>) -> Self {
        self.fs = fs;
        self
    }

    /// Opens the store; the first time it takes jobs.json in with the first look at it.
    ///
    /// # Panics
    /// If it can't be opened.
    pub fn store(&self) -> JsonStore {
        let home = Home::new(self.folder.path());
        let options = JsonStoreOptions::new(home, Arc::clone(&self.clock)).with_fs(Arc::clone(&self.fs));
        JsonStore::open(&options).expect("the store opens")
    }
}
