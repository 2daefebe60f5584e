//! Reads and writes zip files, as PKWARE's APPNOTE.TXT says.

use std::borrow::Cow;

use super::NpzError;
use super::inflate::inflate;

/// A file in a zip file.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    pub name: &'a str,
    method: u64,
    checksum: u32,
    size: usize,
    data: &'a [u8],
}

impl<'a> Member<'a> {
    /// What the file holds.
    pub fn read(&self) -> Result<Cow<'a, [u8]>, NpzError> {
        let Self { name, method, checksum, size, data } = *self;
        let bytes = match method {
            0 if data.len() == size => Some(Cow::Borrowed(data)),
            0 => None,
            8 => inflate(data, size).map(Cow::Owned),
            _ => {
                return Err(NpzError(format!(
                    "`{name}` is compressed by method {method}: write it with numpy.savez or \
                     numpy.savez_compressed"
                )));
            }
        };
        match bytes {
            Some(bytes) if crc32(&bytes) == checksum => Ok(bytes),
            _ => Err(NpzError(format!("`{name}` is damaged: its data or its checksum is wrong"))),
        }
    }
}

/// The files in a zip file, found through its central directory (4.3.6).
pub fn members(zip: &[u8]) -> Result<Vec<Member<'_>>, NpzError> {
    let (start, count) =
        directory(zip).ok_or_else(|| NpzError("not an npz file, or one that is cut off".into()))?;
    let damaged = || NpzError("a damaged npz file: its directory makes no sense".into());
    let mut rest = zip.get(start..).ok_or_else(damaged)?;
    let mut members = Vec::new();
    for _ in 0..count {
        let (member, after) = member(zip, rest).ok_or_else(damaged)?;
        members.push(member);
        rest = after;
    }
    Ok(members)
}

/// Where the central directory starts, and how many files it names (4.3.14 to 4.3.16).
fn directory(zip: &[u8]) -> Option<(usize, u64)> {
    // Only a comment follows the record, with a length of 16 bits.
    let earliest = zip.len().saturating_sub(22 + usize::from(u16::MAX));
    let end = (earliest..zip.len().checked_sub(21)?).rev().find(|&at| {
        let record = &zip[at..];
        record.starts_with(b"PK\x05\x06")
            && number::<2>(record, 20) == Some(record.len() as u64 - 22)
    })?;
    let (count, start) = (number::<2>(zip, end + 10)?, number::<4>(zip, end + 16)?);
    if count != 0xffff && start != 0xffff_ffff {
        return Some((start.try_into().ok()?, count));
    }
    let locator = zip.get(end.checked_sub(20)?..end)?.strip_prefix(b"PK\x06\x07")?;
    let end = usize::try_from(number::<8>(locator, 4)?).ok()?;
    let record = zip.get(end..)?.strip_prefix(b"PK\x06\x06")?;
    Some((number::<8>(record, 44)?.try_into().ok()?, number::<8>(record, 28)?))
}

/// The file at the start of a central directory, and the directory after it (4.3.12).
fn member<'a>(zip: &'a [u8], directory: &'a [u8]) -> Option<(Member<'a>, &'a [u8])> {
    let (entry, rest) = directory.split_at_checked(46)?;
    if !entry.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name, rest) = rest.split_at_checked(number::<2>(entry, 28)? as usize)?;
    let (extra, rest) = rest.split_at_checked(number::<2>(entry, 30)? as usize)?;
    let (_comment, rest) = rest.split_at_checked(number::<2>(entry, 32)? as usize)?;

    // What has no room in 32 bits is in the extra field 1, in this order (4.5.3).
    let mut wide = extra_field(extra, 1).unwrap_or_default();
    let [size, len, start] = [24, 20, 42].map(|at| {
        let mut number = number::<4>(entry, at)?;
        if number == 0xffff_ffff {
            let (first, others) = wide.split_first_chunk()?;
            (number, wide) = (u64::from_le_bytes(*first), others);
        }
        usize::try_from(number).ok()
    });
    let encrypted = number::<2>(entry, 8)? & 1 == 1;

    let local = zip.get(start?..)?.strip_prefix(b"PK\x03\x04")?;
    let skipped = 26 + number::<2>(local, 22)? + number::<2>(local, 24)?;
    let data = local.get(skipped as usize..)?.get(..len?)?;
    let member = Member {
        name: str::from_utf8(name).ok().filter(|_| !encrypted)?,
        method: number::<2>(entry, 10)?,
        checksum: number::<4>(entry, 16)? as u32,
        size: size?,
        data,
    };
    Some((member, rest))
}

/// The data of the extra field `id` (4.5.1).
fn extra_field(mut fields: &[u8], id: u64) -> Option<&[u8]> {
    loop {
        let len = number::<2>(fields, 2)? as usize;
        let (data, rest) = fields[4..].split_at_checked(len)?;
        if number::<2>(fields, 0)? == id {
            return Some(data);
        }
        fields = rest;
    }
}

/// The little-endian number of `N` bytes at `at`.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk::<N>()?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// Writes zip files whose files are not compressed.
#[derive(Clone, Debug, Default)]
pub struct ZipWriter {
    files: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl ZipWriter {
    /// Appends a file, of the date 1 January 1980.
    ///
    /// # Panics
    /// If something has no room in the numbers of a zip file.
    pub fn push(&mut self, name: &str, data: &[u8]) {
        let start = to_u32(self.files.len()).to_le_bytes();
        let len = to_u32(data.len()).to_le_bytes();
        let name_len = u16::try_from(name.len()).expect("names are shorter than 64 KiB");
        // Version 2.0, the name is UTF-8, stored, the date.
        let mut about = b"\x14\0\0\x08\0\0\0\0\x21\0".to_vec();
        about.extend([crc32(data).to_le_bytes(), len, len].as_flattened());
        about.extend(name_len.to_le_bytes());
        about.extend([0; 2]);

        for part in [b"PK\x03\x04", &about[..], name.as_bytes(), data] {
            self.files.extend_from_slice(part);
        }
        for part in [b"PK\x01\x02\x14\0", &about[..], &[0; 10], &start, name.as_bytes()] {
            self.directory.extend_from_slice(part);
        }
        self.count = self.count.checked_add(1).expect("fewer than 65536 files");
    }

    /// The zip file.
    ///
    /// # Panics
    /// If it is larger than 4 GiB.
    pub fn finish(self) -> Vec<u8> {
        let Self { mut files, directory, count } = self;
        let [start, size] = [&files, &directory].map(|part| to_u32(part.len()).to_le_bytes());
        let count = count.to_le_bytes();
        files.extend(directory);
        for part in [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &start, &[0; 2]] {
            files.extend_from_slice(part);
        }
        files
    }
}

fn to_u32(size: usize) -> u32 {
    size.try_into().expect("npz files are written up to 4 GiB")
}

/// The checksum of zip files (4.4.7).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ CRC_OF_BYTE[usize::from(crc as u8 ^ byte)])
}

const CRC_OF_BYTE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_as_zip_does() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn reads_what_it_writes() {
        let mut writer = ZipWriter::default();
        writer.push("ä", b"first");
        writer.push("empty", b"");
        let zip = writer.finish();
        let files: Vec<_> =
            members(&zip).unwrap().iter().map(|file| (file.name, file.read().unwrap())).collect();
        assert_eq!(files, [("ä", b"first"[..].into()), ("empty", b""[..].into())]);
        assert!(members(&ZipWriter::default().finish()).unwrap().is_empty());
    }

    #[test]
    fn skips_a_comment() {
        let mut writer = ZipWriter::default();
        writer.push("a", b"data");
        let mut zip = writer.finish();
        let end = zip.len();
        zip[end - 2] = 9;
        zip.extend(b"a comment");
        assert_eq!(*members(&zip).unwrap()[0].read().unwrap(), *b"data");
        zip.pop();
        assert!(members(&zip).is_err());
    }

    #[test]
    fn reads_zip64() {
        let mut writer = ZipWriter::default();
        writer.push("a", b"data");
        let zip = writer.finish();
        let (local, rest) = zip.split_at(30 + 1 + 4);
        let (entry, end) = rest.split_at(47);
        let wide = [4_u64, 4, 0].map(u64::to_le_bytes);

        // Sizes and start of the file, in the extra field after another one.
        let mut entry = entry.to_vec();
        entry[20..28].fill(0xff);
        entry[30] = 4 + 2 + 4 + 24;
        entry[42..46].fill(0xff);
        let extra = [b"\x07\0\x02\0ab\x01\0\x18\0", wide.as_flattened()].concat();
        // The record (of 56 bytes), its locator, and an end that refers to them.
        let start = (local.len() as u64).to_le_bytes();
        let record_start = ((local.len() + entry.len() + extra.len()) as u64).to_le_bytes();
        let count = 1_u64.to_le_bytes();
        let record = [b"PK\x06\x06", &[0; 20][..], &count, &count, &[0; 8], &start].concat();
        let locator = [b"PK\x06\x07\0\0\0\0", &record_start[..], &[0; 4]].concat();
        let mut end = end.to_vec();
        end[8..20].fill(0xff);
        let zip = [local, &entry, &extra, &record, &locator, &end].concat();
        assert_eq!(*members(&zip).unwrap()[0].read().unwrap(), *b"data");
        for at in local.len()..zip.len() {
            let mut damaged = zip.clone();
            damaged[at] ^= 0x5a;
            let _ = members(&damaged).map(|files| files.iter().map(Member::read).count());
        }
    }

    #[test]
    fn refuses_other_methods_and_wrong_checksums() {
        let mut writer = ZipWriter::default();
        writer.push("a", b"data");
        let zip = writer.finish();
        let entry = 30 + 1 + 4;
        for (at, message) in [(10, "compressed by method 98"), (16, "damaged"), (24, "damaged")] {
            let mut zip = zip.clone();
            zip[entry + at] = 98;
            let error = members(&zip).unwrap()[0].read().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let mut zip = zip.clone();
        zip[entry + 8] = 1;
        assert!(members(&zip).is_err(), "encrypted");
    }
}
