//! Hand-built conversations, a few packets each: every rule of the analysis on its own, without any file.

mod control;
mod data;
mod fallback;
mod handshake;
mod join;
mod lab;
mod lifetime;
mod measures;
mod midstream;
mod twice;
