//! Everything that is fuzzed, a little, with every `cargo test`: the seeds, what was found before, and ten thousand mutations of
//! both for each target. `tests/fuzz/run` does it for as long as one likes, led by what the program does with the bytes.
//!
//! What fails is printed with its seed and written to a file; put into `found/TARGET/`, it is a test from then on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mutation;
#[allow(unreachable_pub, reason = "libFuzzer takes them from a crate of their own")]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutation::Mutator;
use targets::{TARGETS, Target};

/// Mutations of each target in `cargo test`. `QPT_FUZZ_TIMES` asks for others, `QPT_FUZZ_SEED` for other chances.
const TIMES: usize = 10_000;
/// No bytes take longer than this, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(directory: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

/// What mutations begin with: the files of `seeds/`, and what the project has of the same kind.
fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let mut seeds = files(&here("tests/fuzz/seeds").join(target.name));
    let others: &[&str] = match target.name {
        "document" => &["tests/fixtures/domains"],
        "facts" => &["assets/demo/host.json", "tests/fixtures/recorded-host.json"],
        _ => &[],
    };
    for path in others.iter().map(|path| here(path)) {
        if path.is_dir() {
            seeds.extend(files(&path));
        } else {
            seeds.push(std::fs::read(path).unwrap());
        }
    }
    seeds.extend(target.words.iter().map(|word| word.as_bytes().to_vec()));
    seeds
}

/// Runs a target, and says what it ran with where that failed.
fn tried(target: &Target, data: &[u8], from: &str) {
    let start = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(data)));
    if ended.is_ok() && start.elapsed() < PATIENCE {
        return;
    }
    let file =
        std::env::temp_dir().join(format!("qpt-fuzz-{}-{}", target.name, std::process::id()));
    std::fs::write(&file, data).unwrap();
    panic!(
        "{from} {}: {:?}\nThe bytes are in {}; kept as a test: cp {} tests/fuzz/found/{}/NAME",
        if ended.is_ok() { "took too long" } else { "failed" },
        String::from_utf8_lossy(data),
        file.display(),
        file.display(),
        target.name
    );
}

fn fuzzed(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let number = |variable: &str| std::env::var(variable).ok().map(|text| text.parse().unwrap());
    let times = number("QPT_FUZZ_TIMES").unwrap_or(TIMES);
    let seed = number("QPT_FUZZ_SEED").unwrap_or(14) as u64;
    let seeds = [files(&here("tests/fuzz/found").join(name)), self::seeds(target)].concat();
    let start = Instant::now();
    for data in &seeds {
        tried(target, data, "a seed");
    }
    let mut mutator = Mutator::new(seed, &seeds, target.words);
    for at in 0..times {
        let data = mutator.next();
        tried(target, &data, &format!("mutation {at} of QPT_FUZZ_SEED={seed}"));
    }
    eprintln!("{name}: {} seeds and {times} mutations in {:?}", seeds.len(), start.elapsed());
}

macro_rules! tests {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            fuzzed(stringify!($name));
        })+
        #[test]
        fn every_target_is_fuzzed_by_both() {
            let here_too = [$(stringify!($name)),+];
            // What cargo packs has no other crate in it.
            let manifest = here("tests/fuzz/libfuzzer/Cargo.toml");
            let Ok(manifest) = std::fs::read_to_string(manifest) else { return };
            for target in &TARGETS {
                assert!(here_too.contains(&target.name), "{} has no test", target.name);
                let line = format!("name = \"{}\"", target.name);
                assert!(manifest.contains(&line), "{} is not given to libFuzzer", target.name);
            }
        }
    };
}

tests! { document editor values conf apparmor facts import explain }

/// For `tests/fuzz/run`: seeds and words as libFuzzer reads them.
#[test]
#[ignore = "writes files for libFuzzer"]
fn files_for_libfuzzer() {
    let to = PathBuf::from(std::env::var("QPT_FUZZ_FILES").unwrap());
    for target in &TARGETS {
        let corpus = to.join("corpus").join(target.name);
        std::fs::create_dir_all(&corpus).unwrap();
        let found = files(&here("tests/fuzz/found").join(target.name));
        // Documents that people published are no part of the project; where they are, they are begun with.
        let is_for_documents = target.name == "document";
        let published =
            if is_for_documents { files(&here("../shared/corpus")) } else { Vec::new() };
        for (at, seed) in [found, seeds(target), published].concat().iter().enumerate() {
            std::fs::write(corpus.join(format!("seed-{at}")), seed).unwrap();
        }
        let escaped =
            |word: &&str| -> String { word.bytes().map(|byte| format!("\\x{byte:02x}")).collect() };
        let words: String =
            target.words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
        std::fs::write(to.join(format!("{}.dict", target.name)), words).unwrap();
    }
}
