use ring::digest::{SHA256, digest};

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The first letters, at most 24, of SHA-256 in base 32 (RFC 4648): how kube-proxy shortens names.
pub(super) fn base32(text: &str, letters: usize) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let head: u128 = digest
        .as_ref()
        .iter()
        .take(15)
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    let letter = |at: usize| {
        let shift = 115usize.saturating_sub(at.saturating_mul(5));
        let five = usize::try_from(head >> shift & 31).unwrap_or(0);
        ALPHABET.get(five).copied().map_or('A', char::from)
    };
    (0..letters.min(24)).map(letter).collect()
}
