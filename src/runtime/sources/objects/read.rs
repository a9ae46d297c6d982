//! Reading a file part by part, wherever it is.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::Arc;

use datafusion::object_store::{GetOptions, GetRange, ObjectStore, PutPayload};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};

use super::{Object, failed};
use crate::runtime::sources::error::SourceError;
use crate::runtime::sources::thread::wait;

/// Bytes that are asked for at once.
const PART: u64 = 4 << 20;

/// The kind of bytes that the Parquet reader wants; nothing else names it here.
type Bytes = <PutPayload as IntoIterator>::Item;

/// A file that is open.
pub(crate) enum Handle {
    Local(File),
    Remote(Remote),
}

/// A reader of an object, which holds one part of it.
#[derive(Clone)]
pub(crate) struct Remote {
    object: Arc<Object>,
    shown: Arc<str>,
    place: u64,
    /// The part that was read last, and where it begins.
    part: Option<(u64, Bytes)>,
}

impl Remote {
    /// At the beginning of an object.
    pub fn new(object: Object, shown: &str) -> Self {
        Self { object: Arc::new(object), shown: shown.into(), place: 0, part: None }
    }

    fn size(&self) -> u64 {
        self.object.meta.size
    }

    /// Some bytes. When the object is another by now, that is an error: parts of two do not make one.
    fn fetch(&self, from: u64, to: u64) -> std::result::Result<Bytes, SourceError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(from..to)),
            if_match: self.object.meta.e_tag.clone(),
            ..GetOptions::default()
        };
        let (object, shown) = (Arc::clone(&self.object), Arc::clone(&self.shown));
        wait(&self.shown, async move {
            let answer = object.bucket.store.get_opts(&object.meta.location, options).await;
            let bytes = match answer {
                Ok(answer) => answer.bytes().await,
                Err(error) => Err(error),
            };
            bytes.map_err(|error| failed(&shown, &error))
        })
    }
}

/// What went wrong, for readers that know errors of files only.
fn io_error(error: SourceError) -> Error {
    match error {
        SourceError::Store { reason, .. } | SourceError::Unreadable { reason, .. } => Error::other(reason),
        other => Error::other(other.to_string()),
    }
}

impl Read for Remote {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.place >= self.size() || buffer.is_empty() {
            return Ok(0);
        }
        let held = |(begin, bytes): &(u64, Bytes)| (*begin..begin + bytes.len() as u64).contains(&self.place);
        if !self.part.as_ref().is_some_and(held) {
            let end = (self.place + PART).min(self.size());
            self.part = Some((self.place, self.fetch(self.place, end).map_err(io_error)?));
        }
        let Some((begin, bytes)) = &self.part else { return Ok(0) };
        let rest = &bytes[(self.place - begin) as usize..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.size().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.place.checked_add_signed(offset),
        };
        self.place = place.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.place)
    }
}

impl Read for Handle {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Self::Local(file) => file.read(buffer),
            Self::Remote(remote) => remote.read(buffer),
        }
    }
}

impl Seek for Handle {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match self {
            Self::Local(file) => file.seek(to),
            Self::Remote(remote) => remote.seek(to),
        }
    }
}

impl Length for Handle {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => Length::len(file),
            Self::Remote(remote) => remote.size(),
        }
    }
}

impl ChunkReader for Handle {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        Ok(match self {
            Self::Local(file) => Box::new(file.get_read(start)?),
            Self::Remote(remote) => Box::new(BufReader::new(Remote { place: start, ..remote.clone() })),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        match self {
            Self::Local(file) => file.get_bytes(start, length),
            Self::Remote(remote) => remote
                .fetch(start, start + length as u64)
                .map_err(|error| ParquetError::General(io_error(error).to_string())),
        }
    }
}
