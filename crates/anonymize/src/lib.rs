//! Captures without addresses, keys and payload that still analyse to the same tables.
