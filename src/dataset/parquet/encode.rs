//! Arrow values as JSON text.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array,
    LargeStringArray, StringArray, UInt64Array, make_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One column of a batch, ready to be put as JSON row by row.
pub(super) struct Cells {
    nulls: Option<NullBuffer>,
    kind: Kind,
}

enum Kind {
    Nothing,
    Truth(BooleanArray),
    Whole(Int64Array),
    Unsigned(UInt64Array),
    Single(Float32Array),
    Double(Float64Array),
    Text(StringArray),
    LargeText(LargeStringArray),
    /// Digits that no binary number holds.
    Digits(StringArray),
    /// Points in time in UTC, which their text does not say by itself.
    Instant(StringArray),
    Bytes(BinaryArray),
    List(OffsetBuffer<i32>, Box<Cells>),
    Object(Vec<(String, Cells)>),
}

/// Says which part of a column cannot be put as JSON, by its path and type.
pub(super) fn unreadable(field: &Field) -> Option<String> {
    let inner = match field.data_type() {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => unreadable(item),
        DataType::Struct(fields) => fields.iter().find_map(|field| unreadable(field)),
        DataType::Dictionary(_, values) => {
            return unreadable(&Field::new(field.name(), (**values).clone(), true));
        }
        DataType::Interval(_)
        | DataType::Union(_, _)
        | DataType::RunEndEncoded(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => {
            return Some(format!(
                "`{}` is of the type {}",
                field.name(),
                field.data_type()
            ));
        }
        _ => None,
    };
    inner.map(|inner| format!("`{}`: {inner}", field.name()))
}

impl Cells {
    /// Takes a column in.
    ///
    /// # Errors
    ///
    /// When its values do not fit their type.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        let to = |target: &DataType| cast(array, target);
        let kind = match array.data_type() {
            DataType::Null => Kind::Nothing,
            DataType::Boolean => Kind::Truth(array.as_boolean().clone()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Duration(_) => {
                Kind::Whole(to(&DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
                Kind::Unsigned(to(&DataType::UInt64)?.as_primitive::<UInt64Type>().clone())
            }
            DataType::Float16 | DataType::Float32 => Kind::Single(
                to(&DataType::Float32)?
                    .as_primitive::<Float32Type>()
                    .clone(),
            ),
            DataType::Float64 => Kind::Double(array.as_primitive::<Float64Type>().clone()),
            DataType::LargeUtf8 => Kind::LargeText(array.as_string::<i64>().clone()),
            DataType::Dictionary(_, values) => return Self::of(&to(values)?),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Kind::Bytes(to(&DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => {
                Kind::Digits(to(&DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::Timestamp(unit, Some(_)) => {
                let plain = DataType::Timestamp(*unit, None);
                let plain = retyped(array, plain)?;
                Kind::Instant(cast(&plain, &DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let items = Self::of(list.values())?;
                Kind::List(list.offsets().clone(), Box::new(items))
            }
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                return Self::of(&to(&DataType::List(Arc::clone(item)))?);
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                Kind::List(map.offsets().clone(), Box::new(Self::of(&entries)?))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let columns =
                    columns.map(|(field, column)| Ok((key(field.name()), Self::of(column)?)));
                Kind::Object(columns.collect::<Result<_, ArrowError>>()?)
            }
            // Text, and what is told best in text: dates and times.
            _ => Kind::Text(to(&DataType::Utf8)?.as_string::<i32>().clone()),
        };
        Ok(Self {
            nulls: array.nulls().cloned(),
            kind,
        })
    }

    /// Puts the value of a row behind `line`.
    pub(super) fn write(&self, row: usize, line: &mut Vec<u8>) {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            line.extend_from_slice(b"null");
            return;
        }
        match &self.kind {
            Kind::Nothing => line.extend_from_slice(b"null"),
            Kind::Truth(values) => json(line, &values.value(row)),
            Kind::Whole(values) => json(line, &values.value(row)),
            Kind::Unsigned(values) => json(line, &values.value(row)),
            // What is no number becomes null here.
            Kind::Single(values) => json(line, &values.value(row)),
            Kind::Double(values) => json(line, &values.value(row)),
            Kind::Text(values) => json(line, values.value(row)),
            Kind::LargeText(values) => json(line, values.value(row)),
            Kind::Digits(values) => line.extend_from_slice(values.value(row).as_bytes()),
            Kind::Instant(values) => {
                line.push(b'"');
                line.extend_from_slice(values.value(row).as_bytes());
                line.extend_from_slice(b"Z\"");
            }
            Kind::Bytes(values) => json(line, &STANDARD.encode(values.value(row))),
            Kind::List(offsets, items) => {
                let (start, end) = (offsets[row], offsets[row + 1]);
                line.push(b'[');
                for item in start..end {
                    if item > start {
                        line.push(b',');
                    }
                    items.write(usize::try_from(item).unwrap_or_default(), line);
                }
                line.push(b']');
            }
            Kind::Object(fields) => write_object(fields, row, line),
        }
    }
}

/// Puts one row of several columns, each with its [`key`], as an object.
pub(super) fn write_object(columns: &[(String, Cells)], row: usize, line: &mut Vec<u8>) {
    line.push(b'{');
    for (number, (key, cells)) in columns.iter().enumerate() {
        if number > 0 {
            line.push(b',');
        }
        line.extend_from_slice(key.as_bytes());
        cells.write(row, line);
    }
    line.push(b'}');
}

/// A column's name as it stands before its value.
pub(super) fn key(name: &str) -> String {
    let mut key = serde_json::to_string(name).expect("a text is JSON");
    key.push(':');
    key
}

/// The same values under another type of the same layout.
pub(super) fn retyped(array: &ArrayRef, data_type: DataType) -> Result<ArrayRef, ArrowError> {
    let data = array
        .to_data()
        .into_builder()
        .data_type(data_type)
        .build()?;
    Ok(make_array(data))
}

fn json<T: serde::Serialize + ?Sized>(line: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(line, value).expect("a value is JSON");
}
