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
    /// The files that a descriptor of vmdk puts the image together of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extents: Vec<String>,
    /// The format that the header says the backing file has.
    #[serde(default)]
    pub backing_format: Option<String>,
    /// What a reader of qcow2 has to know of before it opens one (`incompatible_features`): bit 1 says that it is corrupt.
    #[serde(default)]
    pub incompatible: u64,
    /// It is a qcow2 image of version 2 (`compat=0.10`), which lacks some of what version 3 has.
    #[serde(default)]
    pub old: bool,
    /// Its contents are encrypted: it opens with a secret only.
    #[serde(default)]
    pub encrypted: bool,
}

/// More images than this in one chain are not followed.
pub const MAX_CHAIN: usize = 64;

/// Formats that [`Image::format`] tells apart from each other for certain.
pub const TOLD_APART: [&str; 12] = [
    "qcow2",
    "qcow",
    "qed",
    "vdi",
    "vhdx",
    "vmdk",
    "luks",
    "parallels",
    "bochs",
    "cloop",
    "vpc",
    "dmg",
];

/// Where the magic bytes of a format stand, and which they are.
const BY_MAGIC: [(usize, &[u8], &str); 14] = [
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
    (0, b"WithoutFreeSpace", "parallels"),
    (0, b"WithouFreSpacExt", "parallels"),
    (0, b"Bochs Virtual HD Image", "bochs"),
    (0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop", "cloop"),
];

/// Bytes at the start of a file that [`format()`] looks at.
pub(crate) const FORMAT_BYTES: usize = 0x44;

/// The format by the first bytes, as each driver's `bdrv_probe` and `bdrv_open` look at them.
pub(crate) fn format(start: &[u8]) -> &'static str {
    let found =
        BY_MAGIC.iter().find(|(at, magic, _)| start.get(*at..*at + magic.len()) == Some(magic));
    found.map_or("raw", |(_, _, format)| format)
}

/// The format by the last 512 bytes, for those that have their signature there.
pub(crate) fn format_by_end(end: &[u8]) -> Option<&'static str> {
    if end.starts_with(b"conectix") {
        return Some("vpc");
    }
    end.starts_with(b"koly").then_some("dmg")
}

/// Where a name found in the header of `image` leads (`bdrv_make_absolute_filename`): beside the image unless it is absolute.
/// `None` for what is no file: another protocol.
pub fn beside(image: &str, name: &str) -> Option<String> {
    if let Some(text) = name.strip_prefix("json:") {
        return in_json(&serde_json::from_str(text).ok()?);
    }
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

/// The files in the lines of a descriptor of vmdk (`vmdk_parse_extents`): `RW 2048 FLAT "a-flat.vmdk" 0`. Kinds that name no file
/// have none.
pub(crate) fn extents(descriptor: &str) -> Vec<String> {
    let file = |line: &str| {
        let mut words = line.split_whitespace();
        let is_extent = ["RW", "RDONLY"].contains(&words.next()?);
        let kind = words.nth(1)?;
        let is_file = ["FLAT", "SPARSE", "VMFS", "VMFSSPARSE", "SESPARSE"].contains(&kind);
        let name = line.split('"').nth(1)?;
        (is_extent && is_file).then(|| name.to_owned())
    };
    descriptor.lines().filter_map(file).collect()
}

/// Where a data file is (`qcow2_do_open` takes its name as it stands): of a name that is not absolute, below the directory that
/// QEMU runs in, which is the root.
pub fn data_file(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("/{name}") }
}

/// The absolute file name in the pseudo protocol `json:`, of a node or of the one below it.
fn in_json(node: &serde_json::Value) -> Option<String> {
    let name = [node.get("filename"), node.get("file.filename")].into_iter().flatten().next();
    match name.and_then(serde_json::Value::as_str) {
        Some(name) => name.starts_with('/').then(|| name.to_owned()),
        None => in_json(node.get("file")?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_magic_stands_in_the_bytes_that_are_read() {
        for (at, magic, format) in BY_MAGIC {
            assert!(at + magic.len() <= FORMAT_BYTES, "{format}");
        }
    }

    #[test]
    fn a_descriptor_names_its_files() {
        let text = "# Disk DescriptorFile\nversion=1\nRW 2048 FLAT \"a-flat.vmdk\" 0\nRW 9 ZERO\nNOACCESS 1 FLAT \"b\" 0\nRDONLY 7 SPARSE \"c d.vmdk\"\nddb.x = \"1\"\n";
        assert_eq!(extents(text), ["a-flat.vmdk", "c d.vmdk"]);
    }

    #[test]
    fn names_lead_beside_the_image() {
        assert_eq!(beside("/srv/a.qcow2", "base.img").as_deref(), Some("/srv/base.img"));
        assert_eq!(beside("/srv/a.qcow2", "/b").as_deref(), Some("/b"));
        assert_eq!(beside("/srv/a.qcow2", "file:/b").as_deref(), Some("/b"));
        assert_eq!(beside("/srv/a.qcow2", "nbd://h/x"), None);
        let json = "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"/b\"}}";
        assert_eq!(beside("/srv/a.qcow2", json).as_deref(), Some("/b"));
        assert_eq!(
            beside("/srv/a.qcow2", "json:{\"file.filename\":\"/b\"}").as_deref(),
            Some("/b")
        );
        assert_eq!(beside("/srv/a.qcow2", "json:{"), None);
        assert_eq!((data_file("d"), data_file("/d")), ("/d".into(), "/d".into()));
        assert_eq!(beside("/srv/a.qcow2", "sub/b:c").as_deref(), Some("/srv/sub/b:c"));
    }
}
