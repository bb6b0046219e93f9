//! Which buckets hold something: the first one, how far the last is from it, and one bit for each between.

use super::BadUsage;
use super::bytes::Reader;

/// Ascending, each once.
pub(super) fn put_buckets(out: &mut Vec<u8>, buckets: impl Iterator<Item = u8> + Clone) {
    let (Some(first), Some(last)) = (buckets.clone().next(), buckets.clone().last()) else {
        out.push(0);
        return;
    };
    out.push(1);
    out.push(first);
    out.push(last.saturating_sub(first));
    let mut bits = vec![0_u8; usize::from(last.saturating_sub(first)) / 8 + 1];
    for bucket in buckets {
        let at = usize::from(bucket.saturating_sub(first));
        if let Some(byte) = bits.get_mut(at / 8) {
            *byte |= 1 << (at % 8);
        }
    }
    out.extend_from_slice(&bits);
}

pub(super) fn take_buckets(from: &mut Reader<'_>) -> Result<Vec<u8>, BadUsage> {
    match from.byte()? {
        0 => return Ok(Vec::new()),
        1 => {}
        _ => return Err(BadUsage("a mark is neither yes nor no")),
    }
    let (first, span) = (from.byte()?, from.byte()?);
    let mut buckets = Vec::new();
    for chunk in 0..=span / 8 {
        let bits = from.byte()?;
        for bit in (0..8_u8).filter(|bit| bits & (1 << bit) != 0) {
            let at = u16::from(first) + u16::from(chunk) * 8 + u16::from(bit);
            buckets.push(u8::try_from(at).map_err(|_| BadUsage("a bucket is out of range"))?);
        }
    }
    Ok(buckets)
}
