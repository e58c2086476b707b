//! Ends and lines for people.

use std::net::IpAddr;

/// An address with its port, IPv6 in brackets.
pub(crate) fn end(addr: IpAddr, port: u16) -> String {
    match addr {
        IpAddr::V4(addr) => format!("{addr}:{port}"),
        IpAddr::V6(addr) => format!("[{addr}]:{port}"),
    }
}

/// Breaks text between words into lines of at most `width` characters; a longer word stands alone.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_their_width() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensibilities of", 5), ["incomprehensibilities", "of"]);
    }

    #[test]
    fn ends_of_ipv6_stand_in_brackets() {
        assert_eq!(end("::1".parse().expect("an address"), 80), "[::1]:80");
        assert_eq!(end("10.0.0.1".parse().expect("an address"), 80), "10.0.0.1:80");
    }
}
