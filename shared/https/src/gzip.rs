//! gzip, with a limit on what comes out: a kilobyte can hold a gigabyte.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};

/// Why bytes could not be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// More than this many bytes came out; the rest was not unpacked.
    #[error("unpacked, it is larger than {0} bytes")]
    TooLarge(usize),
    /// It is no gzip, is cut off, or its checksum is wrong.
    #[error("it is no whole gzip: {0}")]
    Broken(String),
}

/// Fast rather than small: the caller waits. Level 1 is hardly faster, and snapshots come out half as large again.
const LEVEL: u32 = 3;

/// Packs.
///
/// # Errors
/// None in practice: nothing is written but memory.
pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::new(LEVEL));
    packed.write_all(bytes)?;
    packed.finish()
}

/// Unpacks; at most `max` bytes are ever held.
///
/// # Errors
/// [`UnpackError`]: too much came out, or it is no whole gzip.
pub fn unpack(bytes: &[u8], max: usize) -> Result<Vec<u8>, UnpackError> {
    let mut plain = Vec::new();
    // One byte more tells a body of exactly `max` from a larger one.
    let most = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(bytes).take(most).read_to_end(&mut plain);
    if plain.len() > max {
        return Err(UnpackError::TooLarge(max));
    }
    read.map_err(|error| UnpackError::Broken(error.to_string()))?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_again() {
        let text = "a snapshot repeats itself; ".repeat(1000);
        let packed = pack(text.as_bytes()).unwrap();
        assert!(packed.len() < text.len() / 20, "{}", packed.len());
        assert_eq!(unpack(&packed, text.len()).unwrap(), text.as_bytes());
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = pack(&vec![0; 50_000_000]).unwrap();
        assert!(bomb.len() < 1_000_000, "{}", bomb.len());
        assert_eq!(unpack(&bomb, 1_000_000), Err(UnpackError::TooLarge(1_000_000)));
    }

    #[test]
    fn what_is_cut_off_altered_or_no_gzip_is_broken() {
        let packed = pack(b"a whole answer, and not half of one").unwrap();
        for cut in 0..packed.len() {
            assert!(cut == 0 || unpack(&packed[..cut], 1000).is_err(), "cut at {cut}");
        }
        let mut altered = packed.clone();
        let crc = altered.len() - 8;
        altered[crc] ^= 1;
        assert!(matches!(unpack(&altered, 1000), Err(UnpackError::Broken(_))));
        assert!(matches!(unpack(b"{\"no\":\"gzip\"}", 1000), Err(UnpackError::Broken(_))));
        assert!(matches!(unpack(&[packed.as_slice(), b"behind"].concat(), 1000), Err(UnpackError::Broken(_))));
    }
}
