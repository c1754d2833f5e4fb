//! What an image is and what it brings along: its format, its backing file and its data file, from its header.
//!
//! Only regular files are opened, without blocking, and only the header is read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;

use serde::{Deserialize, Serialize};

/// The files that a header names, as it names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The block driver whose header it has; `raw` for any other file.
    #[serde(default)]
    pub format: String,
    /// The image that this one is based on; QEMU only reads it.
    pub backing: Option<String>,
    /// The file that holds the guest's data, where it is not the image itself.
    pub data: Option<String>,
}

/// QEMU's own limit for the name of a backing file (`block/qcow2.c`).
const MAX_NAME: usize = 1023;
const EXTERNAL_DATA: u64 = 1 << 2;
const EXTENSION_DATA_FILE: u32 = 0x4441_5441;

/// Reads the header of a regular file; nothing for what can't be read and for a broken header.
pub(super) fn read(path: &str) -> Option<Image> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let mut file =
        std::fs::OpenOptions::new().read(true).custom_flags(i32::try_from(flags.bits()).ok()?).open(path).ok()?;
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
    let version = word(4)?;
    if version < 3 || long(72)? & EXTERNAL_DATA == 0 {
        return Some(image);
    }
    let mut at = usize::try_from(word(100)?).ok()?;
    loop {
        let (kind, length) = (word(at)?, usize::try_from(word(at + 4)?).ok()?);
        if kind == 0 {
            return Some(image);
        }
        if kind == EXTENSION_DATA_FILE {
            image.data = String::from_utf8(start.get(at + 8..at + 8 + length)?.to_vec()).ok();
        }
        at += 8 + length.div_ceil(8) * 8;
    }
}

/// The format by the first bytes, as each driver's `bdrv_probe` and `bdrv_open` look at them.
fn format(start: &[u8]) -> &'static str {
    const BY_MAGIC: [(usize, &[u8], &str); 10] = [
        (0, b"QFI\xfb\0\0\0\x02", "qcow2"),
        (0, b"QFI\xfb\0\0\0\x03", "qcow2"),
        (0, b"QFI\xfb\0\0\0\x01", "qcow"),
        (0, b"QED\0", "qed"),
        (0x40, b"\x7f\x10\xda\xbe", "vdi"),
        (0, b"vhdxfile", "vhdx"),
        (0, b"KDMV", "vmdk"),
        (0, b"COWD", "vmdk"),
        (0, b"# Disk DescriptorFile", "vmdk"),
        (0, b"LUKS\xba\xbe", "luks"),
    ];
    let found = BY_MAGIC.iter().find(|(at, magic, _)| start.get(*at..*at + magic.len()) == Some(magic));
    found.map_or("raw", |(_, _, format)| format)
}

/// Formats that [`Image::format`] tells apart from each other for certain.
pub const TOLD_APART: [&str; 7] = ["qcow2", "qcow", "qed", "vdi", "vhdx", "vmdk", "luks"];

/// Where a name found in the header of `image` leads (`bdrv_make_absolute_filename`): beside the image unless it is absolute.
/// `None` for what is no file: another protocol.
pub fn beside(image: &str, name: &str) -> Option<String> {
    let protocol_end = name.find([':', '/']).filter(|&at| name[at..].starts_with(':'));
    let name = match protocol_end {
        Some(end) if &name[..end] == "file" => &name[end + 1..],
        Some(_) => return None,
        None => name,
    };
    if name.starts_with('/') {
        return Some(name.to_owned());
    }
    let (directory, _) = image.rsplit_once('/')?;
    Some(format!("{directory}/{name}"))
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
            Some(Image { format: "qcow2".into(), backing: Some("base.img".into()), data: Some("data.raw".into()) })
        );
        let format = |bytes: &[u8]| read(bytes).map(|image| image.format);
        assert_eq!(format(&qcow2(None, None)).as_deref(), Some("qcow2"));
        assert_eq!(format(b"raw").as_deref(), Some("raw"));
        assert_eq!(format(b"LUKS\xba\xbe\0").as_deref(), Some("luks"));
        // Cut off anywhere, it is read as far as it goes or not at all.
        let whole = qcow2(Some("base.img"), Some("data.raw"));
        for length in 0..whole.len() {
            read(&whole[..length]);
        }
    }

    #[test]
    fn names_lead_beside_the_image() {
        assert_eq!(beside("/srv/a.qcow2", "base.img").as_deref(), Some("/srv/base.img"));
        assert_eq!(beside("/srv/a.qcow2", "/b").as_deref(), Some("/b"));
        assert_eq!(beside("/srv/a.qcow2", "file:/b").as_deref(), Some("/b"));
        assert_eq!(beside("/srv/a.qcow2", "nbd://h/x"), None);
        assert_eq!(beside("/srv/a.qcow2", "sub/b:c").as_deref(), Some("/srv/sub/b:c"));
    }
}
