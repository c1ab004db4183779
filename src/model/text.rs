use std::net::IpAddr;

use super::parse_ip;

/// Whether a text is an address range, an address and a number of bits: `10.9.8.0/24`.
pub fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        let most = match parse_ip(address) {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        !bits.starts_with('+') && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}

/// Whether a text is a date and time by RFC 3339, leap seconds apart. Days are not held against
/// their month.
pub fn is_rfc3339(text: &str) -> bool {
    let Some((fixed, rest)) = text.split_at_checked("2024-01-31T12:30:45".len()) else {
        return false;
    };
    let mut shape = fixed.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes());
    let fits = |(byte, wanted): (u8, u8)| {
        if wanted == b'd' {
            byte.is_ascii_digit()
        } else {
            byte == wanted
        }
    };
    let within = |range: std::ops::Range<usize>, least: u8, most: u8| {
        fixed
            .get(range)
            .and_then(|part| part.parse().ok())
            .is_some_and(|n: u8| (least..=most).contains(&n))
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            } else {
                zone
            }
        }
        None => rest,
    };
    shape.all(fits)
        && within(5..7, 1, 12)
        && within(8..10, 1, 31)
        && within(11..13, 0, 23)
        && within(14..16, 0, 59)
        && within(17..19, 0, 59)
        && is_offset(zone)
}

fn is_offset(zone: &str) -> bool {
    let hours_and_minutes = |offset: &str| match offset.split_once(':') {
        Some((hours, minutes)) => [(hours, 23), (minutes, 59)]
            .into_iter()
            .all(|(part, most)| {
                part.len() == 2
                    && part.bytes().all(|b| b.is_ascii_digit())
                    && part.parse().is_ok_and(|n: u8| n <= most)
            }),
        None => false,
    };
    zone == "Z" || zone.strip_prefix(['+', '-']).is_some_and(hours_and_minutes)
}
