//! One cell of a row: what kinds of value there are, and which Rust types yield them.

use std::net::IpAddr;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// A double.
    Float,
    /// UTF-8 text; addresses and hexadecimal numbers are text, too.
    Text,
    /// Nanoseconds since 1970-01-01 UTC. Exporters show it twice: as a timestamp under the column's name, and as
    /// integer nanoseconds under the name with `_ns` appended.
    Time,
}

/// The value of one cell, borrowed from its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Unknown. Never stands for zero.
    Null,
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Int`].
    Int(i64),
    /// See [`Kind::Float`].
    Float(f64),
    /// See [`Kind::Text`].
    Text(&'a str),
    /// An address, shown as text.
    Addr(IpAddr),
    /// An unsigned number shown as this many lower-case hexadecimal digits.
    Hex {
        /// The number.
        value: u64,
        /// How many digits, leading zeros included.
        digits: u8,
    },
    /// See [`Kind::Time`].
    Time(i64),
}

/// A type that can stand in a column.
pub trait Cell {
    /// The column's kind.
    const KIND: Kind;
    /// Whether the cell can be [`Value::Null`].
    const NULLABLE: bool = false;
    /// The cell's value.
    fn value(&self) -> Value<'_>;
}

/// A moment: nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// A 32-bit number shown as 8 hexadecimal digits (tokens).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex32(pub u32);

/// A 64-bit number shown as 16 hexadecimal digits (keys, absolute data sequence numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex64(pub u64);

macro_rules! cells {
    ($($ty:ty => $kind:ident, |$cell:ident| $value:expr;)*) => {
        $(impl Cell for $ty {
            const KIND: Kind = Kind::$kind;
            fn value(&self) -> Value<'_> {
                let $cell = self;
                $value
            }
        })*
    };
}

cells! {
    bool => Bool, |c| Value::Bool(*c);
    u8 => Int, |c| Value::Int(i64::from(*c));
    u16 => Int, |c| Value::Int(i64::from(*c));
    u32 => Int, |c| Value::Int(i64::from(*c));
    i64 => Int, |c| Value::Int(*c);
    u64 => Int, |c| Value::Int(i64::try_from(*c).unwrap_or(i64::MAX));
    f64 => Float, |c| Value::Float(*c);
    String => Text, |c| Value::Text(c);
    &'static str => Text, |c| Value::Text(c);
    IpAddr => Text, |c| Value::Addr(*c);
    Hex32 => Text, |c| Value::Hex { value: u64::from(c.0), digits: 8 };
    Hex64 => Text, |c| Value::Hex { value: c.0, digits: 16 };
    Time => Time, |c| Value::Time(c.0);
}

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Cell::value)
    }
}

/// An enum whose values have fixed names, shown as text: `name!` gives it `as_str`, `Display` and [`Cell`].
#[macro_export]
macro_rules! names {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $enum { $($(#[$variant_meta])* $variant,)+ }

        impl $enum {
            /// Every value, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that stands in tables.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::FromText for $enum {
            fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl $crate::Cell for $enum {
            const KIND: $crate::Kind = $crate::Kind::Text;
            fn value(&self) -> $crate::Value<'_> {
                $crate::Value::Text(self.as_str())
            }
        }
    };
}
