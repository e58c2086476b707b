//! The connection above its subflows: handshake, data sequence, schedulers, path managers.
