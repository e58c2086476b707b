//! `cargo +nightly fuzz run scenario`; built without it, replays the files that it is given.
#![cfg_attr(fuzzing, no_main)]

subflow_fuzz::target!(subflow_fuzz::scenario);
