//! Reading the header of an image: its format, its backing file and its data file.
//!
//! Only regular files are opened, without blocking, and only the header is read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;

use crate::facts::image::{Image, format, format_by_end};

/// QEMU's own limit for the name of a backing file (`block/qcow2.c`).
const MAX_NAME: usize = 1023;

const EXTERNAL_DATA: u64 = 1 << 2;

const EXTENSION_DATA_FILE: u32 = 0x4441_5441;

const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;

/// Reads the header of a regular file; nothing for what can't be read and for a broken header.
pub(super) fn read(path: &str) -> Option<Image> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).ok()?)
        .open(path)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    header(&mut file)
}

/// The header of version 2 or 3 (QEMU, docs/interop/qcow2.txt).
fn header(file: &mut File) -> Option<Image> {
    let mut start = Vec::new();
    file.take(64 << 10).read_to_end(&mut start).ok()?;
    let word = |at: usize| Some(u32::from_be_bytes(start.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_be_bytes(start.get(at..at + 8)?.try_into().ok()?));
    let mut image = Image { format: format(&start).to_owned(), ..Image::default() };
    if image.format == "raw"
        && let Some(format) = end(file).as_deref().and_then(format_by_end)
    {
        format.clone_into(&mut image.format);
    }
    if image.format != "qcow2" {
        return Some(image);
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
    Some(image)
}

/// The last 512 bytes of a file.
fn end(file: &mut File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::End(-512)).ok()?;
    file.take(512).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.qcow2");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            super::read(path.to_str().unwrap())
        };
        assert_eq!(
            read(&qcow2(Some("base.img"), Some("data.raw"))),
            Some(Image {
                format: "qcow2".into(),
                backing: Some("base.img".into()),
                data: Some("data.raw".into()),
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
}
