//! What can be given to `Input::open`.

mod common;

use std::fs;

use common::{drain, pcap_at, pcapng_at};
use subflow_capture::{Container, Error, Input, Reason};

#[test]
fn a_single_bad_input_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pcap");
    assert!(matches!(Input::open(std::slice::from_ref(&missing)), Err(Error::Open { .. })));
    assert!(matches!(Input::open(&[folder.path().to_owned()]), Err(Error::NoCapture { .. })));
    let text = folder.path().join("text.pcap");
    fs::write(&text, "hello, this is no capture").unwrap();
    let error = Input::open(std::slice::from_ref(&text)).err().unwrap();
    assert!(error.to_string().ends_with("text.pcap: not a capture at byte 0 (first bytes 68 65 6c 6c 6f 2c 20 74): this looks like text; subflow reads pcap and pcapng, also compressed"));
    assert!(matches!(Input::open(&[folder.path().to_owned()]), Err(Error::NoCapture { .. })));
    assert!(matches!(Input::open(&[]), Err(Error::NoInput)));
    assert!(matches!(Input::open(&[missing, text]), Err(Error::Open { .. })), "the first of several");
}

#[test]
fn of_several_inputs_the_good_ones_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.pcap"), pcap_at(&[5, 7])).unwrap();
    fs::write(path("b"), pcapng_at(&[6])).unwrap();
    fs::write(path("text"), "no capture").unwrap();
    fs::write(path("empty"), "").unwrap();
    let paths = ["text", "a.pcap", "missing", "b", "empty"].map(path);
    let mut input = Input::open(&paths).unwrap();
    let seen: Vec<_> = drain(&mut input).iter().map(|packet| (packet.file, packet.time_ns)).collect();
    assert_eq!(seen, [(1, 5), (3, 6), (1, 7)]);
    let mut issues: Vec<_> = input.issues().iter().map(|issue| (issue.file, issue.reason.clone())).collect();
    issues.sort_by_key(|issue| issue.0);
    assert!(matches!(
        &issues[..],
        [(0, Reason::NotACapture(_)), (2, Reason::Unreadable(_)), (4, Reason::Empty)]
    ));
    assert_eq!(input.files().len(), 5);
    assert!(input.files()[2].name.ends_with("missing"));
    assert_eq!(input.files()[3].container, Some(Container::Pcapng));
    assert_eq!(input.bytes_read(), input.bytes_total().unwrap() - "no capture".len() as u64);
}

#[test]
fn a_folder_yields_its_captures_and_those_of_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("2.pcap"), pcap_at(&[5])).unwrap();
    fs::write(folder.path().join("1.gz"), pcap_at(&[5])).unwrap();
    fs::write(folder.path().join("README"), "about these captures").unwrap();
    fs::write(folder.path().join(".hidden"), pcap_at(&[1])).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/3.pcap"), pcap_at(&[4])).unwrap();
    let mut input = Input::open(&[folder.path().to_owned()]).unwrap();
    assert_eq!(drain(&mut input).iter().map(|packet| packet.file).collect::<Vec<_>>(), [2, 0, 1]);
    assert!(input.files()[0].name.ends_with("1.gz") && input.issues().is_empty());
    assert!(input.files()[2].name.ends_with("sub/3.pcap"));
    let mut all = Input::open(&[folder.path().join("**/*.pcap")]).unwrap();
    assert_eq!(drain(&mut all).iter().map(|packet| packet.time_ns).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn a_capture_that_shrinks_between_opening_and_reading_is_an_issue() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b"].map(|name| folder.path().join(name));
    fs::write(&paths[0], pcap_at(&[5])).unwrap();
    fs::write(&paths[1], pcap_at(&[9_000_000_000])).unwrap();
    let mut input = Input::open(&paths).unwrap();
    fs::write(&paths[1], "").unwrap();
    assert_eq!(drain(&mut input).len(), 1);
    assert!(
        matches!(input.issues(), [issue] if issue.file == 1 && matches!(issue.reason, Reason::Unreadable(_)))
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let pipe = folder.path().join("pipe");
    fs::write(&file, pcap_at(&[5, 9])).unwrap();
    if !std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no mkfifo here");
        return;
    }
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, pcap_at(&[7])))
    };
    let mut input = Input::open(&[file, pipe]).unwrap();
    assert_eq!(drain(&mut input).iter().map(|packet| packet.time_ns).collect::<Vec<_>>(), [5, 7, 9]);
    assert_eq!(input.bytes_total(), None);
    writer.join().unwrap().unwrap();
}
