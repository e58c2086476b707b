//! Pages in a headless Chromium, opened from a file as readers do: nothing fails, nothing is fetched, everything is
//! drawn, and the numbers are those of the tables.

mod cdp;
mod report;
mod show;
mod simulation;
#[path = "../support/mod.rs"]
mod support;
mod tracebox;
