//! qemu.conf is read as libvirt reads it, and a text that is written into it is read back.

use qpt_tui::facts::qemu_conf::{QemuConf, Value, kind_of};
use qpt_tui::words::qemu_conf;

/// What qemu.conf is made of.
pub const WORDS: &[&str] = &[
    "user = \"root\"\n",
    "cgroup_device_acl = [\n    \"/dev/null\", \"/dev/kvm\",\n]\n",
    "security_driver = [ \"selinux\", 'apparmor' ]\n",
    "namespaces = []\n",
    "seccomp_sandbox = 0\n",
    "\"\"\"",
    "'",
    "[",
    "]",
    "#",
    ";",
    "-9223372036854775808",
    "\r\n",
];

/// The text is a file, and then a value.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let conf = QemuConf::parse("qemu.conf", text);
    assert_eq!(conf, QemuConf::parse("qemu.conf", text));
    if let Some(error) = &conf.error {
        assert!((1..=text.matches('\n').count() + 1).contains(&error.line), "{error:?}");
    }
    for (key, value) in &conf.settings {
        assert!(key.starts_with(|c: char| c.is_ascii_alphabetic()), "{key:?} is no name");
        assert!(conf.get(key).is_some());
        let _ = (kind_of(key, None), conf.text(key), conf.int(key), conf.list(key));
        written_again(key, value);
    }
    // The text as somebody's path.
    written_again("user", &Value::Text(text.to_owned()));
    written_again(
        "cgroup_device_acl",
        &Value::List(vec![Value::Text("/dev/null".to_owned()), Value::Text(text.to_owned())]),
    );
    let before = QemuConf::parse("qemu.conf", "");
    assert!(before.settings.is_empty());
}

/// A setting that can be written is that setting, and what stands behind it is read too.
fn written_again(key: &str, value: &Value) {
    let Some(text) = written(value) else { return };
    let line = format!("{key} = {text}\nnext = 1\n");
    let conf = QemuConf::parse("qemu.conf", &line);
    assert_eq!(conf.error, None, "{line:?}");
    let wanted = [(key.to_owned(), value.clone()), ("next".to_owned(), Value::Int(1))];
    assert_eq!(conf.settings, wanted, "{line:?}");
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::Text(text) => qemu_conf::string(text),
        Value::List(values) => {
            let mut texts = Vec::new();
            for value in values {
                let Value::Text(text) = value else { return None };
                texts.push(text.as_str());
            }
            qemu_conf::list(texts)
        }
    }
}
