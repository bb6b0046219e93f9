//! The key that a request presents.

use http::{HeaderMap, header};

/// The longest key or token that is looked at, in bytes.
const KEY_BYTES_MAX: usize = 4_096;

/// The scheme of a signature of AWS, which stands beside a key where IAM guards the door: it was judged there, and is no key.
const AWS_SIGNATURE: &str = "AWS4-HMAC-SHA256";

/// The key that a request presents, from `Authorization: Bearer` or `X-API-Key`. Two different keys are no key.
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut keys = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        if scheme == AWS_SIGNATURE {
            continue;
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        keys.push(key.trim());
    }
    for value in headers.get_all("x-api-key") {
        keys.push(value.to_str().ok()?.trim());
    }
    let first = *keys.first()?;
    let usable = (1..=KEY_BYTES_MAX).contains(&first.len()) && keys.iter().all(|key| *key == first);
    usable.then_some(first)
}

/// Compares without stopping at the first difference, so that time tells nothing. Lengths are no secret.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(named: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let mut map = HeaderMap::new();
        named.iter().map(pair).for_each(|(name, value)| {
            map.append(name, value);
        });
        map
    }

    #[test]
    fn a_key_stands_in_either_header_and_two_different_keys_are_none() {
        for good in [&[("x-api-key", "k")][..], &[("authorization", "bearer k")], &[("authorization", "Bearer k"), ("x-api-key", " k ")]] {
            assert_eq!(presented(&headers(good)), Some("k"), "{good:?}");
        }
        for bad in [&[][..], &[("x-api-key", "")], &[("authorization", "Basic k")], &[("authorization", "k")]] {
            assert_eq!(presented(&headers(bad)), None, "{bad:?}");
        }
        assert_eq!(presented(&headers(&[("x-api-key", "a"), ("x-api-key", "b")])), None);
        assert_eq!(presented(&headers(&[("x-api-key", "a"), ("authorization", "Bearer b")])), None);
    }

    #[test]
    fn only_the_same_bytes_are_the_same() {
        assert!(same(b"", b"") && same(b"ab", b"ab"));
        assert!(!same(b"ab", b"a") && !same(b"ab", b"ac") && !same(b"", b"a"));
    }
}
