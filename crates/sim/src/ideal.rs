//! Ideal completion times: what a flow would take alone.
