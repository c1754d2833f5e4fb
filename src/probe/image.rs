//! Reading the header of an image: its format, its backing file and its data file.
//!
//! What is read is a file that a walk ended at and holds, and of what is no image a few bytes.

use std::io::{Read, Seek, SeekFrom};

use crate::facts::contents::Fault;
use crate::facts::image::{FORMAT_BYTES, Image, extents, format, format_by_end};
use crate::facts::qcow2;

/// QEMU's own limit for the name of a backing file (`block/qcow2.c`).
const MAX_NAME: usize = 1023;

const EXTERNAL_DATA: u64 = 1 << 2;

const EXTENSION_DATA_FILE: u32 = 0x4441_5441;

const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;

/// Bytes that the signature at the end of an image is long.
const END: u64 = 8;

/// Bytes of a header in which everything has to stand that is looked for.
const HEADER: u64 = 64 << 10;

/// Reads the header of an image (of qcow2 version 2 or 3: QEMU, docs/interop/qcow2.txt); nothing for a broken one.
pub(super) fn read(file: &mut (impl Read + Seek)) -> Option<(Image, Option<Fault>)> {
    let mut start = Vec::new();
    file.by_ref().take(FORMAT_BYTES as u64).read_to_end(&mut start).ok()?;
    let mut image = Image { format: format(&start).to_owned(), ..Image::default() };
    if image.format == "raw"
        && let Some(format) = end(file).as_deref().and_then(format_by_end)
    {
        format.clone_into(&mut image.format);
    }
    if image.format == "vmdk" && start.starts_with(b"#") {
        file.by_ref().take(HEADER).read_to_end(&mut start).ok()?;
        image.extents = extents(&String::from_utf8_lossy(&start));
    }
    if image.format != "qcow2" {
        return Some((image, None));
    }
    file.by_ref().take(HEADER - FORMAT_BYTES as u64).read_to_end(&mut start).ok()?;
    let word = |at: usize| Some(u32::from_be_bytes(start.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_be_bytes(start.get(at..at + 8)?.try_into().ok()?));
    if word(4)? >= 3 {
        image.incompatible = long(72)?;
    }
    let (offset, size) = (long(8)?, usize::try_from(word(16)?).ok()?);
    if offset != 0 && size <= MAX_NAME {
        let mut name = vec![0; size];
        file.seek(SeekFrom::Start(offset)).ok()?;
        file.read_exact(&mut name).ok()?;
        image.backing = String::from_utf8(name).ok();
    }
    image.encrypted = word(32)? != 0;
    let version = word(4)?;
    image.old = version < 3;
    let has_data = version >= 3 && long(72)? & EXTERNAL_DATA != 0;
    let mut at = if version < 3 { 72 } else { usize::try_from(word(100)?).ok()? };
    // Of what stops before its end the rest is not known.
    while let (Some(kind), Some(length)) = (word(at), word(at + 4)) {
        let length = usize::try_from(length).ok()?;
        let Some(text) = start.get(at + 8..at + 8 + length) else { break };
        let text = || String::from_utf8(text.to_vec()).ok();
        match kind {
            0 => break,
            EXTENSION_DATA_FILE if has_data => image.data = text(),
            EXTENSION_BACKING_FORMAT => image.backing_format = text(),
            _ => {}
        }
        at += 8 + length.div_ceil(8) * 8;
    }
    Some((image, qcow2::fault(&start)))
}

/// The first of the last 512 bytes of a file.
fn end(file: &mut (impl Read + Seek)) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::End(-512)).ok()?;
    file.by_ref().take(END).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn qcow2(backing: Option<&str>, data: Option<&str>) -> Vec<u8> {
        let mut bytes = vec![0_u8; 104];
        bytes[..4].copy_from_slice(b"QFI\xfb");
        bytes[4..8].copy_from_slice(&3_u32.to_be_bytes());
        bytes[100..104].copy_from_slice(&104_u32.to_be_bytes());
        if let Some(data) = data {
            bytes[72..80].copy_from_slice(&EXTERNAL_DATA.to_be_bytes());
            bytes.extend(EXTENSION_DATA_FILE.to_be_bytes());
            bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend(data.as_bytes());
            bytes.resize(bytes.len().div_ceil(8) * 8, 0);
        }
        bytes.extend([0; 8]);
        if let Some(backing) = backing {
            let at = bytes.len() as u64;
            bytes[8..16].copy_from_slice(&at.to_be_bytes());
            bytes[16..20].copy_from_slice(&u32::try_from(backing.len()).unwrap().to_be_bytes());
            bytes.extend(backing.as_bytes());
        }
        bytes
    }

    #[test]
    fn a_header_names_backing_and_data() {
        let read = |bytes: &[u8]| super::read(&mut Cursor::new(bytes)).map(|(image, _)| image);
        assert_eq!(
            read(&qcow2(Some("base.img"), Some("data.raw"))),
            Some(Image {
                format: "qcow2".into(),
                backing: Some("base.img".into()),
                data: Some("data.raw".into()),
                incompatible: 4,
                ..Image::default()
            })
        );
        let format = |bytes: &[u8]| read(bytes).map(|image| image.format);
        assert_eq!(format(&qcow2(None, None)).as_deref(), Some("qcow2"));
        assert_eq!(format(b"raw").as_deref(), Some("raw"));
        let signed = |magic: &[u8]| [&[0; 1024][..], magic, &[0; 504][..]].concat();
        assert_eq!(format(&signed(b"conectix")).as_deref(), Some("vpc"));
        assert_eq!(format(&signed(b"nothing.")).as_deref(), Some("raw"));
        assert_eq!(format(b"LUKS\xba\xbe\0").as_deref(), Some("luks"));
        // Cut off anywhere, it is read as far as it goes or not at all.
        let whole = qcow2(Some("base.img"), Some("data.raw"));
        for length in 0..whole.len() {
            read(&whole[..length]);
        }
    }

    /// Counts what is read.
    struct Counted(Cursor<Vec<u8>>, usize);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 += read;
            Ok(read)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn of_what_is_no_image_a_few_bytes_are_read() {
        let mut secrets = Counted(Cursor::new(b"root:$y$j9T$salt$hash:1::::\n".repeat(100)), 0);
        assert_eq!(super::read(&mut secrets).unwrap().0.format, "raw");
        assert_eq!(secrets.1, FORMAT_BYTES + 8);
    }
}
