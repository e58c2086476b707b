//! Tables: rows whose columns carry their own documentation.

use crate::{Kind, Value};

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as in DESIGN's tables.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it can be null.
    pub nullable: bool,
    /// The unit of measurement; empty for names, counts and flags.
    pub unit: &'static str,
    /// What it means, from the field's doc comment.
    pub doc: &'static str,
}

/// The description of a table, detached from its row type.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The table's name.
    pub table: &'static str,
    /// What one row stands for.
    pub doc: &'static str,
    /// The columns in order.
    pub columns: &'static [Column],
}

/// A row of a table; implemented by [`table!`](crate::table).
pub trait Row {
    /// The table's description.
    const SCHEMA: Schema;

    /// As many cells as the table has columns.
    type Cells<'a>: AsRef<[Value<'a>]>
    where
        Self: 'a;

    /// The row's cells, in the order of the schema's columns.
    fn cells(&self) -> Self::Cells<'_>;
}

/// Declares a row struct and its table at once. With `readable` behind the name, rows can be read back
/// ([`ReadRow`](crate::ReadRow)).
///
/// ```
/// subflow_rows::table! {
///     /// One row per thing.
///     pub struct Thing: "things" {
///         /// Its number.
///         pub thing_id: u64,
///         /// How long it took.
///         pub duration: Option<f64> => "s",
///     }
/// }
/// use subflow_rows::{Row, Value};
/// assert_eq!(Thing::SCHEMA.columns[1].unit, "s");
/// assert_eq!(Thing { thing_id: 7, duration: None }.cells(), [Value::Int(7), Value::Null]);
/// ```
#[macro_export]
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])+
        pub struct $row:ident: $table:literal $(, $readable:ident)? {
            $($(#[doc = $doc:literal])+ pub $field:ident: $ty:ty $(=> $unit:literal)?,)+
        }
    ) => {
        $(#[doc = $table_doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $row {
            $($(#[doc = $doc])+ pub $field: $ty,)+
        }

        impl $crate::Row for $row {
            const SCHEMA: $crate::Schema = $crate::Schema {
                table: $table,
                doc: concat!($($table_doc,)+),
                columns: &[$($crate::Column {
                    name: stringify!($field),
                    kind: <$ty as $crate::Cell>::KIND,
                    nullable: <$ty as $crate::Cell>::NULLABLE,
                    unit: concat!("", $($unit)?),
                    doc: concat!($($doc,)+),
                },)+],
            };

            type Cells<'a> = [$crate::Value<'a>; [$(stringify!($field)),+].len()];

            fn cells(&self) -> Self::Cells<'_> {
                [$($crate::Cell::value(&self.$field)),+]
            }
        }

        $crate::__read_row!([$($readable)?] $row [$($field: $ty,)+]);
    };
}
