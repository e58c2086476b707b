//! Plain rows of named tables, with the columns described once.
//!
//! The middle floors (analysis, probing, simulation) yield rows declared with [`table!`]; the floors above turn
//! them into Parquet, JSON, CSV, SQL or pages by walking [`Row::SCHEMA`] and [`Row::cells`]. The doc comment of a
//! field *is* the data dictionary's text, so a column cannot exist without one.
//!
//! This crate knows no file format and has no dependency.

mod cell;
mod read;
mod table;
mod text;

pub use cell::{Cell, Hex32, Hex64, Kind, Time, Value};
pub use read::{FromText, ReadRow};
pub use table::{Column, Row, Schema};
pub use text::{push_addr, push_hex, push_int};
