//! Rows from text: what an exporter wrote as plain text can become a row again.

use crate::Row;
use std::net::IpAddr;

/// A cell that can be read back from the plain text in which it is written (CSV without its quotes).
pub trait FromText: Sized {
    /// The cell; `None` when the text is none of this type.
    fn from_text(text: &str) -> Option<Self>;
}

/// A row that can be read back; tables declared as `"name", readable` are.
pub trait ReadRow: Row + Sized {
    /// The row, from the texts of its cells in the order of the schema's columns; `None` when one is missing or of another type.
    fn from_texts(cells: &mut dyn Iterator<Item = &str>) -> Option<Self>;
}

macro_rules! parsed {
    ($($ty:ty)+) => {
        $(impl FromText for $ty {
            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        })+
    };
}

parsed! { bool u8 u16 u32 u64 i64 f64 String IpAddr }

impl<T: FromText> FromText for Option<T> {
    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::from_text(text).map(Some) }
    }
}

/// What `table!` adds for a table that is `readable`.
#[doc(hidden)]
#[macro_export]
macro_rules! __read_row {
    ([] $($rest:tt)*) => {};
    ([readable] $row:ident [$($field:ident: $ty:ty,)+]) => {
        impl $crate::ReadRow for $row {
            fn from_texts(cells: &mut dyn Iterator<Item = &str>) -> Option<Self> {
                Some(Self { $($field: <$ty as $crate::FromText>::from_text(cells.next()?)?,)+ })
            }
        }
    };
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "tables are public wherever they are declared")]
mod tests {
    use crate::{FromText, ReadRow, Row, Value};

    crate::names! {
        /// Colours.
        pub enum Colour {
            /// Red.
            Red => "red",
            /// Green.
            Green => "green",
        }
    }

    crate::table! {
        /// One row per thing.
        pub struct Thing: "things", readable {
            /// Its number.
            pub thing_id: u64,
            /// Its colour.
            pub colour: Option<Colour>,
            /// How heavy it is.
            pub weight: f64 => "kg",
            /// Its name.
            pub name: String,
        }
    }

    #[test]
    fn a_row_comes_back() {
        let thing =
            Thing { thing_id: 7, colour: Some(Colour::Green), weight: 0.1 + 0.2, name: "a, b".to_owned() };
        let mut texts = thing.cells().map(|value| match value {
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => text.to_owned(),
            other => panic!("{other:?}"),
        });
        let read = |texts: &[String]| Thing::from_texts(&mut texts.iter().map(String::as_str));
        assert_eq!(read(&texts), Some(thing.clone()));
        texts[1].clear();
        assert_eq!(read(&texts), Some(Thing { colour: None, ..thing }));
        texts[0] = "-1".to_owned();
        assert_eq!(read(&texts), None);
        assert_eq!(read(&texts[..2]), None);
        assert_eq!(Colour::from_text("blue"), None);
    }
}
