//! Files in object stores that speak S3: `entity orders from "s3://bucket/orders/*.parquet"`.
//!
//! How to reach a bucket is said by the source of the manifest whose `url` begins as the path does, or by the usual
//! variables of the environment (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL` and so on). Nothing is downloaded as
//! a whole: text is read part by part, of Parquet files those parts that a query needs.

mod read;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::object_store::aws::AmazonS3Builder;
use datafusion::object_store::client::SpawnedReqwestConnector;
use datafusion::object_store::path::Path as Key;
use datafusion::object_store::{ClientOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use futures::TryStreamExt;

pub(crate) use read::{Handle, Remote};
pub(super) use table::registered;

use super::error::SourceError;
use super::files::{SourceFile, folder_value, matches, same_folders, unescaped};
use super::thread::{handle, wait};
use crate::base::did_you_mean;
use crate::runtime::bindings::{ObjectAccess, SourceBinding};

/// What a location in an object store begins with.
pub(super) const SCHEME: &str = "s3://";

/// How long a request may take to begin, and all its repetitions together.
const CONNECT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);

/// The object stores of a project.
#[derive(Default)]
pub struct Objects {
    bindings: BTreeMap<String, SourceBinding>,
    stores: Mutex<BTreeMap<String, Arc<Bucket>>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Objects(...)")
    }
}

/// A bucket, and how to reach it.
#[derive(Debug)]
pub(crate) struct Bucket {
    name: String,
    store: Arc<dyn ObjectStore>,
    /// The address under which the query engine knows it: two sources may call different buckets by one name.
    url: String,
}

/// An object as it was when it was looked for.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub bucket: Arc<Bucket>,
    pub meta: ObjectMeta,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.bucket.url == other.bucket.url && self.meta == other.meta
    }
}

impl Eq for Object {}

impl Objects {
    /// Those that the sources of a manifest lead to.
    pub fn new(bindings: &BTreeMap<String, SourceBinding>) -> Self {
        Self { bindings: bindings.clone(), stores: Mutex::default() }
    }

    /// The objects that a location means: one, those of a pattern, or those of a folder, in the order of their names.
    pub(crate) fn find(&self, location: &str) -> Result<Vec<SourceFile>, SourceError> {
        let (bucket, key) = self.bucket(location)?;
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        if name.contains(['*', '?']) {
            if folder.contains(['*', '?']) {
                return Err(SourceError::pattern_in_folder());
            }
            let objects = list(&bucket, folder, location)?.objects;
            let wanted = objects.into_iter().filter(|object| matches(name, base_name(object)));
            return some(wanted.map(|object| file(&bucket, object, Vec::new())).collect(), location);
        }
        if !key.is_empty()
            && !key.ends_with('/')
            && let Some(object) = head(&bucket, key, location)?
        {
            return Ok(vec![file(&bucket, object, Vec::new())]);
        }
        let found = folder_files(&bucket, key.trim_end_matches('/'), location)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let names: Vec<String> =
            list(&bucket, folder, location)?.objects.iter().map(|object| base_name(object).to_owned()).collect();
        let prefix = location.strip_suffix(name).unwrap_or(location);
        let nearest = did_you_mean(name, names.iter().map(String::as_str)).map(|near| format!("{prefix}{near}"));
        Err(SourceError::Missing { shown: location.to_owned(), nearest, folder: prefix.to_owned() })
    }

    /// The sources that a location means: itself, or what a folder of different files holds.
    pub(crate) fn sources_at(&self, location: &str) -> Result<Vec<String>, SourceError> {
        let (bucket, key) = self.bucket(location)?;
        let is_pattern = key.contains(['*', '?']);
        if is_pattern || (!key.is_empty() && !key.ends_with('/') && head(&bucket, key, location)?.is_some()) {
            return Ok(vec![location.to_owned()]);
        }
        let listed = list(&bucket, key.trim_end_matches('/'), location)?;
        if listed.folders.iter().any(|folder| folder.contains('=')) {
            return Ok(vec![location.to_owned()]);
        }
        let path = |key: &str| format!("{SCHEME}{}/{key}", bucket.name);
        let holds_rows =
            |object: &&ObjectMeta| super::files::format(&file(&bucket, (*object).clone(), Vec::new())).is_ok();
        let mut found: Vec<String> =
            listed.objects.iter().filter(holds_rows).map(|object| path(object.location.as_ref())).collect();
        for folder in &listed.folders {
            let below = format!("{}/{folder}", key.trim_end_matches('/'));
            let below = below.trim_start_matches('/');
            if list(&bucket, below, location)?.folders.iter().any(|inner| inner.contains('=')) {
                found.push(path(below));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The names of what a folder holds: its folders and its objects.
    pub(crate) fn names(&self, location: &str) -> Result<Vec<String>, SourceError> {
        let (bucket, key) = self.bucket(location)?;
        let listed = list(&bucket, key.trim_end_matches('/'), location)?;
        let objects = listed.objects.iter().map(|object| base_name(object).to_owned());
        Ok(listed.folders.into_iter().chain(objects).collect())
    }

    /// The bucket of a location, and what is behind it.
    fn bucket<'l>(&self, location: &'l str) -> Result<(Arc<Bucket>, &'l str), SourceError> {
        let rest = location.strip_prefix(SCHEME).unwrap_or(location);
        let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(SourceError::Option {
                message: format!("`{location}` names no bucket"),
                help: "write `\"s3://BUCKET/FOLDER/*.parquet\"`".to_owned(),
            });
        }
        // The source that says most about the path.
        let fits = |url: &str| location == url || location.starts_with(&format!("{}/", url.trim_end_matches('/')));
        let said = self.bindings.iter().filter_map(|(source, binding)| {
            let url = binding.url.as_ref().ok()?.expose();
            (url.starts_with(SCHEME) && fits(url)).then_some((url.len(), source, binding))
        });
        let said = said.max_by_key(|(length, ..)| *length);
        let source = said.map_or("", |(_, source, _)| source);
        let known = format!("{source} {name}");
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = stores.get(&known) {
            return Ok((Arc::clone(bucket), key));
        }
        let store = store(name, said.map(|(_, _, binding)| binding), location)?;
        // A scheme of our own keeps apart what is called the same.
        let url = format!("orch-{}://{name}/", &blake3::hash(known.as_bytes()).to_hex()[..16]);
        let bucket = Arc::new(Bucket { name: name.to_owned(), store, url });
        stores.insert(known, Arc::clone(&bucket));
        Ok((bucket, key))
    }
}

impl Object {
    /// The address of the object for the query engine.
    pub fn url(&self) -> String {
        let mut url = self.bucket.url.clone();
        for byte in self.meta.location.as_ref().bytes() {
            match byte {
                b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => url.push(byte.into()),
                _ => url.push_str(&format!("%{byte:02X}")),
            }
        }
        url
    }

    /// What tells a changed object from an unchanged one: its tag, or when it was written.
    pub fn tag(&self) -> String {
        self.meta.e_tag.clone().unwrap_or_else(|| self.meta.last_modified.to_rfc3339())
    }

    /// The same object as it is now.
    pub fn again(&self, shown: &str) -> Result<Option<Self>, SourceError> {
        let meta = head(&self.bucket, self.meta.location.as_ref(), shown)?;
        Ok(meta.map(|meta| Self { bucket: Arc::clone(&self.bucket), meta }))
    }
}

/// A client of a bucket. Nothing is asked yet.
fn store(bucket: &str, binding: Option<&SourceBinding>, location: &str) -> Result<Arc<dyn ObjectStore>, SourceError> {
    let unreadable = |reason: String| SourceError::Unreadable { shown: location.to_owned(), reason };
    let retry = RetryConfig { max_retries: 4, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
    let mut http = false;
    if let Some(binding) = binding {
        let access = binding.objects.as_ref().map_err(|problem| SourceError::Problem(problem.clone()))?;
        let ObjectAccess { endpoint, region, access_key, secret_key, session_token, anonymous } = access;
        if let Some(endpoint) = endpoint {
            http = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        if let (Some(key), Some(secret)) = (access_key, secret_key) {
            builder = builder.with_access_key_id(key.expose()).with_secret_access_key(secret.expose());
        }
        if let Some(token) = session_token {
            builder = builder.with_token(token.expose());
        }
        builder = builder.with_skip_signature(*anonymous);
    }
    // After the builder has looked at the environment, which may name an endpoint without encryption, too.
    let options = ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(PATIENCE);
    let plain = http || builder_allows_http(&builder);
    builder = builder.with_client_options(options.with_allow_http(plain));
    builder = builder.with_http_connector(SpawnedReqwestConnector::new(handle().map_err(unreadable)?.clone()));
    let store = builder.build().map_err(|error| unreadable(words(&error)))?;
    Ok(Arc::new(store))
}

/// Does the environment name an endpoint without encryption?
fn builder_allows_http(builder: &AmazonS3Builder) -> bool {
    use datafusion::object_store::aws::AmazonS3ConfigKey::Endpoint;
    builder.get_config_value(&Endpoint).is_some_and(|endpoint| endpoint.starts_with("http://"))
}

/// What is directly in a folder.
struct Listed {
    objects: Vec<ObjectMeta>,
    /// Names of folders.
    folders: Vec<String>,
}

fn list(bucket: &Bucket, folder: &str, location: &str) -> Result<Listed, SourceError> {
    let (store, prefix, shown) = (Arc::clone(&bucket.store), key(folder, location)?, location.to_owned());
    let found = wait(location, async move {
        store.list_with_delimiter(Some(&prefix)).await.map_err(|error| failed(&shown, &error))
    })?;
    let visible = |object: &ObjectMeta| !base_name(object).starts_with('.') && object.size > 0;
    let mut objects: Vec<ObjectMeta> = found.objects.into_iter().filter(visible).collect();
    objects.sort_by(|a, b| a.location.cmp(&b.location));
    let folders = found.common_prefixes.iter().filter_map(|folder| folder.filename().map(str::to_owned)).collect();
    Ok(Listed { objects, folders })
}

/// The files of a folder: those below folders called `COLUMN=VALUE`, or those of one kind directly in it.
fn folder_files(bucket: &Arc<Bucket>, folder: &str, location: &str) -> Result<Vec<SourceFile>, SourceError> {
    let listed = list(bucket, folder, location)?;
    if !listed.folders.iter().any(|folder| folder.contains('=')) {
        let mut files: Vec<SourceFile> =
            listed.objects.into_iter().map(|object| file(bucket, object, Vec::new())).collect();
        let first = files.first().and_then(|file| super::files::extension(&file.path));
        files.retain(|file| super::files::extension(&file.path) == first);
        return Ok(files);
    }
    let (store, prefix, shown) = (Arc::clone(&bucket.store), key(folder, location)?, location.to_owned());
    let mut objects: Vec<ObjectMeta> = wait(location, async move {
        store.list(Some(&prefix)).try_collect().await.map_err(|error| failed(&shown, &error))
    })?;
    objects.sort_by(|a, b| a.location.cmp(&b.location));
    let mut files = Vec::new();
    for object in objects.into_iter().filter(|object| object.size > 0 && !base_name(object).starts_with(['.', '_'])) {
        let inner = object.location.as_ref().get(folder.len()..).unwrap_or_default().trim_start_matches('/');
        let names: Vec<&str> = inner.split('/').collect();
        let folders = names[..names.len() - 1].iter().map(|name| name.split_once('='));
        // Files beside the folders belong to no partition.
        if let Some(folders) = folders.collect::<Option<Vec<_>>>().filter(|folders| !folders.is_empty()) {
            let folders = folders.into_iter().map(|(column, value)| (unescaped(column), folder_value(value))).collect();
            files.push(file(bucket, object, folders));
        }
    }
    same_folders(&files)?;
    some(files, &format!("{location}/*"))
}

fn file(bucket: &Arc<Bucket>, meta: ObjectMeta, folders: Vec<(String, Option<String>)>) -> SourceFile {
    let shown = format!("{SCHEME}{}/{}", bucket.name, meta.location);
    let object = Object { bucket: Arc::clone(bucket), meta };
    SourceFile { path: PathBuf::from(&shown), shown, folders, object: Some(object) }
}

fn head(bucket: &Bucket, name: &str, location: &str) -> Result<Option<ObjectMeta>, SourceError> {
    let (store, key, shown) = (Arc::clone(&bucket.store), key(name, location)?, location.to_owned());
    wait(location, async move {
        match store.head(&key).await {
            Ok(meta) => Ok(Some(meta)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(&shown, &error)),
        }
    })
}

fn key(name: &str, location: &str) -> Result<Key, SourceError> {
    Key::parse(name).map_err(|error| SourceError::Unreadable { shown: location.to_owned(), reason: error.to_string() })
}

fn base_name(object: &ObjectMeta) -> &str {
    object.location.filename().unwrap_or_default()
}

fn some(files: Vec<SourceFile>, shown: &str) -> Result<Vec<SourceFile>, SourceError> {
    if files.is_empty() { Err(SourceError::NoMatch { shown: shown.to_owned() }) } else { Ok(files) }
}

fn failed(shown: &str, error: &Error) -> SourceError {
    SourceError::Store { shown: shown.to_owned(), reason: words(error), denied: is_denied(error) }
}

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
        || error.to_string().contains("169.254.169.254")
}

/// What went wrong. Answers of servers are XML, and addresses may hold signatures: neither is repeated.
fn words(error: &Error) -> String {
    let all = error.to_string();
    let between = |begin: &str, end: &str| {
        let (_, rest) = all.split_once(begin)?;
        rest.split_once(end).map(|(inner, _)| inner.to_owned())
    };
    match error {
        Error::NotFound { .. } if all.contains("NoSuchBucket") => "there is no such bucket".to_owned(),
        Error::NotFound { .. } => "there is no such object".to_owned(),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            let said = between("<Code>", "</Code>").unwrap_or_default();
            if said.is_empty() { "access is denied".to_owned() } else { format!("access is denied ({said})") }
        }
        Error::Precondition { .. } => "it changed while it was read".to_owned(),
        _ if all.contains("169.254.169.254") => "no access key is known".to_owned(),
        _ if all.contains("NoSuchBucket") => "there is no such bucket".to_owned(),
        _ => match between("<Message>", "</Message>") {
            Some(message) => message.trim_end_matches('.').to_lowercase(),
            None => innermost(error),
        },
    }
}

/// The last cause, which is the operating system's.
fn innermost(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().trim_end_matches('.').to_lowercase()
}
