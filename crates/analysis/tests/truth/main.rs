//! The analysis against captures whose truth is known: hand-made traces, Linux between network namespaces with the
//! kernel's own counters, packetdrill conversations, one connection in many containers, and a long trace in both
//! protocol versions.
//!
//! Everything that the truth states is compared. Where a capture cannot show it, a table names the reason and the
//! value that the capture does show; a reason that is no longer needed fails the test.

mod both_ends;
mod conformance;
mod crafted;
mod detail;
mod formats;
mod kernel;
mod packetdrill;
mod perf;
mod support;
