//! A profile is read in bounded time, and a rule that is offered for a path is a rule for that path.

use qpt_tui::facts::apparmor::pattern::matches;
use qpt_tui::facts::apparmor::{Found, Profile};
use qpt_tui::words::apparmor::{below_rule, file_rule};

use super::divided;

/// What profiles are made of.
pub const WORDS: &[&str] = &[
    "profile vm flags=(attach_disconnected, complain) {\n",
    "}\n",
    "#include <abstractions/x>\n",
    "include if exists <local/x>\n",
    "@{HOME}=/home/*/ /root/\n",
    "@{HOME}+=/srv\n",
    "@{HOME}/** rwk,\n",
    "deny /etc/{a,b}* w,\n",
    "owner \"/srv/a b/**\" r, rw /x,\n",
    "/a -> /b,\n",
    "px -> y,\n",
    "file,\n",
    "priority=1 /a r,\n",
    "deny {\n",
    "if defined @{HOME} {\n",
    "} else {\n",
    "alias /a -> /b,\n",
    "include <local>\n",
    "**a",
    "{a,b}",
    "[^a-z]",
    "\\000",
    "\\\"",
];

const PATH: &str = "/etc/apparmor.d/libvirt/libvirt-x";

/// The text is a profile, and every file that it includes; behind the NUL stands a path.
pub fn run(data: &[u8]) {
    let Some((text, rest)) = divided(data) else { return };
    let path = String::from_utf8_lossy(rest.0);
    let look = |name: &str| match name {
        _ if name.ends_with("local") => Found::Names(vec!["x".to_owned(), "y~".to_owned()]),
        _ if name.contains("tunables") => Found::Missing,
        _ => Found::Text(text.to_owned()),
    };
    let read = || Profile::parse(PATH, &look);
    assert_eq!(read(), read());
    if let Ok(profile) = read() {
        for path in [&*path, "/srv/a", "/etc/passwd"] {
            let granted = profile.permissions(path, true).0;
            let of_others = profile.permissions(path, false).0;
            assert!(granted.iter().chain(&of_others).all(char::is_ascii_alphabetic));
        }
    }
    offered(&path);
    offered(text);
    matches(text, &path);
}

/// A rule for a path is read as one rule, which fits that path.
fn offered(path: &str) {
    let path = &format!("/srv/{path}");
    for (rule, inside) in
        [(file_rule(path, "rwk"), ""), (below_rule(&format!("{path}/"), "rwk"), "/in/it")]
    {
        let Some(rule) = rule else {
            assert!(path.contains('\0'), "{path:?} has no rule");
            continue;
        };
        assert!(!rule.contains(['\n', '\t', '\r', '\u{1b}']), "{rule:?}");
        let text = format!("profile x {{\n  {rule}\n}}\n");
        let profile = Profile::parse("x", &|_| Found::Text(text.clone()))
            .expect("a profile of one rule is read");
        assert_eq!(profile.broken, None, "{rule:?}");
        assert_eq!(profile.rules.len(), 1, "{rule:?} is {:?}", profile.rules);
        // The kernel takes two slashes for one.
        let mut wanted = format!("{path}{inside}");
        while wanted.contains("//") {
            wanted = wanted.replace("//", "/");
        }
        let granted: String = profile.permissions(&wanted, true).0.into_iter().collect();
        assert_eq!(granted, "akrw", "{rule:?} does not fit {wanted:?}");
        let other = profile.permissions("/etc/passwd", true).0;
        assert!(other.is_empty(), "{rule:?} fits something else");
    }
}
