//! Arrow columns out of JSON text, value by value.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, NullBufferBuilder, StringBuilder,
    UInt64Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, NullArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::encode::retyped;
use crate::dataset::json::{decode_text, is_text};
use crate::dataset::shape::Shape;

/// A column that is being filled.
pub(super) enum Column {
    Nothing(usize),
    Truth(BooleanBuilder),
    Whole(Int64Builder),
    Unsigned(UInt64Builder),
    Number(Float64Builder),
    Text(StringBuilder),
    /// Strings as they are, and everything else as JSON text.
    Mixed(StringBuilder),
    Bytes(BinaryBuilder),
    List {
        ends: Vec<i32>,
        nulls: NullBufferBuilder,
        items: Box<Column>,
    },
    Object {
        names: Vec<String>,
        fields: Vec<Column>,
        nulls: NullBufferBuilder,
    },
}

impl Column {
    /// An empty column for values of a type.
    pub(super) fn of_type(data_type: &DataType) -> Self {
        match data_type {
            DataType::Null => Self::Nothing(0),
            DataType::Boolean => Self::Truth(BooleanBuilder::new()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Duration(_) => Self::Whole(Int64Builder::new()),
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
                Self::Unsigned(UInt64Builder::new())
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                Self::Number(Float64Builder::new())
            }
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Mixed(StringBuilder::new()),
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Bytes(BinaryBuilder::new()),
            DataType::Dictionary(_, values) => Self::of_type(values),
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::Map(item, _) => Self::list(Self::of_type(item.data_type())),
            DataType::Struct(fields) => {
                let fields = fields.iter();
                Self::object(
                    fields.map(|field| (field.name().clone(), Self::of_type(field.data_type()))),
                )
            }
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// An empty column for values of a shape.
    pub(super) fn of_shape(shape: &Shape) -> Self {
        match shape {
            Shape::Truth => Self::Truth(BooleanBuilder::new()),
            Shape::Whole => Self::Whole(Int64Builder::new()),
            Shape::Number => Self::Number(Float64Builder::new()),
            Shape::Text => Self::Text(StringBuilder::new()),
            Shape::List(item) => Self::list(Self::of_shape(item)),
            Shape::Object(fields) if !fields.is_empty() => {
                let fields = fields.iter();
                Self::object(fields.map(|(name, shape)| (name.clone(), Self::of_shape(shape))))
            }
            // Whatever comes behind nothing but nulls widens the column.
            Shape::Nothing => Self::Nothing(0),
            Shape::Object(_) | Shape::Mixed => Self::Mixed(StringBuilder::new()),
        }
    }

    fn list(items: Self) -> Self {
        Self::List {
            ends: vec![0],
            nulls: NullBufferBuilder::new(0),
            items: Box::new(items),
        }
    }

    fn object(fields: impl Iterator<Item = (String, Self)>) -> Self {
        let (names, fields) = fields.unzip();
        Self::Object {
            names,
            fields,
            nulls: NullBufferBuilder::new(0),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Nothing(count) => *count,
            Self::Truth(values) => arrow_array::builder::ArrayBuilder::len(values),
            Self::Whole(values) => arrow_array::builder::ArrayBuilder::len(values),
            Self::Unsigned(values) => arrow_array::builder::ArrayBuilder::len(values),
            Self::Number(values) => arrow_array::builder::ArrayBuilder::len(values),
            Self::Text(values) | Self::Mixed(values) => {
                arrow_array::builder::ArrayBuilder::len(values)
            }
            Self::Bytes(values) => arrow_array::builder::ArrayBuilder::len(values),
            Self::List { nulls, .. } | Self::Object { nulls, .. } => nulls.len(),
        }
    }

    /// Adds a value given as JSON text.
    ///
    /// # Errors
    ///
    /// When it does not fit; the column is of no more use then.
    pub(super) fn append(&mut self, raw: &str) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(raw);
        self.deserialize(&mut deserializer)
    }

    /// Adds a null.
    pub(super) fn append_null(&mut self) {
        match self {
            Self::Nothing(count) => *count += 1,
            Self::Truth(values) => values.append_null(),
            Self::Whole(values) => values.append_null(),
            Self::Unsigned(values) => values.append_null(),
            Self::Number(values) => values.append_null(),
            Self::Text(values) | Self::Mixed(values) => values.append_null(),
            Self::Bytes(values) => values.append_null(),
            Self::List { ends, nulls, .. } => {
                ends.push(ends[ends.len() - 1]);
                nulls.append_null();
            }
            Self::Object { fields, nulls, .. } => {
                fields.iter_mut().for_each(Self::append_null);
                nulls.append_null();
            }
        }
    }

    /// What was added, as an array of that type; the column is empty then.
    ///
    /// # Errors
    ///
    /// When a value does not fit the type, as a text that is no date.
    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match self {
            Self::Nothing(count) => Arc::new(NullArray::new(std::mem::take(count))),
            Self::Truth(values) => Arc::new(values.finish()),
            Self::Whole(values) => Arc::new(values.finish()),
            Self::Unsigned(values) => Arc::new(values.finish()),
            Self::Number(values) => Arc::new(values.finish()),
            Self::Text(values) | Self::Mixed(values) => Arc::new(values.finish()),
            Self::Bytes(values) => Arc::new(values.finish()),
            Self::List { ends, nulls, items } => {
                let offsets =
                    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(ends, vec![0])));
                return finish_list(offsets, nulls.finish(), items, data_type);
            }
            Self::Object { fields, nulls, .. } => {
                let DataType::Struct(types) = data_type else {
                    return Err(ArrowError::CastError(format!(
                        "no {data_type} of an object"
                    )));
                };
                let columns = fields.iter_mut().zip(types);
                let columns = columns.map(|(column, field)| column.finish(field.data_type()));
                let columns = columns.collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new(
                    types.clone(),
                    columns,
                    nulls.finish(),
                )?)
            }
        };
        convert(&array, data_type)
    }
}

fn finish_list(
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    items: &mut Column,
    data_type: &DataType,
) -> Result<ArrayRef, ArrowError> {
    let (DataType::List(item)
    | DataType::LargeList(item)
    | DataType::FixedSizeList(item, _)
    | DataType::Map(item, _)) = data_type
    else {
        return Err(ArrowError::CastError(format!("no {data_type} of a list")));
    };
    let values = items.finish(item.data_type())?;
    if let DataType::Map(entries, is_sorted) = data_type {
        let values = values.as_struct().clone();
        let map = MapArray::try_new(Arc::clone(entries), offsets, values, nulls, *is_sorted)?;
        return Ok(Arc::new(map));
    }
    let list: ArrayRef = Arc::new(ListArray::try_new(
        Arc::clone(item),
        offsets,
        values,
        nulls,
    )?);
    convert(&list, data_type)
}

/// The same values under the type that they are to have.
fn convert(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => {
            let plain = DataType::Timestamp(*unit, None);
            retyped(
                &cast_with_options(array, &plain, &strict)?,
                data_type.clone(),
            )
        }
        DataType::Dictionary(_, values) => {
            let values = convert(array, values)?;
            cast_with_options(&values, data_type, &strict)
        }
        _ => cast_with_options(array, data_type, &strict),
    }
}

/// The type of values of a shape.
pub(super) fn type_of(shape: &Shape) -> DataType {
    match shape {
        Shape::Truth => DataType::Boolean,
        Shape::Whole => DataType::Int64,
        Shape::Number => DataType::Float64,
        Shape::List(item) => DataType::List(field("item", type_of(item))),
        Shape::Object(fields) if !fields.is_empty() => {
            let fields = fields.iter();
            let fields = fields.map(|(name, shape)| field(name, type_of(shape)));
            DataType::Struct(fields.collect::<Fields>())
        }
        Shape::Nothing | Shape::Text | Shape::Object(_) | Shape::Mixed => DataType::Utf8,
    }
}

/// A field that may be null.
pub(super) fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

impl<'de> DeserializeSeed<'de> for &mut Column {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Column::Mixed(values) = self else {
            return deserializer.deserialize_any(self);
        };
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw == "null" {
            values.append_null();
        } else if let Some(text) = Some(raw).filter(|raw| is_text(raw)) {
            values.append_value(decode_text(text).unwrap_or_else(|_| raw.into()));
        } else {
            values.append_value(raw);
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Column {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Column::Nothing(_) => "null",
            Column::Truth(_) => "a boolean",
            Column::Whole(_) | Column::Unsigned(_) => "a whole number",
            Column::Number(_) => "a number",
            Column::Text(_) | Column::Mixed(_) => "text",
            Column::Bytes(_) => "bytes in base64",
            Column::List { .. } => "a list",
            Column::Object { .. } => "an object",
        })
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.append_null();
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self {
            Column::Truth(values) => values.append_value(value),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self)),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self {
            Column::Whole(values) => values.append_value(value),
            #[expect(clippy::cast_precision_loss, reason = "its column holds other numbers")]
            Column::Number(values) => values.append_value(value as f64),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Signed(value), &self)),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if let Column::Unsigned(values) = self {
            values.append_value(value);
            return Ok(());
        }
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(E::invalid_type(
                serde::de::Unexpected::Unsigned(value),
                &self,
            )),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match self {
            Column::Number(values) => values.append_value(value),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Float(value), &self)),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self {
            Column::Text(values) => values.append_value(value),
            Column::Bytes(values) => match STANDARD.decode(value) {
                Ok(bytes) => values.append_value(bytes),
                Err(error) => return Err(E::custom(error)),
            },
            _ => return Err(E::invalid_type(serde::de::Unexpected::Str("…"), &self)),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Column::List { ends, nulls, items } = self else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        };
        while seq.next_element_seed(&mut **items)?.is_some() {}
        ends.push(i32::try_from(items.len()).map_err(A::Error::custom)?);
        nulls.append_non_null();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Column::Object {
            names,
            fields,
            nulls,
        } = self
        else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        let before = nulls.len();
        let mut expected = 0;
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            // Mostly fields come in their order.
            let place = match names.get(expected) {
                Some(known) if *known == name => Some(expected),
                _ => names.iter().position(|known| *known == name),
            };
            let Some(place) = place.filter(|place| fields[*place].len() == before) else {
                return Err(A::Error::custom(format!(
                    "the field `{name}` is not expected here"
                )));
            };
            map.next_value_seed(&mut fields[place])?;
            expected = place + 1;
        }
        for field in fields.iter_mut().filter(|field| field.len() == before) {
            field.append_null();
        }
        nulls.append_non_null();
        Ok(())
    }
}
