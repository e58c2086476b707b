//! TCP of one subflow: sender and receiver as state machines without an engine inside.
