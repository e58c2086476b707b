//! Numbers and addresses as plain text, byte for byte as the standard library writes them and several times as fast: tables of scans
//! have hundreds of millions of cells.

use std::fmt::Write as _;
use std::net::IpAddr;

const PAIRS: &[u8; 200] =
    b"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// Appends a decimal number.
#[inline]
pub fn push_int(number: i64, text: &mut String) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    while left >= 10 {
        let pair = 2 * (left % 100) as usize;
        left /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    // What is left is the first digit of an odd number of them; or there is but one, which may be a zero.
    if left > 0 || number == 0 {
        at -= 1;
        digits[at] = b'0' + left as u8;
    }
    if number < 0 {
        text.push('-');
    }
    push_ascii(&digits[at..], text);
}

/// Appends a number in hexadecimal digits, at least so many.
#[inline]
pub fn push_hex(value: u64, least: u8, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [b'0'; 16];
    let mut left = value;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(left & 15) as usize];
        left >>= 4;
    }
    let needed = usize::from(least.max(1)).max((64 - value.leading_zeros()).div_ceil(4) as usize);
    for _ in 16..needed {
        text.push('0');
    }
    push_ascii(&digits[16 - needed.min(16)..], text);
}

/// Appends an address.
#[inline]
pub fn push_addr(addr: IpAddr, text: &mut String) {
    match addr {
        IpAddr::V4(addr) => {
            for (k, octet) in addr.octets().into_iter().enumerate() {
                if k > 0 {
                    text.push('.');
                }
                push_int(octet.into(), text);
            }
        }
        IpAddr::V6(addr) => {
            // Writing to a String cannot fail.
            let _ = write!(text, "{addr}");
        }
    }
}

#[inline]
fn push_ascii(digits: &[u8], text: &mut String) {
    text.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(push: impl FnOnce(&mut String)) -> String {
        let mut text = "x".to_owned();
        push(&mut text);
        text
    }

    /// Numbers of every length, around every power of two and of ten.
    fn numbers() -> impl Iterator<Item = u64> {
        let tens = (0..20).map(|power| 10_u64.pow(power));
        let twos = (0..64).map(|power| 1_u64 << power);
        let near = |at: u64| [at.wrapping_sub(1), at, at.wrapping_add(1), at.wrapping_mul(7)];
        (0..1000).chain(tens.chain(twos).flat_map(near)).chain([u64::MAX, i64::MAX as u64, i64::MIN as u64])
    }

    #[test]
    fn as_the_standard_library_writes_them() {
        for number in numbers() {
            for signed in [number.cast_signed(), number.cast_signed().wrapping_neg()] {
                assert_eq!(of(|text| push_int(signed, text)), format!("x{signed}"));
            }
            for least in [0, 1, 8, 16, 20] {
                let expected = format!("x{number:0width$x}", width = usize::from(least));
                assert_eq!(of(|text| push_hex(number, least, text)), expected, "{least}");
            }
            let addr = IpAddr::from((number as u32).to_be_bytes());
            assert_eq!(of(|text| push_addr(addr, text)), format!("x{addr}"));
            let addr = IpAddr::from((u128::from(number) << 70 | u128::from(number)).to_be_bytes());
            assert_eq!(of(|text| push_addr(addr, text)), format!("x{addr}"));
        }
    }
}
