//! The options of a TCP header: the walk ends, and what was parsed can be written and parsed again.

use subflow_wire::tcp::Options;

/// The bytes between the fixed TCP header and the payload.
pub fn options(data: &[u8]) {
    // A header holds 40 bytes of options at most.
    let data = data.get(..40).unwrap_or(data);
    let mut bytes = 0;
    for option in Options::new(data) {
        bytes += option.len();
        assert!(bytes <= data.len(), "{option:?} reaches beyond the options");
        let mut out = [0; 64];
        let written = option.emit(&mut out).expect("40 bytes fit into 64");
        assert_eq!(written, option.len());
        let again = Options::new(&out[..written]).next();
        assert_eq!(again, Some(option), "written as {:02x?}", &out[..written]);
    }
}
