//! Anonymising a capture: there is an output that was checked, or none.

use std::fs;

use subflow_anonymize::{Secret, Settings, run};

/// A capture. The run looks for leaks in its own output, and finds some: a mutation that makes address ids of a key, say, makes
/// numbers of it that stay.
pub fn anonymize(data: &[u8]) {
    let dir = tempfile::tempdir().expect("a folder");
    let (input, output) = (dir.path().join("in.pcap"), dir.path().join("out.pcap"));
    fs::write(&input, data).expect("writes");
    let settings = Settings {
        inputs: vec![input],
        output: output.clone(),
        secret: Secret::new(b"a secret for tests only").expect("long enough"),
        shift_ns: 0,
        drop_others: data.len() % 2 == 0,
        force: false,
        verify: true,
    };
    match run(&settings, &mut |_| true) {
        Ok(report) => {
            assert!(report.rewritten + report.others + report.unreadable <= report.packets);
            assert!(report.written <= report.packets && output.exists());
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(!output.exists(), "an output although {error}");
        }
    }
}
