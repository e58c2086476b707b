//! Boxes on a link: strip, drop, mirror, proxy, NAT, change of payload.
