//! Long columns of numbers for a page: base64 of the narrowest typed array that holds them.

use serde_json::{Value, json};

/// A column of whole numbers; the page multiplies them by `scale`.
///
/// `{"kind": "u8" | "i32" | "f64", "scale": …, "data": base64 of the numbers, little-endian}`.
pub(super) fn packed(numbers: &[i64], scale: f64) -> Value {
    let all = |least: i64, most: i64| numbers.iter().all(|number| (least..=most).contains(number));
    let (kind, bytes): (_, Vec<u8>) = if all(0, i64::from(u8::MAX)) {
        ("u8", numbers.iter().map(|&number| number as u8).collect())
    } else if all(i64::from(i32::MIN), i64::from(i32::MAX)) {
        ("i32", numbers.iter().flat_map(|&number| (number as i32).to_le_bytes()).collect())
    } else {
        ("f64", numbers.iter().flat_map(|&number| (number as f64).to_le_bytes()).collect())
    };
    json!({ "kind": kind, "scale": scale, "data": base64(&bytes) })
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_narrowest_array_is_taken() {
        let kind = |numbers: &[i64]| packed(numbers, 1.0)["kind"].clone();
        assert_eq!(kind(&[0, 255]), "u8");
        assert_eq!(kind(&[-1]), "i32");
        assert_eq!(kind(&[1 << 40]), "f64");
    }
}
