//! Compressed text files, unpacked as they are read: never more than a buffer of them is in memory.

use std::io::{BufReader, Error, ErrorKind, Read, Result};
use std::path::Path;

/// How the bytes of a file are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// What the name of a file says.
    pub fn of_path(path: &Path) -> Self {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// What the option `compression` says.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::Plain,
            "gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// As the option is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The bytes that are packed in `file`. Several packed pieces one after the other are one text.
    pub fn unpack(self, file: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
        let reader: Box<dyn Read + Send> = match self {
            Self::Plain => return Ok(Box::new(file)),
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file))),
            // A frame that wants a window of more than 128 MiB is refused.
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
        };
        Ok(Box::new(Unpacked { reader, packing: self, begun: false }))
    }
}

/// A reader that says what is wrong with packed bytes in words of ours.
struct Unpacked {
    reader: Box<dyn Read + Send>,
    packing: Packing,
    /// Has anything come out yet?
    begun: bool,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.reader.read(buffer).map_err(|error| self.explained(error))?;
        self.begun |= read > 0;
        Ok(read)
    }
}

impl Unpacked {
    fn explained(&self, error: Error) -> Error {
        let name = self.packing.name();
        let reason = match error.kind() {
            // What the operating system says is not about the bytes.
            _ if error.raw_os_error().is_some() => return error,
            ErrorKind::Interrupted => return error,
            ErrorKind::UnexpectedEof => format!("it is cut off: its {name} data has no end"),
            _ if !self.begun => {
                format!("it is not packed with {name}; if it is plain text, write `compression: none`")
            }
            _ => format!("its {name} data is damaged ({})", error.to_string().to_lowercase()),
        };
        Error::new(ErrorKind::InvalidData, reason)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn unpacked(packing: Packing, bytes: Vec<u8>) -> std::result::Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let mut reader = packing.unpack(std::io::Cursor::new(bytes)).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut text).map(|_| text).map_err(|error| error.to_string())
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn several_pieces_are_one_text() {
        let pieces = [gzip(b"id\n1\n"), gzip(b"2\n")].concat();
        assert_eq!(unpacked(Packing::Gzip, pieces).unwrap(), b"id\n1\n2\n");
        let frame = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
        let pieces = [frame(b"id\n1\n"), frame(b"2\n")].concat();
        assert_eq!(unpacked(Packing::Zstd, pieces).unwrap(), b"id\n1\n2\n");
    }

    #[test]
    fn what_is_wrong_with_the_bytes_is_said() {
        let noise: Vec<u8> = (0..100_000u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let packed = gzip(&noise);
        let cut = packed[..packed.len() / 2].to_vec();
        assert_eq!(unpacked(Packing::Gzip, cut).unwrap_err(), "it is cut off: its gzip data has no end");
        let cut = zstd::encode_all(&noise[..], 3).unwrap()[..50_000].to_vec();
        assert_eq!(unpacked(Packing::Zstd, cut).unwrap_err(), "it is cut off: its zstd data has no end");
        let plain = unpacked(Packing::Gzip, b"id,name\n1,Ann\n".to_vec()).unwrap_err();
        assert_eq!(plain, "it is not packed with gzip; if it is plain text, write `compression: none`");
        let plain = unpacked(Packing::Zstd, b"id,name\n1,Ann\n".to_vec()).unwrap_err();
        assert_eq!(plain, "it is not packed with zstd; if it is plain text, write `compression: none`");
        let mut damaged = packed;
        let last = damaged.len() - 6;
        damaged[last] ^= 0xFF;
        assert!(unpacked(Packing::Gzip, damaged).unwrap_err().starts_with("its gzip data is damaged"));
    }
}
