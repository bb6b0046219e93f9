//! Numbers as bytes: seven bits each, the lowest first; signed ones folded so that small ones stay short.

use super::BadUsage;

pub(super) fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

pub(super) fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

pub(super) fn put_option(out: &mut Vec<u8>, value: Option<i64>) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put_int(out, value);
    }
}

/// Reads what the functions beside it wrote, and never past the end.
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

const SHORT: BadUsage = BadUsage("it ends too early");

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { left: bytes }
    }

    pub(super) fn byte(&mut self) -> Result<u8, BadUsage> {
        let (first, rest) = self.left.split_first().ok_or(SHORT)?;
        self.left = rest;
        Ok(*first)
    }

    pub(super) fn uint(&mut self) -> Result<u64, BadUsage> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BadUsage("a number is too long"))
    }

    pub(super) fn int(&mut self) -> Result<i64, BadUsage> {
        let folded = self.uint()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    pub(super) fn option(&mut self) -> Result<Option<i64>, BadUsage> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.int().map(Some),
            _ => Err(BadUsage("a mark is neither yes nor no")),
        }
    }

    pub(super) fn half(&mut self) -> Result<u16, BadUsage> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    pub(super) fn word(&mut self) -> Result<u64, BadUsage> {
        let (word, rest) = self.left.split_first_chunk::<8>().ok_or(SHORT)?;
        self.left = rest;
        Ok(u64::from_be_bytes(*word))
    }

    /// A length, at most this.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, BadUsage> {
        usize::try_from(self.uint()?).ok().filter(|count| *count <= most).ok_or(BadUsage("a list is too long"))
    }

    pub(super) fn end(&self) -> Result<(), BadUsage> {
        if self.left.is_empty() { Ok(()) } else { Err(BadUsage("something follows its end")) }
    }
}
