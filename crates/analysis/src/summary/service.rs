//! Services by port, in the groups that the server studies used.

/// The service behind a port; `None` (not captured) is `unknown`.
pub fn service(port: Option<u16>) -> &'static str {
    match port {
        None => "unknown",
        Some(20) => "ftp-data (20)",
        Some(21) => "ftp (21)",
        Some(22) => "ssh (22)",
        Some(25) => "smtp (25)",
        Some(80) => "http (80)",
        Some(443) => "https (443)",
        Some(1080) => "socks (1080)",
        Some(5001) => "iperf (5001)",
        Some(5201) => "iperf3 (5201)",
        Some(8080) => "http-alt (8080)",
        Some(0..=1023) => "other ports below 1024",
        Some(_) => "other high ports",
    }
}

#[cfg(test)]
mod tests {
    use super::service;

    #[test]
    fn known_ports_have_names() {
        assert_eq!(service(Some(80)), "http (80)");
        assert_eq!(service(Some(1023)), "other ports below 1024");
        assert_eq!(service(Some(1024)), "other high ports");
        assert_eq!(service(None), "unknown");
    }
}
