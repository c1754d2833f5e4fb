//! AppArmor's rules as its own compiler reads them: thousands of profiles, put together by chance, are given to both readers.
//!
//! `apparmor_parser` compiles each to an automaton, which is walked here for every path; where it is not installed nothing is
//! compared, and that is said. `QPT_APPARMOR_PROFILES=N` takes N profiles, `QPT_APPARMOR_SEED=N` others, `QPT_APPARMOR_PARSER=PATH` another compiler.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use qpt_tui::facts::apparmor::{Found, Profile};

/// A profile, compiled.
struct Automaton {
    start: u32,
    states: BTreeMap<u32, State>,
}

#[derive(Default)]
struct State {
    /// What is allowed here: the letters for the owner in the low bits, for others from bit 14 on.
    allowed: u32,
    by_byte: BTreeMap<u8, u32>,
    /// Where every other byte leads, and the bytes that lead nowhere.
    others: Option<(u32, BTreeSet<u8>)>,
}

impl Automaton {
    /// Reads what `-D dfa-states` prints of the first profile.
    fn read(text: &str) -> Automaton {
        let mut automaton = Automaton { start: 0, states: BTreeMap::new() };
        let mut at = 0;
        let number = |text: &str| text.trim_matches(['{', '}']).parse::<u32>().unwrap();
        let allowed = |text: &str| {
            let hex = text.split("(0x ").nth(1).map_or("0", |rest| rest.split('/').next().unwrap());
            u32::from_str_radix(hex, 16).unwrap()
        };
        for line in text.lines() {
            if let Some((state, rest)) = line.split_once('}').filter(|_| line.starts_with('{')) {
                let rest = rest.trim_start();
                let state = number(state);
                if rest.starts_with("<==") {
                    if automaton.start != 0 {
                        break;
                    }
                    automaton.start = state;
                } else if rest.starts_with("perms:") {
                    at = state;
                    automaton.states.entry(at).or_default();
                } else {
                    automaton.states.entry(state).or_default().allowed = allowed(rest);
                }
                continue;
            }
            let Some((from, to)) = line.rsplit_once(" -> ").filter(|_| line.starts_with("    "))
            else {
                continue;
            };
            let to = number(to.split_whitespace().next().unwrap());
            let state = automaton.states.entry(at).or_default();
            if let Some((_, hex)) = from.rsplit_once(" 0x") {
                state.by_byte.insert(u8::from_str_radix(hex, 16).unwrap(), to);
            } else {
                let set = from.trim_start().strip_prefix('[').and_then(|set| set.strip_suffix(']'));
                state.others = Some((to, bytes(set.unwrap().trim_start_matches('^'))));
            }
        }
        automaton
    }

    /// The letters that a path gets.
    fn permissions(&self, path: &str, owned: bool) -> String {
        let mut at = self.start;
        for byte in path.bytes() {
            let Some(state) = self.states.get(&at) else { return String::new() };
            let next = state.by_byte.get(&byte).copied().or_else(|| {
                let (to, excepted) = state.others.as_ref()?;
                (!excepted.contains(&byte)).then_some(*to)
            });
            let Some(next) = next else { return String::new() };
            at = next;
        }
        let bits =
            self.states.get(&at).map_or(0, |state| state.allowed >> if owned { 0 } else { 14 });
        let letters = [('a', 8), ('k', 0x20), ('m', 0x40), ('r', 4), ('w', 2), ('x', 1)];
        letters.iter().filter(|(_, bit)| bits & bit != 0).map(|(letter, _)| *letter).collect()
    }
}

/// The bytes of a class as it is printed: `\x` and as few digits as there are, or the byte itself.
fn bytes(set: &str) -> BTreeSet<u8> {
    let mut found = BTreeSet::new();
    let mut rest = set.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'\\' && behind.first() == Some(&b'x') {
            let digits =
                behind[1..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
            let digits = if behind.get(1) == Some(&b'0') { 1 } else { digits };
            let text = std::str::from_utf8(&behind[1..=digits]).unwrap();
            found.insert(u8::from_str_radix(text, 16).unwrap());
            rest = &behind[1 + digits..];
        } else {
            found.insert(*first);
            rest = behind;
        }
    }
    found
}

/// The compiler.
fn compiler() -> String {
    std::env::var("QPT_APPARMOR_PARSER").unwrap_or_else(|_| "apparmor_parser".to_owned())
}

/// What the compiler makes of a profile; nothing where it refuses it, with its words.
fn compiled(text: &str) -> Result<Automaton, String> {
    let mut child = Command::new(compiler())
        .args(["-Q", "-K", "-T", "-D", "dfa-states"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // Without a kernel that has AppArmor nothing can be cached.
    let said =
        said.lines().filter(|line| !line.starts_with("Cache ")).collect::<Vec<_>>().join("\n");
    if !output.status.success() {
        return Err(said);
    }
    Ok(Automaton::read(&said))
}

/// The compiler's version, where there is one.
fn version() -> Option<(u32, u32)> {
    let output = Command::new(compiler()).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().next()?.rsplit(' ').next()?.to_owned();
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    Some((numbers.next()?, numbers.next()?))
}

/// Chance that can be had again (a linear congruential generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

const PATHS: [&str; 44] = [
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/c",
    "/ab",
    "/abc",
    "/a/bc",
    "/b",
    "/b/",
    "/b/a",
    "/c",
    "/a,b",
    "/a b",
    "/a/b c",
    "/a\"b",
    "/a\\b",
    "/a*",
    "/a/*",
    "/a/**",
    "/a?b",
    "/a[b]",
    "/{a,b}",
    "/a{b",
    "/a}",
    "/a#b",
    "/#a",
    "/a!b",
    "/é",
    "/aé",
    "/home/me/a",
    "/home/me/",
    "/home/a",
    "/root/a",
    "/root/",
    "/srv/x/a",
    "/srv/x",
    "/srv/y/a/b",
    "/one/two",
    "/a//b",
    "//a/b",
    "/A",
    "/a.b",
    "/a+b",
];

const PREAMBLE: &str = "@{HOMEDIRS}=/home/\n@{HOME}=@{HOMEDIRS}/*/ /root/\n@{S} = x y\n@{S} += \"z z\"\n@{ONE}=/one # why\n$yes = true\n$no = false\n";

fn path(chance: &mut Chance) -> String {
    const STARTS: [&str; 14] = [
        "/",
        "/",
        "/",
        "/",
        "/a",
        "/a/",
        "/b",
        "/{a,b}",
        "@{HOME}/",
        "@{HOME}",
        "@{ONE}",
        "/srv/@{S}/",
        "//a",
        "/a//",
    ];
    const PARTS: [&str; 40] = [
        "a",
        "b",
        "c",
        "/",
        "/",
        "*",
        "*",
        "**",
        "**",
        "?",
        "[ab]",
        "[^a]",
        "[a-c]",
        "{a,b}",
        "{,b}",
        "{/,}",
        "{a,b/*}",
        "{a*,**c}",
        "\\*",
        "\\{",
        "\\}",
        "\\[",
        "\\052",
        "\\x61",
        "\\d097",
        "\\141",
        ",b",
        "#b",
        ".",
        "+",
        "\\ ",
        "\\,",
        "\\\\",
        "é",
        "***",
        "{a,{b,c}}",
        "a",
        "/b",
        "@{S}",
        "A",
    ];
    const WRONG: [&str; 12] =
        ["{a", "b}", "[a", "]", "{a}", "@{NONE}", "\\", "!", "\"", " b", "[]", "@{"];
    let mut text = chance.one(&STARTS).to_owned();
    for _ in 0..chance.below(5) {
        text += chance.one(&PARTS);
    }
    if chance.once_in(25) {
        text += chance.one(&WRONG);
    }
    if chance.once_in(5) {
        let inside = text.replace("\\ ", " ");
        return format!("\"{inside}{}\"", chance.one(&["", "", " b", "\\\"b", "\\040"]));
    }
    text
}

fn rule(chance: &mut Chance) -> String {
    const PREFIXES: [&str; 14] = [
        "",
        "",
        "",
        "",
        "",
        "",
        "owner ",
        "deny ",
        "audit ",
        "allow ",
        "audit deny ",
        "deny owner ",
        "allow owner ",
        "file ",
    ];
    const MODES: [&str; 18] = [
        "r", "w", "rw", "rw", "rwk", "a", "rm", "mrwk", "rix", "Px", "rPUx", "ux", "RW", "rwl",
        "k", "rw", "r", "rwklm",
    ];
    const WRONG_MODES: [&str; 7] = ["rwx", "wa", "aw", "z", "rw-", "ixPx", ""];
    const OTHERS: [&str; 16] = [
        "capability setuid,",
        "capability net_admin sys_admin,",
        "network inet stream,",
        "network,",
        "signal (send, receive) peer=x,",
        "ptrace (read) peer=@{S},",
        "unix (send receive) type=stream peer=(label=a),",
        "change_profile -> x,",
        "umount /a/,",
        "mount options=(rw, bind) /a/ -> /b/,",
        "file,",
        "dbus (send) bus=system path=/a/b,",
        "pivot_root /a/,",
        "set rlimit nofile <= 1024,",
        "deny network inet6,",
        "audit capability,",
    ];
    const MISTAKES: [&str; 12] = [
        "owner allow /a rw,",
        "a/b rw,",
        "/a rw",
        "/a rw; /b r,",
        "}",
        "nonsense,",
        "deny deny /a r,",
        "/a,",
        "rw,",
        "capability setuid /b rw,",
        "include <nosuch/nosuch>",
        "owner capability setuid,",
    ];
    if chance.once_in(9) {
        return chance.one(&OTHERS).to_owned();
    }
    if chance.once_in(40) {
        return chance.one(&MISTAKES).to_owned();
    }
    let prefix = chance.one(&PREFIXES);
    let path = path(chance);
    let mut mode = if chance.once_in(40) { chance.one(&WRONG_MODES) } else { chance.one(&MODES) };
    if prefix.contains("deny") && mode.to_ascii_lowercase().contains("x") {
        mode = "x";
    }
    let blank = chance.one(&[" ", " ", " ", "\t", "  "]);
    let target = if mode.ends_with("Px") && chance.once_in(2) { " -> other" } else { "" };
    if chance.once_in(5) {
        format!("{prefix}{mode}{blank}{path}{target},")
    } else {
        format!("{prefix}{path}{blank}{mode}{target},")
    }
}

fn profile(chance: &mut Chance, newer: bool) -> String {
    let mut text = format!(
        "{PREAMBLE}profile vm{} {{\n",
        chance.one(&["", "", " flags=(attach_disconnected)", " flags=(complain)"])
    );
    for number in 0..=chance.below(3) {
        let one = rule(chance);
        let line = match chance.below(30) {
            0 if newer => format!("deny {{\n{one}\n}}"),
            1 => format!("owner {{ {one} }}"),
            2 => format!("profile child{number} {{\n{one}\n}}"),
            3 => format!("^hat{number} {{\n{one}\n}}"),
            4 => format!("if $yes {{\n{one}\n}}"),
            5 => format!("if $no {{\n{one}\n}} else {{\n{}\n}}", rule(chance)),
            6 => format!("if not defined @{{S}} {{\n{one}\n}}"),
            7 => format!("{one} {}", rule(chance)),
            8 => format!("{one} # why, not"),
            9 if newer => format!("priority={} {one}", chance.one(&["1", "-1", "10"])),
            _ => one,
        };
        text += "  ";
        text += &line;
        text +=
            chance.one(&["\n", "\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "\n# remark\n", " "]);
    }
    text + "\n}" + chance.one(&["\n", "\n", "", "\n# end\n", "\n# end"])
}

#[test]
fn both_readers_give_every_path_the_same() {
    let Some(version) = version() else {
        eprintln!("skipped: apparmor_parser is not installed (Debian: apparmor)");
        return;
    };
    let setting = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let mut chance = Chance(setting("QPT_APPARMOR_SEED", 1));
    let count = setting("QPT_APPARMOR_PROFILES", 2500);
    let (mut wrong, mut unclear, mut refused) = (Vec::new(), 0, 0);
    for _ in 0..count {
        let text = profile(&mut chance, version >= (4, 1));
        let real = compiled(&text);
        let read = Profile::parse("/p", &|path| match path {
            "/p" => Found::Text(text.clone()),
            _ => Found::Missing,
        });
        let Ok(read) = read else {
            unclear += 1;
            continue;
        };
        let real = match (real, &read.broken) {
            (Err(_), Some(_)) => {
                refused += 1;
                continue;
            }
            // Which of two kinds of 'x' a path gets is not looked at.
            (Err(said), None) if said.contains("conflicting x modifiers") => continue,
            // 3.0.8 does not take 'network,' and 'if' in one profile, and does not say so.
            (Err(said), None) if said.is_empty() => continue,
            (Err(said), None) if read.unclear.is_none() => {
                wrong.push(format!("{text}\nis refused: {said}"));
                continue;
            }
            (Ok(_), Some(broken)) => {
                wrong.push(format!("{text}\nis not refused, and was said to be: {broken}"));
                continue;
            }
            _ if read.unclear.is_some() => {
                unclear += 1;
                continue;
            }
            (Ok(real), None) => real,
            (Err(_), None) => continue,
        };
        for path in PATHS {
            for owned in [true, false] {
                let granted: String = read
                    .permissions(path, owned)
                    .0
                    .into_iter()
                    .filter(|letter| *letter != 'l')
                    .collect();
                let really = real.permissions(path, owned);
                if granted != really {
                    wrong.push(format!("{text}\n{path} (owned: {owned}) gets '{really}', and was said to get '{granted}'"));
                }
            }
        }
    }
    eprintln!("{count} profiles, {refused} refused by both, {unclear} unclear");
    let shown: Vec<&str> = wrong.iter().take(12).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), shown.join("\n----\n"));
    assert!(unclear * 50 <= count, "{unclear} of {count} are unclear");
}

/// What a site can write into its file, whether AppArmor refuses it, and the letters that `/srv/a` gets otherwise.
const LOCAL: [(&str, Option<&str>); 34] = [
    ("  /srv/a rw,\n", Some("arw")),
    ("  /srv/d/ r, /srv/** rw,\n", Some("arw")),
    ("", Some("")),
    // Ways to break it.
    ("  /srv/other rw\n  /srv/a rw,\n", None),
    ("  /srv/a rw\n", None),
    ("  /srv/a rw", None),
    ("  /srv/a rw;\n", None),
    ("  /srv/with space/a.img rwk,\n", None),
    ("  @{NONE}/a rw,\n", None),
    ("  #include <no/such/file>\n", None),
    ("  /srv/{a,b rw,\n", None),
    ("  /srv/[ab rw,\n", None),
    ("  /srv/a rwx,\n", None),
    ("  /srv/a wa,\n", None),
    ("  }\n", None),
    ("  srv/a rw,\n", None),
    ("  owner allow /srv/a rw,\n", None),
    ("  /srv/\"a rw,\n", None),
    ("  /srv/a rw, # why", None),
    ("  /srv/a rw,\n  # end", None),
    ("  profile x {\n  /srv/a rw,\n", None),
    ("  {\n", None),
    // What is included, and what of a directory is passed over.
    ("  #include <more/one>\n", Some("r")),
    ("  include if exists <no/such/file>\n", Some("")),
    ("  include <more>\n", Some("r")),
    ("  include \"BASE/more/one\"\n", Some("r")),
    ("  include if exists <more>\n  deny /srv/a r,\n", Some("")),
    // Signs and words.
    ("  \"/srv/a\" r,\n", Some("r")),
    ("  r /srv/a,\n", Some("r")),
    ("  file r /srv/a,\n", Some("r")),
    ("  /srv/\\141 r,\n", Some("r")),
    ("  /srv//a r,\n", Some("r")),
    ("  capability setuid, /srv/a r,\n", Some("r")),
    ("  /srv/a R,\n", Some("r")),
];

#[test]
fn a_sites_own_file_is_read_as_apparmor_reads_it() {
    let is_there = version().is_some();
    if !is_there {
        eprintln!(
            "the readings are not compared: apparmor_parser is not installed (Debian: apparmor)"
        );
    }
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    std::fs::create_dir_all(at("more")).unwrap();
    std::fs::write(at("more/one"), "/srv/a r,\n").unwrap();
    for name in [
        ".hidden",
        "two~",
        "x.dpkg-old",
        "x.dpkg-dist",
        "x.rpmnew",
        "x.rpmsave",
        "x.orig",
        "README",
    ] {
        std::fs::write(at("more").join(name), "/srv/a w,\n").unwrap();
    }
    let vm = "#include <abstractions/vm>\n";
    std::fs::create_dir_all(at("abstractions")).unwrap();
    std::fs::write(at("vm"), format!("profile vm {{\n{vm}}}\n")).unwrap();
    for (text, expected) in LOCAL {
        let text = text.replace("BASE", base.path().to_str().unwrap());
        std::fs::write(at("abstractions/vm"), &text).unwrap();
        let look = |path: &str| {
            let path = path
                .strip_prefix("/etc/apparmor.d")
                .map_or(path.into(), |name| at(name.trim_start_matches('/')));
            if path.is_dir() {
                let names = std::fs::read_dir(&path).unwrap();
                return Found::Names(
                    names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect(),
                );
            }
            std::fs::read_to_string(&path).map_or(Found::Missing, Found::Text)
        };
        let read = Profile::parse("/etc/apparmor.d/vm", &look).unwrap();
        let granted: String = read.permissions("/srv/a", true).0.into_iter().collect();
        let found = read.broken.is_none().then_some(granted.as_str());
        assert_eq!(found, expected, "{text:?}: {:?}", read.broken);
        let is_placed = read
            .broken
            .is_none_or(|what| what.contains("/abstractions/vm:") || what.contains("/vm:"));
        assert!(is_placed, "{text:?}");
        if !is_there {
            continue;
        }
        let output = Command::new(compiler())
            .args(["-Q", "-K", "-T", "-D", "dfa-states", "-b"])
            .arg(base.path())
            .arg(at("vm"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let really =
            output.status.success().then(|| Automaton::read(&said).permissions("/srv/a", true));
        assert_eq!(really.as_deref(), expected, "{text:?}: {said}");
    }
}
