//! What the simulator writes, the analysis reads: captures of simulated connections are analysed to exactly the truth about them.

mod chaos;
mod compare;
mod matrix;
mod oracle;
#[path = "../../../sim/tests/script/mod.rs"]
mod script;
mod scripts;
