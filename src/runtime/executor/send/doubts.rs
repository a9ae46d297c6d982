//! Settling what a killed process left in doubt, before something else is done with a send that nobody performs.

use std::collections::BTreeMap;
use std::path::Path;

use super::ledger::Rows;
use crate::runtime::channels::{Capabilities, Idempotency};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::error::RunError;
use crate::runtime::executor::BoundChannel;
use crate::runtime::executor::steps::file_of;
use crate::runtime::store::{Change, SendRecord, Store};

/// Records what the marks say of a send's messages, then takes the marks away: they are about attempts that are over.
/// `folder` is the run's.
pub(in crate::runtime) async fn resolve_doubts(
    store: &dyn Store,
    channels: &BTreeMap<String, BoundChannel>,
    send: &SendRecord,
    folder: &Path,
) -> Result<(), RunError> {
    let marks = folder.join(format!("{}.marks", file_of(&send.token, &send.step)));
    let always = Capabilities { idempotency: Idempotency::Always, ..Capabilities::default() };
    let capabilities = channels.get(&send.channel).map_or(always, |bound| bound.driver.capabilities());
    let (_, resolved) = Rows::load(store, send.id, &marks, &capabilities, false, WallClock.now())?;
    if !resolved.is_empty() {
        store.commit(vec![Change::Outcomes(send.id, resolved)]).await?;
    }
    match std::fs::remove_file(&marks) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(crate::runtime::executor::file_error(&marks, &error))
        }
        _ => Ok(()),
    }
}
