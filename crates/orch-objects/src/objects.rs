//! The store itself: a few calls that block, each bounded in time.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error, ObjectStore as Store, ObjectStoreExt as _};
use orch_core::ids::RunId;
use orch_core::settings::{ObjectStore, Secret};
use tokio::runtime::{Builder, Runtime};

use crate::backend;
use crate::error::{ObjectsError, sorted};
use crate::key::{Key, RUNS, artifacts};

/// The longest that one call takes, retries included.
const LIMIT: Duration = Duration::from_secs(30);
/// Objects of one run that are listed: a log of the longest kind and its artifacts.
const MAX_LISTED: usize = 8192;

/// An object store. Opened at the first use, and again after that failed, so that one which is
/// away for a while needs no restart.
pub struct Objects {
    settings: ObjectStore,
    environment: BTreeMap<String, String>,
    secrets: Vec<Secret>,
    store: Mutex<Option<Arc<dyn Store>>>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// One object of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name below the run, such as `log/00000000.jsonl` or `artifacts/12-review.md`.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last owner may be a thread that must not wait.
            runtime.shutdown_background();
        }
    }
}

impl Objects {
    /// Names a store; nothing is asked yet. `environment` is where credentials are looked for that
    /// the settings don't give. Fails where no thread can be had.
    pub fn new(settings: &ObjectStore, environment: &BTreeMap<String, String>) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("objects")
            .enable_all()
            .build()?;
        Ok(Self {
            settings: settings.clone(),
            environment: environment.clone(),
            secrets: backend::secrets(settings, environment),
            store: Mutex::default(),
            runtime: Some(runtime),
        })
    }

    /// The place in words, without secrets: `s3://bucket/prefix at https://host`.
    pub fn place(&self) -> String {
        match &self.settings {
            ObjectStore::Directory(path) => path.clone(),
            ObjectStore::S3(bucket) => {
                let slash = if bucket.prefix.is_empty() { "" } else { "/" };
                let at = bucket.endpoint.as_deref().unwrap_or("Amazon S3");
                format!("s3://{}{slash}{} at {at}", bucket.bucket, bucket.prefix)
            }
        }
    }

    /// Writes an object whole, over one that is there. A reader sees the old or the new, never a
    /// part.
    pub fn put(&self, key: &Key, bytes: Vec<u8>) -> Result<(), ObjectsError> {
        let path = self.path(key.as_str())?;
        self.run(|store| async move { store.put(&path, bytes.into()).await.map(drop) })
    }

    /// The length of an object; `None` where there is none.
    pub fn size(&self, key: &Key) -> Result<Option<u64>, ObjectsError> {
        let path = self.path(key.as_str())?;
        self.run(|store| async move {
            match store.head(&path).await {
                Ok(found) => Ok(Some(found.size)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// A whole object of at most `max` bytes; `None` where there is none.
    pub fn get(&self, key: &Key, max: u64) -> Result<Option<Vec<u8>>, ObjectsError> {
        match self.size(key)? {
            None => Ok(None),
            Some(0) => Ok(Some(Vec::new())),
            Some(size) => self.read_range(key, 0..size.min(max)).map(Some),
        }
    }

    /// Bytes of an object that is there and at least so long.
    pub(crate) fn read_range(&self, key: &Key, range: Range<u64>) -> Result<Vec<u8>, ObjectsError> {
        let path = self.path(key.as_str())?;
        self.run(|store| async move { store.get_range(&path, range).await }).map(Vec::from)
    }

    /// Everything of a run, by name.
    pub fn list(&self, run: &RunId) -> Result<Vec<Stored>, ObjectsError> {
        self.list_below(&format!("{RUNS}/{run}/"))
    }

    /// The artifacts that a run's gate judged, by name.
    pub fn list_artifacts(&self, run: &RunId) -> Result<Vec<Stored>, ObjectsError> {
        self.list_below(&artifacts(run))
    }

    fn list_below(&self, folder: &str) -> Result<Vec<Stored>, ObjectsError> {
        let path = self.path(folder)?;
        let found = self.run(|store| async move {
            store.list(Some(&path)).take(MAX_LISTED).try_collect::<Vec<_>>().await
        })?;
        let below = self.path(folder)?;
        let mut stored: Vec<Stored> = found
            .into_iter()
            .filter_map(|object| {
                let name = object.location.as_ref().strip_prefix(below.as_ref())?;
                let name = name.trim_start_matches('/').to_owned();
                Some(Stored { name, bytes: object.size })
            })
            .collect();
        stored.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(stored)
    }

    /// Deletes everything of a run; tells how many objects that were. Done again it finds none.
    pub fn delete_run(&self, run: &RunId) -> Result<u64, ObjectsError> {
        let path = self.path(&format!("{RUNS}/{run}/"))?;
        let mut deleted = 0;
        loop {
            let path = path.clone();
            let gone = self.run(|store| async move {
                let found: Vec<_> = store
                    .list(Some(&path))
                    .take(MAX_LISTED)
                    .map_ok(|object| object.location)
                    .try_collect()
                    .await?;
                let count = found.len() as u64;
                let all = futures_util::stream::iter(found).map(Ok).boxed();
                store.delete_stream(all).try_for_each(|_| std::future::ready(Ok(()))).await?;
                Ok(count)
            })?;
            deleted += gone;
            if gone < MAX_LISTED as u64 {
                return Ok(deleted);
            }
        }
    }

    /// Writes, reads and deletes a small object, to see whether all of that works; `name` keeps
    /// those who try at the same time apart.
    pub fn probe(&self, name: &RunId) -> Result<(), ObjectsError> {
        let key = Key::probe(name.as_str());
        self.put(&key, b"probe".to_vec())?;
        let read = self.get(&key, 5)?;
        let path = self.path(key.as_str())?;
        self.run(|store| async move { store.delete(&path).await })?;
        if read.as_deref() == Some(b"probe") {
            return Ok(());
        }
        let reason = "what was written is not what is read".to_owned();
        Err(ObjectsError::Unavailable { reason })
    }

    /// The library's path for a key, below the store's own prefix.
    fn path(&self, key: &str) -> Result<Path, ObjectsError> {
        let prefix = match &self.settings {
            ObjectStore::S3(bucket) => bucket.prefix.as_str(),
            ObjectStore::Directory(_) => "",
        };
        Path::parse(format!("{prefix}/{key}"))
            .map_err(|error| ObjectsError::Missing { reason: error.to_string() })
    }

    fn store(&self) -> Result<Arc<dyn Store>, ObjectsError> {
        let mut known = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*known {
            return Ok(Arc::clone(store));
        }
        let store = backend::open(&self.settings, &self.environment)?;
        *known = Some(Arc::clone(&store));
        Ok(store)
    }

    /// Does something with the store and waits for it, at most [`LIMIT`].
    fn run<T, F>(&self, act: impl FnOnce(Arc<dyn Store>) -> F) -> Result<T, ObjectsError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let store = self.store()?;
        let gone = || ObjectsError::Unavailable { reason: "it is being closed".to_owned() };
        let runtime = self.runtime.as_ref().ok_or_else(gone)?;
        let late = || ObjectsError::Unavailable {
            reason: format!("no answer within {} s", LIMIT.as_secs()),
        };
        let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, act(store)).await });
        ended.map_err(|_| late())?.map_err(|error| sorted(&error, &self.secrets))
    }
}
