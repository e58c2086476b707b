//! The addresses of an interface (getifaddrs).

use std::ffi::CStr;
use std::io;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

use libc::{c_int, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_ll};

use crate::interface::index_of;
use crate::{Addresses, Error};

/// The addresses of an interface: hardware address, and IP addresses with their prefixes.
pub fn addresses(interface: &str) -> Result<Addresses, Error> {
    index_of(interface)?;
    let mut list = null_mut();
    // SAFETY: the place for the list outlives the call.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        let what = "read the addresses of the interfaces";
        return Err(Error::System { what, source: io::Error::last_os_error() });
    }
    let mut found = Addresses::default();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: an entry of the list, which lives until it is freed below.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_name.is_null() {
            continue;
        }
        // SAFETY: a name of the list is a C string that lives as long as the list.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) };
        if name.to_bytes() != interface.as_bytes() {
            continue;
        }
        // SAFETY: an address of the list, or null.
        match unsafe { address(entry.ifa_addr) } {
            Some(Address::Hardware(hardware)) => found.hardware = Some(hardware),
            Some(Address::Ip(addr)) => {
                // SAFETY: a mask of the list, or null.
                let prefix = match unsafe { address(entry.ifa_netmask) } {
                    Some(Address::Ip(IpAddr::V4(mask))) => u32::from(mask).leading_ones(),
                    Some(Address::Ip(IpAddr::V6(mask))) => u128::from(mask).leading_ones(),
                    _ => u32::from(if addr.is_ipv4() { 32_u8 } else { 128 }),
                };
                found.ip.push((addr, prefix as u8));
            }
            None => {}
        }
    }
    // SAFETY: the list of getifaddrs, which is not used any more.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}

enum Address {
    Hardware([u8; 6]),
    Ip(IpAddr),
}

/// # Safety
/// `place` must be null or point to an address as long as its family has it.
unsafe fn address(place: *const sockaddr) -> Option<Address> {
    if place.is_null() {
        return None;
    }
    // SAFETY: as demanded.
    let family = c_int::from(unsafe { (*place).sa_family });
    match family {
        libc::AF_INET => {
            // SAFETY: an address of this family; nothing is said of its alignment.
            let address = unsafe { place.cast::<sockaddr_in>().read_unaligned() };
            Some(Address::Ip(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into()))
        }
        libc::AF_INET6 => {
            // SAFETY: an address of this family; nothing is said of its alignment.
            let address = unsafe { place.cast::<sockaddr_in6>().read_unaligned() };
            Some(Address::Ip(Ipv6Addr::from(address.sin6_addr.s6_addr).into()))
        }
        libc::AF_PACKET => {
            // Not all of the structure need be there: only what stands before the address, and six bytes of it.
            let bytes = place.cast::<u8>();
            // SAFETY: inside what the family's structure has before the address.
            let place = unsafe { bytes.add(offset_of!(sockaddr_ll, sll_halen)) };
            // SAFETY: as above.
            let len = unsafe { place.read() };
            // SAFETY: where the address begins.
            let place = unsafe { bytes.add(offset_of!(sockaddr_ll, sll_addr)) }.cast::<[u8; 6]>();
            // SAFETY: the system's structure has room for eight bytes of address, of which six are read.
            let hardware = unsafe { place.read() };
            (len == 6).then_some(Address::Hardware(hardware))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_its_address() {
        let found = addresses("lo").unwrap();
        assert_eq!(found.hardware, Some([0; 6]));
        if let Some((addr, prefix)) = found.ip.first() {
            assert!(addr.is_loopback() && matches!(prefix, 8 | 128), "{addr}/{prefix}");
        }
        assert!(matches!(addresses("no such"), Err(Error::NoInterface { .. })));
    }
}
