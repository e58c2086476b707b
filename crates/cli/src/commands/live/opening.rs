//! What can go wrong before the first packet, with the next step.

use crate::failure::Failure;
use std::path::Path;
use subflow_capture::Container;
use subflow_capture::live::{ANY, Config, Interface, OpenError, Recorder};

/// Why an interface cannot be watched.
pub(super) fn failure(error: OpenError, config: &Config) -> Failure {
    match error {
        OpenError::NoInterface { name, known } => Failure::failed(format!("there is no interface '{name}'"))
            .hint(format!("there are {}; {ANY} stands for all of them", known.join(", "))),
        OpenError::NotPermitted => {
            Failure::failed(format!("not permitted to capture on {}", config.interfaces.join(", ")))
                .hint("allow it once with: sudo setcap cap_net_raw+ep $(which subflow)")
        }
        OpenError::Unsupported => Failure::failed("live captures exist on Linux only")
            .hint("record with tcpdump or dumpcap, and analyse the file: subflow analyze FILE"),
        error => Failure::failed(format!("cannot capture on {}: {error}", config.interfaces.join(", "))),
    }
}

/// Makes the file of the recording.
pub(super) fn record(
    path: &Path,
    container: Container,
    interfaces: &[Interface],
) -> Result<Recorder, Failure> {
    if !Recorder::can_hold(container, interfaces) {
        let kinds: Vec<_> =
            interfaces.iter().map(|interface| format!("{} ({})", interface.name, interface.link)).collect();
        return Err(Failure::usage(format!(
            "a pcap file holds packets of one link type, not of {}",
            kinds.join(" and ")
        ))
        .hint("record as pcapng: name the file .pcapng, or add --write-format pcapng"));
    }
    Recorder::create(path, container, interfaces).map_err(|error| {
        Failure::failed(format!("cannot record into {}: {error}", path.display()))
            .hint("name a file with -w that you may write, in a folder that exists")
    })
}

/// The recording broke off.
pub(super) fn recording_failed(path: &Path, packets: u64, error: &std::io::Error) -> Failure {
    Failure::failed(format!(
        "the recording in {} broke off, and the capture with it, after {packets} packets: {error}",
        path.display()
    ))
    .hint("the tables are those of the packets before; make room, or record elsewhere with -w")
}

/// No interface is left.
pub(super) fn all_gone(interfaces: &[Interface]) -> Failure {
    let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
    let (verb, what) = if names.len() == 1 { ("is", "the interface was") } else { ("are", "they were") };
    Failure::failed(format!("{} {verb} gone: {what} removed while capturing", names.join(", ")))
        .hint("what came before was analysed; -i any outlives its interfaces")
}
