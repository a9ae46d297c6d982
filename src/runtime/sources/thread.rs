//! The thread on which connections to servers live, so that they can be used from any other, with or without an async
//! runtime of its own.

use std::sync::OnceLock;

use tokio::runtime::{Handle, Runtime};

use super::error::SourceError;

/// The thread that reads from and writes to servers.
pub(super) fn handle() -> Result<&'static Handle, String> {
    static THREAD: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = THREAD.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("servers").enable_all().build().map_err(|error| error.to_string())
    });
    runtime.as_ref().map(Runtime::handle).map_err(Clone::clone)
}

/// Runs a future on the servers' thread and waits for it. Not to be called on that thread.
pub(super) fn wait<T: Send + 'static>(
    shown: &str,
    future: impl Future<Output = Result<T, SourceError>> + Send + 'static,
) -> Result<T, SourceError> {
    let broken = |reason: String| SourceError::Unreadable { shown: shown.to_owned(), reason };
    let (sender, receiver) = std::sync::mpsc::channel();
    handle().map_err(broken)?.spawn(async move {
        // Nobody listens any more: the answer is lost with the question.
        let _ = sender.send(future.await);
    });
    receiver.recv().unwrap_or_else(|_| Err(broken("its thread has ended".to_owned())))
}
