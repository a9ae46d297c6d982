//! The `file` driver: messages as rows of a CSV or NDJSON file, for printers, call centres and other partners.
//!
//! A batch is appended in one piece and synced before its outcomes are reported. A row whose key is in the file
//! already is not written again, and a row that a crash cut off is removed before the next is written, so the file
//! holds every message once. The key is the last column: a CSV row is whole when it ends in one.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    BoxFuture, Capabilities, Channel, ChannelError, Content, Dispatch, Idempotency, Outcome, OutgoingMessage, SendKey,
    blocking,
};
use crate::runtime::durable::{make_folder, parent, sync_folder};

/// A CSV or NDJSON file that messages are appended to.
pub struct Table {
    file: Arc<Mutex<Writer>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

/// The columns around the message's own fields.
const FIRST: &[&str] = &["address"];
const LAST: &[&str] = &["entity", "campaign", "run", "key"];

impl Table {
    /// A file whose name ends in `.csv` or `.ndjson`; `None` for other names.
    pub fn new(path: impl Into<PathBuf>) -> Option<Self> {
        let path = path.into();
        let format = match path.extension()?.to_str()? {
            "csv" => Format::Csv,
            "ndjson" => Format::Ndjson,
            _ => return None,
        };
        Some(Self { file: Arc::new(Mutex::new(Writer { path, format, open: None })) })
    }

    /// Does `work` with the file, where it may block.
    async fn with<T: Send + 'static>(&self, work: impl FnOnce(&mut Writer) -> T + Send + 'static) -> T {
        let file = Arc::clone(&self.file);
        blocking(move || work(&mut file.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Channel for Table {
    fn capabilities(&self) -> Capabilities {
        Capabilities { idempotency: Idempotency::Always, batch: 1_000, ..Capabilities::default() }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChannelError>> {
        Box::pin(self.with(|writer| {
            let path = writer.path.display().to_string();
            writer.opened().map(|_| ()).map_err(|error| {
                ChannelError::new(format!("cannot write `{path}`: {error}"), "set `path` to a file that can be written")
            })
        }))
    }

    fn delivered(&self, keys: Vec<SendKey>) -> BoxFuture<'_, Option<HashSet<SendKey>>> {
        Box::pin(self.with(move |writer| {
            let open = writer.opened().ok()?;
            Some(keys.into_iter().filter(|key| open.keys.contains(key)).collect())
        }))
    }

    fn send_batch(&self, batch: Vec<OutgoingMessage>, dispatch: Dispatch) -> BoxFuture<'_, ()> {
        Box::pin(self.with(move |writer| {
            for (key, outcome) in writer.append(&batch) {
                dispatch.report(key, outcome);
            }
        }))
    }
}

struct Writer {
    path: PathBuf,
    format: Format,
    open: Option<Opened>,
}

/// What is to become of a message.
enum Planned {
    /// Its row is written now.
    Fresh,
    /// This, whether writing works or not.
    Known(Outcome),
}

/// The file and what is in it.
struct Opened {
    file: File,
    keys: HashSet<SendKey>,
    /// The columns, once there are any.
    header: Option<Vec<String>>,
}

impl Writer {
    /// Appends the messages that are not in the file yet, all of them or none.
    fn append(&mut self, batch: &[OutgoingMessage]) -> Vec<(SendKey, Outcome)> {
        let path = self.path.display().to_string();
        let reason = |error: io::Error| format!("cannot write `{path}`: {error}");
        let (planned, fresh) = match self.try_append(batch, reason) {
            Ok(appended) => appended,
            Err(error) => {
                self.open = None;
                let outcome = Outcome::NotStarted { reason: reason(error) };
                return batch.iter().map(|message| (message.key, outcome.clone())).collect();
            }
        };
        if !matches!(fresh, Outcome::Sent { .. }) {
            // What the file holds now is not known: it is read again before the next row.
            self.open = None;
        }
        // Rows that were in the file before are there, and rows that it cannot hold are not.
        let outcome = |(key, planned): (SendKey, Planned)| match planned {
            Planned::Fresh => (key, fresh.clone()),
            Planned::Known(outcome) => (key, outcome),
        };
        planned.into_iter().map(outcome).collect()
    }

    /// What is to become of each message, and how writing the fresh ones ended. An error is one that came before anything
    /// was written.
    fn try_append(
        &mut self,
        batch: &[OutgoingMessage],
        reason: impl Fn(io::Error) -> String,
    ) -> io::Result<(Vec<(SendKey, Planned)>, Outcome)> {
        let format = self.format;
        let open = self.opened()?;
        let (mut rows, mut planned) = (Vec::new(), Vec::with_capacity(batch.len()));
        for message in batch {
            let plan = if open.keys.insert(message.key) {
                match open.row(format, message, &mut rows)? {
                    Outcome::Sent { .. } => Planned::Fresh,
                    refused => {
                        open.keys.remove(&message.key);
                        Planned::Known(refused)
                    }
                }
            } else {
                Planned::Known(Outcome::Sent { id: None })
            };
            planned.push((message.key, plan));
        }
        let before = open.file.seek(SeekFrom::End(0))?;
        let fresh = match open.file.write_all(&rows).and_then(|()| open.file.sync_data()) {
            Ok(()) => Outcome::Sent { id: None },
            // A part of the rows may be there, whole: whoever is told that they did not start must be able to rely on it.
            Err(error) => match open.file.set_len(before).and_then(|()| open.file.sync_data()) {
                Ok(()) => Outcome::NotStarted { reason: reason(error) },
                Err(_) => Outcome::Unknown { reason: reason(error) },
            },
        };
        Ok((planned, fresh))
    }

    /// The file, opened and repaired at the first use.
    fn opened(&mut self) -> io::Result<&mut Opened> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let folder = parent(&self.path);
                make_folder(folder)?;
                let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path)?;
                sync_folder(folder)?;
                Opened::read(file, self.format)?
            }
        };
        Ok(self.open.insert(open))
    }
}

impl Opened {
    /// Finds the whole rows and cuts off the one that a crash left behind them.
    fn read(mut file: File, format: Format) -> io::Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // A cut can fall inside a character.
        let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let mut open = Self { file, keys: HashSet::new(), header: None };
        let whole = match format {
            Format::Csv => open.read_csv(text)?,
            Format::Ndjson => open.read_ndjson(text),
        };
        if !is_remainder(&bytes[whole..], whole == 0, format) {
            return Err(io::Error::other("it holds something that this channel has not written"));
        }
        open.file.set_len(whole as u64)?;
        open.file.seek(SeekFrom::End(0))?;
        Ok(open)
    }

    /// Gives where the whole rows end.
    fn read_csv(&mut self, text: &str) -> io::Result<usize> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut whole = 0;
        while reader.read_record(&mut record)? {
            let end = reader.position().byte() as usize;
            let last = record.iter().next_back();
            match (&self.header, last.and_then(SendKey::parse)) {
                _ if !text[..end].ends_with('\n') => break,
                (None, _) if last == LAST.last().copied() => {
                    self.header = Some(record.iter().map(str::to_owned).collect());
                }
                (Some(_), Some(key)) => {
                    self.keys.insert(key);
                }
                _ => break,
            }
            whole = end;
        }
        Ok(whole)
    }

    /// Gives where the whole rows end.
    fn read_ndjson(&mut self, text: &str) -> usize {
        let mut whole = 0;
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let row = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
            let Some(key) = row["key"].as_str().and_then(SendKey::parse) else { break };
            self.keys.insert(key);
            whole += line.len();
        }
        whole
    }

    /// Adds one row to `rows`.
    fn row(&mut self, format: Format, message: &OutgoingMessage, rows: &mut Vec<u8>) -> io::Result<Outcome> {
        let row = columns(message);
        match format {
            Format::Ndjson => {
                let object: serde_json::Map<_, _> =
                    row.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                serde_json::to_writer(&mut *rows, &object)?;
                rows.push(b'\n');
            }
            Format::Csv => {
                let names = row.iter().map(|(name, _)| *name);
                let mut writer = csv::Writer::from_writer(&mut *rows);
                match &self.header {
                    Some(header) if header.iter().map(String::as_str).eq(names.clone()) => {}
                    Some(header) => {
                        let reason = format!("the file has the columns {}", header.join(", "));
                        return Ok(Outcome::Failed { code: "columns".to_owned(), reason });
                    }
                    None => {
                        writer.write_record(names.clone())?;
                        self.header = Some(names.map(str::to_owned).collect());
                    }
                }
                writer.write_record(row.iter().map(|(_, value)| value))?;
                writer.flush()?;
            }
        }
        Ok(Outcome::Sent { id: None })
    }
}

/// Whether the end of a file can be what a crash left of one row, rather than somebody's data: no whole row is in it,
/// and at the start of the file it begins as ours do.
fn is_remainder(rest: &[u8], at_start: bool, format: Format) -> bool {
    let begin: &[u8] = match format {
        Format::Csv => b"address,",
        Format::Ndjson => b"{\"address\":",
    };
    let shared = rest.len().min(begin.len());
    let ends_row = |line: &[u8]| {
        let line = line.strip_suffix(b"\"}").unwrap_or(line);
        line.last_chunk::<32>().and_then(|key| str::from_utf8(key).ok()).and_then(SendKey::parse).is_some()
    };
    let mut lines = rest.split(|byte| *byte == b'\n');
    // What follows the last line end is no line.
    lines.next_back();
    let one_line = !rest.contains(&b'\n');
    (!at_start || rest[..shared] == begin[..shared])
        && (one_line || (format == Format::Csv && !at_start))
        && !lines.any(ends_row)
}

/// Names and values of a message's columns.
fn columns(message: &OutgoingMessage) -> Vec<(&str, String)> {
    let context = &message.context;
    let mut values = vec![(FIRST[0], message.address.clone())];
    match &message.content {
        Content::Email(email) => {
            values.push(("subject", email.subject.clone()));
            values.push(("text", email.text.clone().unwrap_or_default()));
            values.push(("html", email.html.clone().unwrap_or_default()));
        }
        Content::Fields(fields) => {
            values.extend(fields.iter().map(|(name, value)| (name.as_str(), value.clone())));
        }
    }
    let last = [&message.entity, &context.campaign, &context.run].map(Clone::clone);
    values.extend(LAST.iter().copied().zip(last.into_iter().chain([message.key.to_string()])));
    values
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::runtime::channels::testing::{outcomes, sms};

    async fn sent(table: &Table, messages: &[OutgoingMessage]) -> usize {
        let sent = outcomes(table, messages.to_vec()).await;
        sent.iter().filter(|(_, outcome)| *outcome == Outcome::Sent { id: None }).count()
    }

    #[tokio::test]
    async fn a_message_is_one_row_however_often_it_is_sent() {
        for name in ["out/letters.csv", "out/letters.ndjson"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let messages = [sms(1, "Hello, \"Zoë\"\nline two"), sms(2, "🙂")];
            let table = Table::new(&path).unwrap();
            assert!(table.check().await.is_ok());
            assert_eq!(sent(&table, &messages).await, 2);
            let once = fs::read_to_string(&path).unwrap();
            assert_eq!(sent(&table, &messages).await, 2);
            assert_eq!(sent(&Table::new(&path).unwrap(), &messages).await, 2);
            assert_eq!(fs::read_to_string(&path).unwrap(), once);
        }
    }

    #[tokio::test]
    async fn a_row_that_a_crash_cut_off_is_written_again() {
        for name in ["letters.csv", "letters.ndjson"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let messages = [sms(1, "one\nline"), sms(2, "Zoë,\n,\n\"two\"\n")];
            sent(&Table::new(&path).unwrap(), &messages).await;
            let whole = fs::read(&path).unwrap();
            for cut in 0..whole.len() {
                fs::write(&path, &whole[..cut]).unwrap();
                assert_eq!(sent(&Table::new(&path).unwrap(), &messages).await, 2);
                let again = fs::read(&path).unwrap();
                assert_eq!(String::from_utf8(again), String::from_utf8(whole.clone()), "{name} cut at {cut}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_not_said_to_lack_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letters.csv");
        let table = Table::new(&path).unwrap();
        assert_eq!(sent(&table, &[sms(1, "one")]).await, 1);
        let before = fs::read(&path).unwrap();
        // Neither writing nor taking it back works.
        if let Some(open) = &mut table.file.lock().unwrap().open {
            open.file = File::open(&path).unwrap();
        }
        let outcomes = outcomes(&table, vec![sms(1, "one"), sms(2, "two")]).await;
        assert_eq!(outcomes[0].1, Outcome::Sent { id: None }, "it was there before");
        assert!(
            matches!(&outcomes[1].1, Outcome::Unknown { reason } if reason.contains("letters.csv")),
            "{outcomes:?}"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(sent(&table, &[sms(1, "one"), sms(2, "two")]).await, 2, "it is opened anew");
    }

    #[tokio::test]
    async fn the_data_of_others_is_left_alone() {
        let row = format!("+33600000001,one,1,vip,vip-7K2M,{}\n", sms(1, "").key);
        let edited = format!("address,body,entity,campaign,run,key\nsomebody,wrote,this\n{row}");
        let files = [
            ("people.csv", "id,email\n1,ann@shop.test\n"),
            ("people.csv", "id"),
            ("people.csv", "address,city\nhere,there\n"),
            ("people.csv", &edited),
            ("people.ndjson", "{\"id\": 1}\n"),
            ("people.ndjson", "{\"address\":\"x\"}\n"),
        ];
        for (name, text) in files {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            let table = Table::new(folder.path().join(name)).unwrap();
            let error = table.check().await.unwrap_err();
            assert!(error.message.ends_with("it holds something that this channel has not written"), "{text}: {error}");
            assert_eq!(sent(&table, &[sms(1, "one")]).await, 0);
            assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn a_csv_file_keeps_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::new(folder.path().join("letters.csv")).unwrap();
        let mut other = sms(2, "two");
        other.content = Content::Fields(vec![("text".to_owned(), "two".to_owned())]);
        assert_eq!(sent(&table, &[sms(1, "one"), other.clone()]).await, 1);
        let text = fs::read_to_string(folder.path().join("letters.csv")).unwrap();
        let key = sms(1, "").key;
        assert_eq!(text, format!("address,body,entity,campaign,run,key\n+33600000001,one,1,vip,vip-7K2M,{key}\n"));
    }
}
