//! Flows from a file.

use super::{ENDLESS, Error, Flow, lines};
use crate::time::Time;

/// Reads flows, one a line: start in seconds, number of the sending host, of the receiving host, size in bytes (`inf` for one without end).
/// Fields are separated by spaces, tabs or commas; `#` begins a comment. Flows keep the order of the file, which need not be that of
/// time.
///
/// # Errors
/// [`Error`] names the line: a field that is missing or no number, a host beyond `hosts`, a flow to oneself, a size of zero.
pub fn replay(text: &str, hosts: u32) -> Result<Vec<Flow>, Error> {
    lines(text).map(|(line, fields)| flow(&fields, hosts).map_err(|reason| Error { line, reason })).collect()
}

fn flow(fields: &[&str], hosts: u32) -> Result<Flow, String> {
    let &[start, src, dst, bytes] = fields else {
        return Err(format!("{} fields instead of start, source, destination and bytes", fields.len()));
    };
    // 1e7 s is half of what 64 bits of picoseconds hold.
    let start = match start.parse::<f64>() {
        Ok(seconds) if (0.0..=1e7).contains(&seconds) => Time::from_secs_f64(seconds),
        _ => return Err(format!("start {start:?} is not a number of seconds between 0 and 1e7")),
    };
    let host = |field: &str, name: &str| match field.parse::<u32>() {
        Ok(host) if host < hosts => Ok(host),
        Ok(host) => {
            Err(format!("{name} {host} is not among the {hosts} hosts 0 to {}", hosts.saturating_sub(1)))
        }
        Err(_) => Err(format!("{name} {field:?} is not the number of a host")),
    };
    let (src, dst) = (host(src, "source")?, host(dst, "destination")?);
    if src == dst {
        return Err(format!("host {src} sends to itself"));
    }
    let bytes = match bytes.parse::<u64>() {
        Ok(0) => return Err("a flow of no bytes".to_owned()),
        Ok(bytes) => bytes,
        Err(_) if bytes == "inf" => ENDLESS,
        Err(_) => return Err(format!("bytes {bytes:?} is not a whole number")),
    };
    Ok(Flow::new(start, src, dst, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flows_are_read() {
        let flows =
            replay("# start src dst bytes\n0 1 2 1000\n0.5,0,3,inf # long\n\n1e-6\t3 0 1\n", 4).unwrap();
        let expected = [
            Flow::new(Time::ZERO, 1, 2, 1000),
            Flow::new(Time(500_000_000_000), 0, 3, ENDLESS),
            Flow::new(Time(1_000_000), 3, 0, 1),
        ];
        assert_eq!(flows, expected);
        assert_eq!(replay("", 4).unwrap(), []);
    }

    #[test]
    fn errors_name_the_line() {
        let err = |text| replay(text, 4).unwrap_err().to_string();
        assert_eq!(err("#\n0 1 2"), "line 2: 3 fields instead of start, source, destination and bytes");
        assert_eq!(err("-1 1 2 3"), "line 1: start \"-1\" is not a number of seconds between 0 and 1e7");
        assert_eq!(err("0 4 2 3"), "line 1: source 4 is not among the 4 hosts 0 to 3");
        assert_eq!(err("0 1 x 3"), "line 1: destination \"x\" is not the number of a host");
        assert_eq!(err("0 1 1 3"), "line 1: host 1 sends to itself");
        assert_eq!(err("0 1 2 0"), "line 1: a flow of no bytes");
        assert_eq!(err("0 1 2 1.5"), "line 1: bytes \"1.5\" is not a whole number");
    }

    proptest! {
        #[test]
        fn no_text_upsets_it(text in "[0-9a-z.,# \n-]{0,200}") {
            if let Ok(flows) = replay(&text, 4) {
                prop_assert!(flows.iter().all(|flow| flow.src < 4 && flow.dst < 4 && flow.src != flow.dst));
            }
            drop(super::super::Sizes::parse(&text));
        }
    }
}
