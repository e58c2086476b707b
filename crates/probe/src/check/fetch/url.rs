//! As much of a URL (RFC 3986) as a download needs.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::check::Error;
use crate::check::settings::is_host;

/// A URL of http or https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is one of https.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port, the usual one of the scheme when none is named.
    pub port: u16,
    /// Path and query, from the slash on; no fragment.
    pub path: String,
}

impl FromStr for Url {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|reason| Error::BadUrl { text: text.to_owned(), reason })
    }
}

impl Url {
    fn read(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it does not begin with http:// or https://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err("it does not begin with http:// or https://"),
        };
        if text.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err("it has blanks");
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err("it has a user name");
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or("the bracket is not closed")?;
                host.parse::<Ipv6Addr>().map_err(|_| "there is no address of IPv6 in the brackets")?;
                (
                    host,
                    rest.strip_prefix(':')
                        .or(rest.is_empty().then_some(""))
                        .ok_or("the port is unreadable")?,
                )
            }
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        if !is_host(host) {
            return Err("it names no host");
        }
        let usual = if tls { 443 } else { 80 };
        let port = match port {
            "" => usual,
            port => port.parse().ok().filter(|&port| port > 0).ok_or("the port is unreadable")?,
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { tls, host: host.to_owned(), port, path: format!("{slash}{path}") })
    }

    /// Where a redirect leads (RFC 9110, section 10.2.2).
    pub fn redirected(&self, to: &str) -> Result<Self, Error> {
        let scheme = if self.tls { "https" } else { "http" };
        if to.contains("://") {
            return to.parse();
        }
        if let Some(rest) = to.strip_prefix("//") {
            return format!("{scheme}://{rest}").parse();
        }
        let authority = self.authority();
        if to.starts_with('/') {
            return format!("{scheme}://{authority}{to}").parse();
        }
        let path = self.path.split('?').next().unwrap_or_default();
        if to.starts_with('?') || to.is_empty() || to.starts_with('#') {
            return format!("{scheme}://{authority}{path}{to}").parse();
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{to}").parse()
    }

    /// Host and port as they stand in a URL and in the header `Host`; the port only when it is not the usual one.
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(addr)) => format!("[{addr}]"),
            _ => self.host.clone(),
        };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_of_a_url() {
        for (text, tls, host, port, path, again) in [
            ("http://example.org", false, "example.org", 80, "/", "http://example.org/"),
            (
                "HTTPS://example.org:443/a?b=c#d",
                true,
                "example.org",
                443,
                "/a?b=c",
                "https://example.org/a?b=c",
            ),
            ("https://[2001:db8::1]:8443/", true, "2001:db8::1", 8443, "/", "https://[2001:db8::1]:8443/"),
            ("http://192.0.2.1?x", false, "192.0.2.1", 80, "/?x", "http://192.0.2.1/?x"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(
                (url.tls, url.host.as_str(), url.port, url.path.as_str()),
                (tls, host, port, path),
                "{text}"
            );
            assert_eq!(url.to_string(), again);
            assert_eq!(again.parse::<Url>().unwrap(), url);
        }
        for bad in [
            "example.org",
            "ftp://example.org",
            "http://",
            "http:///x",
            "http://u@h/",
            "http://h:0/",
            "http://[x]/",
            "http://[::1/",
            "http://[::1]80/",
            "http://a b/",
            "http://h/ x",
        ] {
            assert!(bad.parse::<Url>().is_err(), "{bad}");
        }
    }

    #[test]
    fn where_redirects_lead() {
        let url: Url = "https://example.org:8443/a/b?c".parse().unwrap();
        for (to, there) in [
            ("http://example.com/", "http://example.com/"),
            ("//example.com/x", "https://example.com/x"),
            ("/x?y", "https://example.org:8443/x?y"),
            ("x", "https://example.org:8443/a/x"),
            ("?y", "https://example.org:8443/a/b?y"),
        ] {
            assert_eq!(url.redirected(to).unwrap().to_string(), there);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}", to in ".{0,40}") {
            let _ = text.parse::<Url>();
            let url: Url = "http://h/a".parse().unwrap();
            if let Ok(url) = url.redirected(&to) {
                prop_assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
            }
        }
    }
}
