//! Names and numbers of network interfaces.

use std::ffi::{CStr, CString};

use crate::Error;

/// The names of all interfaces of this network namespace, in the order of their numbers.
pub fn interface_names() -> Vec<String> {
    let mut names = Vec::new();
    // SAFETY: no arguments; null on failure.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return names;
    }
    for place in 0.. {
        // SAFETY: the list ends with an entry of index 0 and without a name, where this loop ends, too.
        let entry = unsafe { list.add(place) };
        // SAFETY: an entry of the list, which nobody changes.
        let entry = unsafe { &*entry };
        if entry.if_index == 0 || entry.if_name.is_null() {
            break;
        }
        // SAFETY: a name of the list is a C string that lives as long as the list.
        let name = unsafe { CStr::from_ptr(entry.if_name) };
        names.push(name.to_string_lossy().into_owned());
    }
    // SAFETY: it came from if_nameindex and is not used any more.
    unsafe { libc::if_freenameindex(list) };
    names
}

/// The number of an interface.
pub(crate) fn index_of(name: &str) -> Result<u32, Error> {
    let unknown = || Error::NoInterface { name: name.to_owned(), known: interface_names() };
    let text = CString::new(name).map_err(|_| unknown())?;
    // SAFETY: a C string that outlives the call.
    match unsafe { libc::if_nametoindex(text.as_ptr()) } {
        0 => Err(unknown()),
        index => Ok(index),
    }
}

/// Whether there is an interface with this number.
pub fn is_there(index: u32) -> bool {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the size that the call wants.
    !unsafe { libc::if_indextoname(index, name.as_mut_ptr()) }.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_a_number() {
        let names = interface_names();
        assert!(names.contains(&"lo".to_owned()), "{names:?}");
        let index = index_of("lo").unwrap();
        assert!(index > 0 && is_there(index));
        assert!(!is_there(u32::MAX));
    }

    #[test]
    fn an_unknown_name_comes_with_those_there_are() {
        for name in ["no such", "", "a\0b", "a-name-that-is-longer-than-any"] {
            match index_of(name) {
                Err(Error::NoInterface { name: told, known }) => {
                    assert_eq!(told, name);
                    assert_eq!(known, interface_names());
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
