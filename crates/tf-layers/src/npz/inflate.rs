//! Reads deflated data, as RFC 1951 says.

use std::slice;

/// The `size` bytes that were deflated; `None` if there are more or fewer, or the data is damaged.
pub fn inflate(deflated: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut bits = Bits { bytes: deflated.iter(), buffer: 0, count: 0 };
    let mut out = Vec::new();
    loop {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => copy_stored(&mut bits, &mut out, size)?,
            1 => copy_coded(&mut bits, &Codes::fixed()?, &mut out, size)?,
            2 => {
                let codes = Codes::read(&mut bits)?;
                copy_coded(&mut bits, &codes, &mut out, size)?;
            }
            _ => return None,
        }
        if last {
            return (out.len() == size).then_some(out);
        }
    }
}

/// Section 3.2.4: a number of bytes, the same number inverted, and the bytes.
fn copy_stored(bits: &mut Bits, out: &mut Vec<u8>, size: usize) -> Option<()> {
    let (&[a, b, c, d], rest) = bits.whole_bytes().split_first_chunk()?;
    let len = u16::from_le_bytes([a, b]);
    let (data, rest) = rest.split_at_checked(len.into())?;
    if u16::from_le_bytes([c, d]) != !len || data.len() > size - out.len() {
        return None;
    }
    out.extend_from_slice(data);
    bits.bytes = rest.iter();
    Some(())
}

/// Section 3.2.5: bytes, and copies of bytes before, until a symbol says that the block ends.
fn copy_coded(bits: &mut Bits, codes: &Codes, out: &mut Vec<u8>, size: usize) -> Option<()> {
    loop {
        let symbol = codes.literals.decode(bits)?;
        match symbol.checked_sub(END_OF_BLOCK) {
            None if out.len() < size => out.push(symbol as u8),
            None => return None,
            Some(0) => return Some(()),
            Some(length) => {
                let length = LENGTHS.get(length - 1)? + bits.take(LENGTH_BITS[length - 1])?;
                let distance = codes.distances.decode(bits)?;
                let distance = DISTANCES.get(distance)? + bits.take(DISTANCE_BITS[distance])?;
                let start = out.len().checked_sub(distance)?;
                if length > size - out.len() {
                    return None;
                }
                for from in start..start + length {
                    out.push(out[from]);
                }
            }
        }
    }
}

const END_OF_BLOCK: usize = 256;

/// The least length of each symbol after [`END_OF_BLOCK`], and the bits that follow to add to it.
const LENGTHS: [usize; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];
const LENGTH_BITS: [u32; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// The same of distances.
const DISTANCES: [usize; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
    2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_BITS: [u32; 30] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
];

/// The codes of a block: of bytes and lengths, and of distances.
struct Codes {
    literals: Code,
    distances: Code,
}

impl Codes {
    /// Section 3.2.6: the codes that need not be written.
    fn fixed() -> Option<Self> {
        let literals = [[8; 144].as_slice(), &[9; 112], &[7; 24], &[8; 8]].concat();
        Some(Self { literals: Code::new(&literals)?, distances: Code::new(&[5; 32])? })
    }

    /// Section 3.2.7: the lengths of both codes' words, themselves in a code.
    fn read(bits: &mut Bits) -> Option<Self> {
        let literals = bits.take(5)? + 257;
        let distances = bits.take(5)? + 1;
        let coded = bits.take(4)? + 4;
        let mut lengths_of_lengths = [0; 19];
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        for &symbol in order.iter().take(coded) {
            lengths_of_lengths[symbol] = bits.take(3)? as u8;
        }
        let code = Code::new(&lengths_of_lengths)?;

        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match code.decode(bits)? {
                16 => (*lengths.last()?, 3 + bits.take(2)?),
                17 => (0, 3 + bits.take(3)?),
                18 => (0, 11 + bits.take(7)?),
                length => (length as u8, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        if lengths.len() > literals + distances || lengths[END_OF_BLOCK] == 0 {
            return None;
        }
        let (literals, distances) = lengths.split_at(literals);
        Some(Self { literals: Code::new(literals)?, distances: Code::new(distances)? })
    }
}

/// The longest word of a code.
const MAX_BITS: usize = 15;

/// A canonical Huffman code (section 3.2.2): its words ascend first by length, then by symbol.
struct Code {
    /// How many words have each length.
    counts: [usize; MAX_BITS + 1],
    /// The symbols in the order of their words.
    symbols: Vec<usize>,
}

impl Code {
    /// The code in which the word of each symbol has the given length, 0 if it has none. There may
    /// be fewer words than possible only if there is just one, or none.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; MAX_BITS + 1];
        lengths.iter().for_each(|&length| counts[usize::from(length)] += 1);
        counts[0] = 0;
        let free =
            counts[1..].iter().try_fold(1_usize, |free, count| (2 * free).checked_sub(*count));
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0).collect();
        symbols.sort_by_key(|&symbol| lengths[symbol]);
        let complete = free? == 0 || symbols.is_empty() || counts[1] == 1 && symbols.len() == 1;
        complete.then_some(Self { counts, symbols })
    }

    /// The symbol of the word that comes next. `word` and `first`, the first word of its length,
    /// count from the first of all.
    fn decode(&self, bits: &mut Bits) -> Option<usize> {
        let (mut word, mut first, mut shorter) = (0, 0, 0);
        for count in &self.counts[1..] {
            word = 2 * word + bits.take(1)?;
            first *= 2;
            if word - first < *count {
                return Some(self.symbols[shorter + word - first]);
            }
            first += count;
            shorter += count;
        }
        None
    }
}

/// Bytes as bits, from the lowest of each.
struct Bits<'a> {
    bytes: slice::Iter<'a, u8>,
    /// The next `count` bits.
    buffer: usize,
    count: u32,
}

impl<'a> Bits<'a> {
    /// The next `count` bits, at most 13, as a number.
    fn take(&mut self, count: u32) -> Option<usize> {
        while self.count < count {
            self.buffer |= usize::from(*self.bytes.next()?) << self.count;
            self.count += 8;
        }
        let bits = self.buffer & ((1 << count) - 1);
        self.buffer >>= count;
        self.count -= count;
        Some(bits)
    }

    /// The bytes after the one that was begun.
    fn whole_bytes(&mut self) -> &'a [u8] {
        (self.buffer, self.count) = (0, 0);
        self.bytes.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_block() {
        assert_eq!(inflate(b"\x01\x03\0\xfc\xffabc", 3).unwrap(), b"abc");
        assert_eq!(inflate(b"\x03\0", 0).unwrap(), b"");
        assert_eq!(inflate(b"\x4b\x4c\x24\x0e\0\0", 40).unwrap(), [b'a'; 40]);

        let squares: String = (0..40).map(|i| format!("{},", i * i % 97)).collect();
        let dynamic =
            b"\x0d\xcc\xb9\x01\x00\x30\x08\xc3\xc0\x85\x54\x04\xf3\xef\xbf\x58\xe8\x5c\xc8\xf7\
            \x30\x82\xc5\x0a\x25\x5e\xc4\x52\xc1\x18\x8e\x82\x68\x5a\x08\x37\x4a\xec\x15\x4e\
            \x3f\x4c\xa4\xb3\x57\xdf\xf7\x80\xdb\x41\x3e\x86\x4a\xd4\xcc\x90\x81\xc4\x9c\x76\
            \x54\x62\xc6\x14\x55\x7c";
        assert_eq!(inflate(dynamic, squares.len()).unwrap(), squares.as_bytes());
        for len in 0..dynamic.len() {
            assert_eq!(inflate(&dynamic[..len], squares.len()), None, "the first {len} bytes");
        }
    }

    #[test]
    fn refuses_damaged_data() {
        for (deflated, what) in [
            (&b""[..], "nothing"),
            (b"\x07", "a block of an unknown kind"),
            (b"\x01\x03\0\xfc\xffab", "fewer bytes than said"),
            (b"\x01\x03\0\xfd\xffabc", "a number of bytes that doesn't match its inverse"),
            (b"\x4b\x4c", "no end"),
            (b"\x03\x02", "a copy of what isn't there"),
            (b"\x05\0\0\0\0\0", "an empty code"),
        ] {
            assert_eq!(inflate(deflated, 3), None, "{what}");
        }
        assert_eq!(inflate(b"\x01\x03\0\xfc\xffabc", 2), None);
        assert_eq!(inflate(b"\x01\x03\0\xfc\xffabc", 4), None);
        assert_eq!(inflate(b"\x4b\x4c\x24\x0e\0\0", 39), None);
    }

    #[test]
    fn wants_whole_codes() {
        assert!(Code::new(&[1, 1, 1]).is_none(), "more words than fit");
        assert!(Code::new(&[2, 2, 2]).is_none(), "a word without a symbol");
        assert!(Code::new(&[1, 2, 2]).is_some());
        assert!(Code::new(&[0, 1]).is_some(), "one distance");
        assert!(Code::new(&[0, 0]).is_some(), "no distance");
    }
}
