//! Lists put in order.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{SortOptions, take};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

use super::{Call, Given, Native};

/// Of a list of records `value, key0, key1, ...` the values in the order of the keys, nulls last. The second argument has
/// a sign for each key, `a` or `d`; without signs the list is one of values, which order themselves.
pub(super) static IN_ORDER: Native = Native { name: "orch_in_order", returns: list_of_values, compute: in_order };

fn list_of_values(given: &Given<'_>) -> DataType {
    match given.ty(0) {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields)
                if fields.len() > 1 && fields[0].name() == "value" && fields[1].name() == "key0" =>
            {
                DataType::new_list(fields[0].data_type().clone(), true)
            }
            other => DataType::new_list(other.clone(), true),
        },
        _ => DataType::Null,
    }
}

fn in_order(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.args[0].as_list::<i32>();
    let signs = call.text(1, 0).unwrap_or("").to_owned();
    // Of a slice of lists only the items that belong to it.
    let (first, last) = (lists.value_offsets()[0] as usize, lists.value_offsets()[lists.len()] as usize);
    let items = lists.values().slice(first, last - first);
    let (values, keys) = match signs.is_empty() {
        true => (items.clone(), vec![items]),
        false => {
            let records = items.as_struct();
            (records.column(0).clone(), records.columns()[1..].to_vec())
        }
    };
    let field = |(at, key): (usize, &ArrayRef)| {
        let descending = signs.as_bytes().get(at) == Some(&b'd');
        SortField::new_with_options(key.data_type().clone(), SortOptions { descending, nulls_first: false })
    };
    let converter = RowConverter::new(keys.iter().enumerate().map(field).collect())?;
    let rows = converter.convert_columns(&keys)?;
    let mut places: Vec<u64> = Vec::with_capacity(values.len());
    let mut lengths = Vec::with_capacity(lists.len());
    for (at, ends) in lists.value_offsets().windows(2).enumerate() {
        let from = places.len();
        if lists.is_valid(at) {
            places.extend((ends[0] as usize - first) as u64..(ends[1] as usize - first) as u64);
            places[from..].sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
        }
        lengths.push(places.len() - from);
    }
    let values = take(&values, &UInt64Array::from(places), None)?;
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let ordered = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, lists.nulls().cloned())?;
    Ok(Arc::new(ordered))
}
