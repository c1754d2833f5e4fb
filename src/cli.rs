//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// See, edit and judge a libvirt domain's QEMU passthrough before the VM is started.
#[derive(Debug, Parser)]
#[command(name = "qpt-tui", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 could not be read or wrong usage.\nWhat the program gives up while it runs, as far as this kernel lets it: qpt-tui --version -v"
)]
pub struct Cli {
    /// What to do; without one, FILE is opened in the editor, or what is there is shown to choose from.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The domain's XML file; a directory, to choose among its files; or a name: of NAME.xml here, or of a domain that libvirt
    /// keeps. Without any, the domains of libvirt and the files here are shown to choose from.
    pub file: Option<PathBuf>,
    /// Look only; nothing can be saved.
    #[arg(long)]
    pub readonly: bool,
    /// Edit a domain that libvirt keeps, through virsh: the connection, such as qemu:///system. Without --domain its domains are
    /// shown to choose from.
    #[arg(long, value_name = "URI", conflicts_with_all = ["file", "demo"])]
    pub connect: Option<String>,
    /// The domain's name, id or UUID; without --connect on the connection that virsh takes by itself.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "demo"])]
    pub domain: Option<String>,
    /// Open a sample domain in which every layer has something to say; nothing is saved.
    #[arg(long, conflicts_with = "file")]
    pub demo: bool,
    /// Where verdicts come from.
    #[command(flatten)]
    pub host: HostOptions,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what libvirt and QEMU will make of the passthrough, without a screen.
    Check(Check),
    /// Print a document with its passthrough as libvirt prints it.
    Canonical {
        /// The domain's XML file; '-' is standard input.
        file: PathBuf,
    },
    /// Print the page of a rule, or the list of rules.
    Explain {
        /// The rule's name, as findings show it in brackets.
        rule: Option<String>,
        /// Say which rules may stand behind an error of libvirt or QEMU, as 'why' does; '-' reads it from standard input.
        #[arg(long, value_name = "TEXT", conflicts_with = "rule", allow_hyphen_values = true)]
        error: Option<String>,
    },
    /// Say which entry, which layer and which rule stand behind a message, whether it is still so, and what to do.
    Why(Why),
    /// Print what this host says about the resources of some domains, as JSON for --facts.
    Facts {
        /// The domains' XML files.
        files: Vec<PathBuf>,
        /// Where verdicts come from.
        #[command(flatten)]
        host: HostOptions,
    },
    /// List what is kept of unsaved edits and of texts from before saves; show one, compare it, or give it back.
    Recover(Recover),
    /// Have libvirt start the domain for real, paused, and end it at once; say what happened beside what was foretold.
    Try(Try),
    /// Print the keys and their actions, as a configuration file has them.
    Keys,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff).
    Man,
}

/// Options of `recover`.
#[derive(Debug, Args)]
pub struct Recover {
    /// A copy, as the list names it, or the path of a file for the newest edits of that: its text is printed. Without one, all
    /// are listed.
    pub copy: Option<std::ffi::OsString>,
    /// Show what it changes in the file, or in what libvirt has.
    #[arg(long, requires = "copy")]
    pub diff: bool,
    /// Give it back to where it belongs; what was changed there meanwhile is merged, or it is refused.
    #[arg(long, requires = "copy", conflicts_with = "diff")]
    pub restore: bool,
    /// Write it to this new file.
    #[arg(long, value_name = "FILE", requires = "copy", conflicts_with_all = ["diff", "restore"])]
    pub output: Option<PathBuf>,
    /// Throw it away.
    #[arg(long, requires = "copy", conflicts_with_all = ["diff", "restore", "output"])]
    pub discard: bool,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The domains' XML files; '-' is standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// The verdict from which on the exit status is 1.
    #[arg(long, value_enum, default_value_t = FailOn::Blocks)]
    pub fail_on: FailOn,
    /// Report what is let through as well.
    #[arg(long)]
    pub all: bool,
    /// Make the edits that repair what blocks or warns, save the files, and report what is left.
    #[arg(long, conflicts_with = "diff")]
    pub fix: bool,
    /// Show the edits that --fix would make, as a diff; nothing is saved.
    #[arg(long)]
    pub diff: bool,
    /// Say as well what to do, in which order, so that nothing blocks any more; each step with who does it and whom it lets in.
    #[arg(long, conflicts_with = "diff")]
    pub plan: bool,
    /// Check the documents against libvirt's schema as well (virt-xml-validate).
    #[arg(long)]
    pub validate: bool,
    /// Where verdicts come from.
    #[command(flatten)]
    pub host: HostOptions,
}

/// Options of `why`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 a rule knows the words, 1 none does, 2 could not be read or wrong usage.\nA message is a sentence, some lines or a whole log: of libvirt, QEMU, the journal, dmesg, the audit log; of a log the newest part is read,\nand of a VM's its last start."
)]
pub struct Why {
    /// The domain's XML file, where the message is about one; then the message, '-' for standard input, or a log's file. Without a
    /// message the logs of the domain on this host are read.
    #[arg(value_name = "FILE.xml | TEXT")]
    pub words: Vec<std::ffi::OsString>,
    /// A domain that libvirt keeps, by its name, id or UUID: its definition, its log, and what the kernel said of it.
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,
    /// The connection of --domain.
    #[arg(long, value_name = "URI", requires = "domain")]
    pub connect: Option<String>,
    /// The form of the report: text or json.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Where verdicts come from.
    #[command(flatten)]
    pub host: HostOptions,
}

/// The arguments of the program, with what begins with a dash in a message marked as text: `why -drive file=/a: Could not …`.
pub fn arguments(words: impl IntoIterator<Item = std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let mut words: Vec<_> = words.into_iter().collect();
    if words.get(1).is_some_and(|word| word == "why") {
        let is_text = |word: &std::ffi::OsString| {
            let word = word.to_string_lossy();
            let is_long = word.starts_with("--") && !word.contains(' ');
            word.starts_with('-') && word.len() > 2 && !is_long
        };
        let at = words.iter().position(|word| word == "--" || is_text(word));
        if let Some(at) = at.filter(|at| words[*at] != "--") {
            words.insert(at, "--".into());
        }
    }
    words
}

/// Options of `try`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 it starts, 1 it does not, or does otherwise than was foretold, 2 nothing was started."
)]
pub struct Try {
    /// The domain's XML file; '-' is standard input.
    #[arg(required_unless_present = "domain")]
    pub file: Option<PathBuf>,
    /// A domain that libvirt keeps, by its name, id or UUID.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub domain: Option<String>,
    /// Try it on qemu:///session, where QEMU runs as you.
    #[arg(long)]
    pub session: bool,
    /// Start it although libvirt runs scripts of this host at each start (/etc/libvirt/hooks).
    #[arg(long)]
    pub hooks: bool,
    /// Print what would be started, and what is left out; nothing is started.
    #[arg(long, conflicts_with = "hooks")]
    pub print: bool,
    /// Write the bundle (document, facts, what was foretold, what happened) to this new file, even where all agrees.
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
}

/// Where verdicts come from.
#[derive(Debug, Clone, Default, Args)]
pub struct HostOptions {
    /// Read this qemu.conf instead of libvirt's own.
    #[arg(long, value_name = "FILE")]
    pub qemu_conf: Option<PathBuf>,
    /// Judge by facts that 'qpt-tui facts' recorded, not by this host.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Ask neither libvirt nor QEMU about the documents; the host's files are looked at all the same.
    #[arg(long = "static", conflicts_with = "facts")]
    pub only_static: bool,
    /// Judge for qemu:///session, where QEMU runs as you.
    #[arg(long)]
    pub session: bool,
    /// Judge as if QEMU ran as this user: USER or USER:GROUP.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
}

impl HostOptions {
    /// Whether libvirt and QEMU are asked about the documents.
    pub fn asks(&self) -> bool {
        !self.only_static && self.facts.is_none()
    }
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: FILE:LINE:COLUMN, the verdict, the evidence, what to do.
    Text,
    /// For scripts.
    Json,
    /// For code review (SARIF 2.1.0).
    Sarif,
    /// For a ticket or a merge request.
    Markdown,
}

/// When the exit status is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Something blocks.
    Blocks,
    /// Something blocks or warns.
    Warns,
    /// Never.
    Never,
}
