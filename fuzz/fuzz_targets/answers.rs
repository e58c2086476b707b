//! `cargo +nightly fuzz run answers`; built without it, replays the files that it is given.
#![cfg_attr(fuzzing, no_main)]

subflow_fuzz::target!(subflow_fuzz::answers);
