//! The value of the first row in an order, for each group.
//!
//! The engine has such a function, which compares rows value by value. Here the keys of an order become bytes that are
//! ordered as they are, a whole column at a time, and each group keeps those of its best row.

use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_null_array};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature, SortExpr, Volatility,
};
use datafusion::scalar::ScalarValue;

/// Of the rows of a group, the value of the one that comes first in this order, which is total: nulls come last in each
/// key. Null for no rows.
pub(crate) fn first(value: Expr, order: Vec<SortExpr>) -> Expr {
    let descending = order.iter().map(|key| !key.asc).collect();
    let function = First { signature: Signature::variadic_any(Volatility::Immutable), descending };
    let args = std::iter::once(value).chain(order.into_iter().map(|key| key.expr)).collect();
    AggregateUDF::from(function).call(args)
}

/// The function; its arguments are the value and the keys.
#[derive(PartialEq, Eq, Hash, Debug)]
struct First {
    signature: Signature,
    /// For each key.
    descending: Vec<bool>,
}

impl First {
    fn groups(&self, args: &AccumulatorArgs<'_>) -> Result<Groups> {
        let mut types = args.exprs.iter().map(|expr| expr.data_type(args.schema));
        let value = types.next().ok_or_else(no_value)??;
        let mut keys = Vec::with_capacity(self.descending.len());
        for (ty, descending) in types.zip(&self.descending) {
            keys.push((ty?, SortOptions { descending: *descending, nulls_first: false }));
        }
        Groups::new(value, keys)
    }
}

fn no_value() -> DataFusionError {
    DataFusionError::Internal("a first row without a value".to_owned())
}

impl AggregateUDFImpl for First {
    fn name(&self) -> &str {
        "orch_first"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(no_value)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One(self.groups(&args)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.groups(&args)?))
    }

    /// The value, the keys, and whether there was a row.
    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let of = |(at, field): (usize, &FieldRef)| {
            Arc::new(Field::new(format!("{}[{at}]", args.name), field.data_type().clone(), true))
        };
        let there = Arc::new(Field::new(format!("{}[there]", args.name), DataType::Boolean, true));
        Ok(args.input_fields.iter().enumerate().map(of).chain([there]).collect())
    }
}

/// The best row of a group.
#[derive(Default)]
struct Best {
    /// Its keys, then its value.
    bytes: Vec<u8>,
    /// Where the value begins; no row has come yet while it is 0.
    value: usize,
}

/// The best rows of all groups.
struct Groups {
    best: Vec<Best>,
    keys: RowConverter,
    values: RowConverter,
    /// What groups without a row hold.
    nothing: Best,
    /// Bytes of all rows.
    held: usize,
}

impl Groups {
    fn new(value: DataType, keys: Vec<(DataType, SortOptions)>) -> Result<Self> {
        let nulls: Vec<ArrayRef> = keys.iter().map(|(ty, _)| new_null_array(ty, 1)).collect();
        let keys = keys.into_iter().map(|(ty, options)| SortField::new_with_options(ty, options)).collect();
        let keys = RowConverter::new(keys)?;
        let values = RowConverter::new(vec![SortField::new(value.clone())])?;
        let mut nothing = Best::default();
        nothing.set(
            keys.convert_columns(&nulls)?.row(0).as_ref(),
            values.convert_columns(&[new_null_array(&value, 1)])?.row(0).as_ref(),
        );
        Ok(Self { best: Vec::new(), keys, values, nothing, held: 0 })
    }

    /// Looks at rows; those where `there` is not true do not count.
    fn look(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        there: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let (value, keys) = columns.split_first().ok_or_else(no_value)?;
        let keys = self.keys.convert_columns(keys)?;
        let values = self.values.convert_columns(std::slice::from_ref(value))?;
        self.best.resize_with(total.max(self.best.len()), Best::default);
        for (row, group) in groups.iter().enumerate() {
            if there.is_some_and(|there| there.is_null(row) || !there.value(row)) {
                continue;
            }
            let (key, best) = (keys.row(row), &mut self.best[*group]);
            if best.value == 0 || key.as_ref() < &best.bytes[..best.value] {
                let before = best.bytes.capacity();
                best.set(key.as_ref(), values.row(row).as_ref());
                self.held = self.held + best.bytes.capacity() - before;
            }
        }
        Ok(())
    }

    /// Gives rows away: the values, and their keys where they are asked for, and whether there is one.
    fn take(&mut self, emit_to: EmitTo, with_keys: bool) -> Result<(ArrayRef, Vec<ArrayRef>, BooleanArray)> {
        let taken = emit_to.take_needed(&mut self.best);
        self.held = self.held.saturating_sub(taken.iter().map(|best| best.bytes.capacity()).sum());
        let there = taken.iter().map(|best| Some(best.value > 0)).collect();
        let rows = || taken.iter().map(|best| if best.value > 0 { best } else { &self.nothing });
        let parser = self.values.parser();
        let mut values = self.values.convert_rows(rows().map(|best| parser.parse(&best.bytes[best.value..])))?;
        let keys = match with_keys {
            true => {
                let parser = self.keys.parser();
                self.keys.convert_rows(rows().map(|best| parser.parse(&best.bytes[..best.value])))?
            }
            false => Vec::new(),
        };
        Ok((values.pop().ok_or_else(no_value)?, keys, there))
    }
}

impl Best {
    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.value = key.len();
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.look(values, groups, filter, total)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        let (there, columns) = values.split_last().ok_or_else(no_value)?;
        self.look(columns, groups, Some(there.as_boolean()), total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.take(emit_to, false)?.0)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (value, keys, there) = self.take(emit_to, true)?;
        Ok(std::iter::once(value).chain(keys).chain([Arc::new(there) as ArrayRef]).collect())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let there = filter.cloned().unwrap_or_else(|| BooleanArray::from(vec![true; rows]));
        Ok(values.iter().cloned().chain([Arc::new(there) as ArrayRef]).collect())
    }

    fn size(&self) -> usize {
        self.held + self.best.capacity() * size_of::<Best>() + self.keys.size() + self.values.size()
    }
}

/// The best row where there is only one group.
struct One(Groups);

impl std::fmt::Debug for One {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "First")
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |column| column.len());
        self.0.look(values, &vec![0; rows], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |column| column.len());
        self.0.merge_batch(states, &vec![0; rows], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.best.resize_with(1, Best::default);
        ScalarValue::try_from_array(&self.0.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.best.resize_with(1, Best::default);
        let state = GroupsAccumulator::state(&mut self.0, EmitTo::All)?;
        state.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + GroupsAccumulator::size(&self.0)
    }
}
