//! Values on their way to PostgreSQL and back.

use std::error::Error;

use bytes::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::engine::{Row, Value};

/// The type that a value is sent as. An absent value says nothing of its type; the statement does.
pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Null | Value::Foreign(_) => Type::UNKNOWN,
    }
}

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(&Type::INT8, out),
            // PostgreSQL's text has no NUL; an agent's output may.
            Self::Text(text) if text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql(&Type::TEXT, out)
            }
            Self::Text(text) => text.to_sql(&Type::TEXT, out),
            Self::Foreign(what) => Err(format!("a parameter is {what}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => {
                Self::Text(String::from_sql(&Type::TEXT, raw)?)
            }
            Type::VOID => Self::Null,
            _ => Self::Foreign("of a type that no operation writes"),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row's values in the order of its columns.
pub(super) fn decode(row: &postgres::Row) -> Result<Row, postgres::Error> {
    (0..row.len()).map(|column| row.try_get(column)).collect()
}
