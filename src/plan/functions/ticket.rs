//! Stable pseudo-random numbers: the same for a seed and a key on every machine and in every release.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use rust_decimal::Decimal;

use super::{Call, Native, text};
use crate::hir::Value;

pub(super) static TICKET: Native = Native { name: "orch_ticket", returns: |_| DataType::UInt64, compute };

/// A number between 0 and 2^64 that depends on the seed and the key alone. The hash is BLAKE3 over each
/// part as text preceded by its length in eight bytes, smallest first; the first eight bytes are the number, smallest first.
pub fn ticket(seed: &str, key: &[Value]) -> u64 {
    let key: Vec<String> = key.iter().map(text::exact).collect();
    of_texts(seed, key.iter().map(String::as_str))
}

pub(super) fn of_texts<'k>(seed: &'k str, key: impl IntoIterator<Item = &'k str>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(seed).chain(key) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

/// The number below which tickets belong to the share; `None` when all do.
pub fn ticket_threshold(share: Decimal) -> Option<u64> {
    if share >= Decimal::ONE {
        return None;
    }
    let mantissa = u128::try_from(share.mantissa()).unwrap_or(0);
    // share < 1, so mantissa < 10^scale: halve the digits until the product fits.
    let (mut mantissa, mut unit) = (mantissa, 10u128.pow(share.scale()));
    while mantissa >= 1 << 63 {
        mantissa /= 10;
        unit /= 10;
    }
    u64::try_from((mantissa << 64) / unit).ok()
}

fn compute(call: &Call<'_>) -> Result<ArrayRef> {
    let row = |row: usize| {
        let parts: Vec<String> =
            call.args.iter().map(|column| text::canonical(column, row).unwrap_or_default()).collect();
        let mut parts = parts.iter().map(String::as_str);
        parts.next().map(|seed| of_texts(seed, parts))
    };
    Ok(Arc::new((0..call.rows).map(row).collect::<UInt64Array>()))
}
