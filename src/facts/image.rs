//! What the headers of images name.

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

/// More images than this in one chain are not followed.
pub const MAX_CHAIN: usize = 64;

/// Formats that [`Image::format`] tells apart from each other for certain.
pub const TOLD_APART: [&str; 7] = ["qcow2", "qcow", "qed", "vdi", "vhdx", "vmdk", "luks"];

/// The format by the first bytes, as each driver's `bdrv_probe` and `bdrv_open` look at them.
pub(crate) fn format(start: &[u8]) -> &'static str {
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
    let found =
        BY_MAGIC.iter().find(|(at, magic, _)| start.get(*at..*at + magic.len()) == Some(magic));
    found.map_or("raw", |(_, _, format)| format)
}

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

    #[test]
    fn names_lead_beside_the_image() {
        assert_eq!(beside("/srv/a.qcow2", "base.img").as_deref(), Some("/srv/base.img"));
        assert_eq!(beside("/srv/a.qcow2", "/b").as_deref(), Some("/b"));
        assert_eq!(beside("/srv/a.qcow2", "file:/b").as_deref(), Some("/b"));
        assert_eq!(beside("/srv/a.qcow2", "nbd://h/x"), None);
        assert_eq!(beside("/srv/a.qcow2", "sub/b:c").as_deref(), Some("/srv/sub/b:c"));
    }
}
