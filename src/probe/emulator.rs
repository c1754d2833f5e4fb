//! Asking the host's own QEMU, over QMP and by its help: which devices, objects, properties and names it has.
//!
//! A program is run only when it is trusted: it is where distributions put QEMU, root owns it and every step of the way to
//! it, and nobody else can write it. The answer is kept in the user's cache directory, by path, size and time of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::facts::emulator::{Emulator, Property};
use crate::folder::Folder;
use crate::process;
use crate::qemu::catalog;

/// How long the program may take for all answers.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than any QEMU has to say about itself.
const MOST_KEPT: u64 = 64 << 20;
/// How long it may take for one answer that others waited for.
const FOR_ONE: Duration = Duration::from_secs(1);

/// What a trusted program answers, with the properties of the named types; from the cache when the program has not changed.
///
/// # Errors
/// One sentence about why there is no answer.
pub(super) fn look(path: &str, types: &[String]) -> Result<Emulator, String> {
    // A cache that can't be used costs time, nothing else.
    let cache = Folder::cache().ok().zip(cache_name(path));
    let stored = cache
        .as_ref()
        .and_then(|(folder, name)| folder.read(name, MOST_KEPT).ok())
        .and_then(|text| serde_json::from_slice::<Emulator>(&text).ok());
    let known = stored.clone().filter(|known| known.path == path);
    let mut emulator = match known {
        Some(known) => known,
        None => ask(path)?,
    };
    learn(&mut emulator, types);
    // Modules come and go with packages of their own; the program stays the same.
    emulator.lacking = lacking(&emulator.modules);
    let changed = stored.as_ref() != Some(&emulator);
    if changed
        && let Some((folder, name)) = cache
        && let Ok(text) = serde_json::to_vec(&emulator)
    {
        folder.clear_way(&name);
        let _ = folder.put(&name, &text);
    }
    Ok(emulator)
}

/// Asks for the properties of types that are not known yet. Some types can't be asked about everywhere (a CPU that needs
/// KVM ends the program): then they stay unknown.
fn learn(emulator: &mut Emulator, types: &[String]) {
    let path = emulator.path.clone();
    for (table, command) in [
        (&mut emulator.devices, "device-list-properties"),
        (&mut emulator.objects, "qom-list-properties"),
    ] {
        let is_unknown = |name: &&String| {
            table.get(*name).is_some_and(Vec::is_empty) && !emulator.unanswerable.contains(name)
        };
        let unknown: Vec<&String> = types.iter().filter(is_unknown).collect();
        if unknown.is_empty() {
            continue;
        }
        let questions: Vec<Value> = unknown
            .iter()
            .map(|name| json!({"execute": command, "arguments": {"typename": name}}))
            .collect();
        if let Ok(answers) = converse(&path, &questions, PATIENCE) {
            for (name, answer) in unknown.into_iter().zip(&answers) {
                table.insert(name.clone(), properties(answer));
            }
            continue;
        }
        // One that spins or ends the program must cost only itself.
        for (name, question) in unknown.into_iter().zip(questions) {
            match converse(&path, &[question], FOR_ONE) {
                Ok(answers) => {
                    table.insert(name.clone(), properties(&answers[0]));
                }
                Err(_) => emulator.unanswerable.push(name.clone()),
            }
        }
    }
}

/// What the program knows as a module: it holds their names, each between NUL bytes (`module_info`, util/module.c).
fn modules(path: &str) -> Vec<String> {
    let Ok(program) = std::fs::read(path) else { return Vec::new() };
    let known = |name: &&[u8]| {
        let known = [b"audio-".as_slice(), b"block-", b"chardev-", b"hw-", b"ui-"]
            .iter()
            .any(|kind| name.starts_with(kind));
        known && catalog::is_module(&String::from_utf8_lossy(name))
    };
    let found: BTreeSet<&[u8]> = program.split(|byte| *byte == 0).filter(known).collect();
    found.into_iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// The directories that the program looks for its own files in, which it prints one a line.
fn data(path: &str) -> Vec<String> {
    let printed = run(path, &["-L", "help"]).unwrap_or_default();
    printed.lines().filter(|line| line.starts_with('/')).map(str::to_owned).collect()
}

/// The directories that distributions put modules into, as far as this host has them.
fn module_homes() -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> =
        ["/usr/lib/qemu", "/usr/lib64/qemu", "/usr/lib64/qemu-kvm"].map(PathBuf::from).to_vec();
    let triplets = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    homes.extend(triplets.map(|entry| entry.path().join("qemu")));
    homes.retain(|home| home.is_dir());
    homes
}

/// The modules that stand in none of the directories that distributions use.
fn lacking(modules: &[String]) -> Vec<String> {
    let homes = module_homes();
    let there = |name: &String| homes.iter().any(|home| home.join(format!("{name}.so")).exists());
    modules.iter().filter(|name| !there(name)).cloned().collect()
}

fn names(answer: &Value) -> Vec<String> {
    answer
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|found| Some(found["name"].as_str()?.to_owned()))
        .collect()
}

fn properties(answer: &Value) -> Vec<Property> {
    let property = |found: &Value| {
        let default = found
            .get("default-value")
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        Some(Property {
            name: found["name"].as_str()?.to_owned(),
            kind: found["type"].as_str().unwrap_or_default().to_owned(),
            default,
        })
    };
    // Children and the type itself are no settings.
    let setting =
        |property: &Property| !property.kind.starts_with("child<") && property.name != "type";
    answer.as_array().into_iter().flatten().filter_map(property).filter(setting).collect()
}

/// A name in the cache that another program, or this one after a change, does not have.
fn cache_name(path: &str) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    // Devices come with modules: a package that is installed later makes it another QEMU.
    let newest =
        module_homes().iter().filter_map(|home| Some(std::fs::metadata(home).ok()?.mtime())).max();
    Some(format!(
        "{}-{}-{}-{}-{}-8.json",
        path.trim_start_matches('/').replace('/', "-"),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        newest.unwrap_or_default()
    ))
}

/// Asks the program for its version and its types.
fn ask(path: &str) -> Result<Emulator, String> {
    let types = |kind: &str| json!({"execute": "qom-list-types", "arguments": {"implements": kind, "abstract": false}});
    let answers = converse(
        path,
        &[
            json!({"execute": "query-version"}),
            types("device"),
            types("user-creatable"),
            json!({"execute": "query-machines"}),
            json!({"execute": "query-command-line-options"}),
            json!({"execute": "query-cpu-definitions"}),
            json!({"execute": "query-qmp-schema"}),
        ],
        PATIENCE,
    )?;
    let number = |key: &str| answers[0]["qemu"][key].as_u64().unwrap_or_default();
    let table = |answer: &Value| {
        names(answer).into_iter().map(|name| (name, Vec::new())).collect::<BTreeMap<_, _>>()
    };
    let (devices, objects) = (table(&answers[1]), table(&answers[2]));
    if devices.is_empty() {
        return Err(format!("{path} lists no devices"));
    }
    let version = format!("{}.{}.{}", number("major"), number("minor"), number("micro"));
    let machines = answers[3].as_array().into_iter().flatten();
    let machines = machines
        .flat_map(|machine| [&machine["name"], &machine["alias"]])
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    let groups = answers[4].as_array().into_iter().flatten();
    let keys = groups
        .filter_map(|group| {
            Some((group["option"].as_str()?.to_owned(), names(&group["parameters"])))
        })
        .filter(|(_, keys)| !keys.is_empty())
        .collect();
    let (processors, modules, data) = (names(&answers[5]), modules(path), data(path));
    let names = own_names(path, &answers[6]);
    let path = path.to_owned();
    Ok(Emulator {
        path,
        version,
        devices,
        machines,
        objects,
        keys,
        processors,
        names,
        modules,
        lacking: Vec::new(),
        data,
        unanswerable: Vec::new(),
    })
}

/// Options that QEMU reads and leaves out of its help (qemu-options.hx: no help text; `-M` is a spelling of `-machine`).
const WITHOUT_HELP: [&str; 3] = ["M", "qtest", "qtest-log"];

/// Members of the schema's enumerations that are no back ends here: `-netdev` refuses the first two ("not compiled into this
/// binary", net/net.c), the third is Windows' (chardev/char-console.c).
const NO_BACKENDS: [&str; 3] = ["nic", "none", "console"];

/// The names that a QEMU has: from its schema, and from its help where a kind is not in the schema.
fn own_names(path: &str, schema: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut names = BTreeMap::new();
    let mut add = |kind: &str, found: BTreeSet<String>| {
        if !found.is_empty() {
            names.insert(kind.to_owned(), found);
        }
    };
    add("blockdev", variants(schema, "blockdev-add", None, "driver"));
    for (kind, command, within) in
        [("chardev", "chardev-add", Some("backend")), ("netdev", "netdev_add", None)]
    {
        let mut found = variants(schema, command, within, "type");
        found.retain(|name| !NO_BACKENDS.contains(&name.as_str()));
        add(kind, found);
    }
    // Two short runs, side by side.
    let (options, drivers) = std::thread::scope(|scope| {
        let options = scope.spawn(|| run(path, &["-help"]));
        let drivers = run(path, &["-audiodev", "help"]);
        (options.join().unwrap_or_else(|_| Err(String::new())), drivers)
    });
    if let Ok(help) = options {
        let mut found = options_of(&help);
        found.extend(WITHOUT_HELP.map(str::to_owned));
        add("option", found);
    }
    if let Ok(help) = drivers {
        // The first line is a title.
        add(
            "audiodev",
            help.lines()
                .skip(1)
                .map(|line| line.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        );
    }
    names
}

/// The options in QEMU's help: `-fda/-fdb file`, `-h or -help`, `--preconfig`.
fn options_of(help: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in help.lines().filter(|line| line.starts_with('-')) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        let other = words.next().filter(|word| *word == "or").and_then(|_| words.next());
        for name in first.split('/').chain(other) {
            found.insert(name.trim_start_matches('-').to_owned());
        }
    }
    found
}

/// The names of the variants that a command takes: the values of the enumeration that its argument is told apart by.
///
/// The schema names its types by numbers: command, argument (or a member of that), member, enumeration are looked up in turn.
fn variants(schema: &Value, command: &str, within: Option<&str>, tag: &str) -> BTreeSet<String> {
    let entity = |name: &Value| schema.as_array()?.iter().find(|entity| entity["name"] == *name);
    let member = |object: &Value, name: &str| {
        let members = object["members"].as_array()?;
        entity(&members.iter().find(|member| member["name"] == name)?["type"])
    };
    let find = || {
        let mut object = entity(&entity(&json!(command))?["arg-type"])?;
        if let Some(within) = within {
            object = member(object, within)?;
        }
        member(object, tag)?["values"].as_array()
    };
    find().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The program, ended by the kernel when we are: a killed session leaves no QEMU behind. What it runs gains nothing.
fn ending_with_us(path: &str) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if !std::path::Path::new(SETPRIV).exists() {
        return Command::new(path);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--no-new-privs", path]);
    command
}

/// What the program prints with these arguments.
fn run(path: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = ending_with_us(path);
    command.args(["-machine", "none", "-nodefaults", "-display", "none"]).args(arguments);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
    process::ask_apart(command, None, PATIENCE)
}

/// Sends commands and gives their answers in order; an error is null.
fn converse(path: &str, commands: &[Value], patience: Duration) -> Result<Vec<Value>, String> {
    let mut command = ending_with_us(path);
    command.args([
        "-machine",
        "none",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-S",
        "-qmp",
        "stdio",
    ]);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
    let mut script = Vec::new();
    for command in std::iter::once(&json!({"execute": "qmp_capabilities"}))
        .chain(commands)
        .chain([&json!({"execute": "quit"})])
    {
        // Writing to a vector cannot fail.
        let _ = writeln!(script, "{command}");
    }
    let text = process::ask_apart(command, Some(script), patience)?;
    let answers: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message.get("return").is_some() || message.get("error").is_some())
        .map(|mut message| message["return"].take())
        .skip(1)
        .take(commands.len())
        .collect();
    if answers.len() < commands.len() {
        return Err(format!("{path} answered {} of {} questions", answers.len(), commands.len()));
    }
    Ok(answers)
}
