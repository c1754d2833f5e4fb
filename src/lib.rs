//! qpt-tui: a libvirt domain's QEMU passthrough, shown, edited and judged before the VM is started.
//!
//! # Five minutes in the code
//! 1. [`xml`] finds elements and splices text. 2. [`domain`] knows which of them are passthrough. 3. [`qemu`] says what they
//!    make QEMU do and touch. 4. [`facts`] is what a host said about those things, [`probe`] asks it. 5. [`libvirt`] says what
//!    libvirt makes of a domain there. [`trial`] is how QEMU is asked without touching the host, and what a real start leaves
//!    out. 6. [`rules`] compares and concludes, [`words`] is how its advice is spelled; [`message`] reads what libvirt, QEMU and the
//!    kernel said, and `rules::why` leads from there back to the rule and the entry. Then [`report`] prints, [`tui`] edits (`tui::choose` finds what),
//!    [`import`] reads what people paste, [`store`] loads, saves and keeps; [`session`] is what the editor and the [`commands`]
//!    share. [`cli`] is the command line; [`error`], [`console`] and [`visible`] are how we talk to people. [`power`] is what a thread gives up.
//!
//! ```text
//! assets/rules/<rule-id>.md   a rule's page          assets/qemu/*.tsv      options and the resources they name
//! assets/selinux/*.tsv        what distributions' policies allow, made of them by tests/selinux/table
//! assets/demo/                the demo's domain and host
//! assets/new.xml              what a new domain begins with
//! assets/libvirt/*.tsv        qemu.conf, the users that distributions build in, what libvirt adds by itself and how it calls it
//! assets/qemu/stand-ins.tsv   what a QEMU that is only asked gets in the place of what touches the host
//! assets/host/own.tsv          what is any host's own: grants to it are not offered, what gives it away is not read
//! assets/*/left-out.tsv        what a real start ('try') leaves out, since a host in use would miss it
//! tests/fuzz, tests/apparmor.rs  what takes a stranger's text, mutated; profiles beside AppArmor's own compiler
//! assets/import/*.tsv         what other programs' configurations call what a domain says
//! assets/errors.tsv           from the words of libvirt, QEMU and the kernel to the rules that foresee them; errno.tsv, what the C
//!                             library says in other languages; qemu/syscalls.tsv, calls that the filter of system calls forbids
//! assets/words.tsv            what people type for an action of the editor
//! assets/checks.tsv           commands that show whether a rule is behind a message
//! assets/outside.tsv          words of QEMU and libvirt about what is not there where a domain is only asked about
//! assets/VERSIONS.tsv         every table and every version in the code, and up to which version it was looked at
//! ```
//!
//! # Directions
//! ```text
//! domain → xml        qemu → domain (entry ids)        facts → qemu, domain        libvirt → facts
//! trial → facts, qemu, domain        probe → libvirt, trial, process        rules → libvirt, facts, qemu, domain, xml, words, message
//! report → rules, trial        import → rules, libvirt, qemu, domain, xml
//! store → process, xml, error        session → probe, store        commands → session, report, tui → session
//! nothing points back
//! ```
//!
//! # Invariants (held by tests/architecture.rs)
//! - `xml domain qemu facts libvirt message trial words rules import report tui::{app,choose,keymap,matrix,pane,rows,view}` read no file, start no process, ask no clock.
//! - Only `xml::scan` names quick-xml; only `tui` names ratatui and crossterm.
//! - Bytes outside an edit's span are never rewritten; saving an unedited document writes nothing.
//! - Reading QEMU arguments always succeeds: a value and notes, never an error. Unknown text is kept.
//! - A rule sees facts and decides; it never prints, probes or edits. The same facts give the same findings.
//! - The program changes one thing on the host: the domain the user saves, in a file or through virsh. Asked for by name, `try` has
//!   libvirt start a domain paused and end it. Every other remedy is text for the operator.
//! - From the first change on, an edit survives the end of the process: the journal has it before the screen shows it.
//! - Nothing that takes time is done between two keys: probing, judging, saving, listing, opening run beside them (`tui::shell`); what is
//!   pasted, edited in a form or shown of one text is no longer than a program can be started with (`tui::app`, `tui::view`).
//! - Probing never blocks the screen, never opens a device or a FIFO, triggers no automount, and ends by a deadline. A path is
//!   walked through descriptors that are held, and only what was looked at is opened (`probe::paths`, `probe::held`; tests/looking.rs).
//! - What a document names is looked at, parsed and judged by threads that gave up writing, programs and the network, where the
//!   kernel lets them; the editor's main thread, which saves and starts $EDITOR, is not among them ([`power`]; tests/power.rs).
//! - But for the file that is saved, root makes nothing where somebody else could lead it elsewhere (`folder`; tests/looking.rs).
//! - What is shown went through [`visible::visible`]; what is offered as a command went through a shell quoter.
//!
//! # How do I add …
//! - **a QEMU option**: a line in `assets/qemu/options.tsv` (sorted). **A key that names a file**: a line in `resources.tsv`.
//! - **a rule**: a page `assets/rules/ID.md`, a `static` in the file of its layer under `rules/`, a line in [`rules::RULES`],
//!   a loud and a silent case under `rules/tests/`.
//! - **a sentence that people meet**: a line in `assets/errors.tsv`, the surest first, and the message in `tests/fixtures/messages.tsv`.
//! - **a key**: a row in [`tui::keymap::BINDINGS`]; an [`tui::action::Action`] if it does something new, and its arm in
//!   [`tui::app::App::update`]. Footer and help follow by themselves.
//! - **a word of the palette**: its row in `assets/words.tsv`. **a colour**: a row of `tui/theme/palette.rs`, which `tests/contrast.rs` reads.
//! - **a tab of the side pane**: a [`tui::pane::Pane`] with its row in [`tui::pane::PANES`] (title, help; the key is its number),
//!   and its file under `tui/view/side/`; the compiler asks for both.
//! - **a layer**: a [`rules::Layer`] with its row in [`rules::LAYERS`] (words, column, what it guards), its rules under
//!   `rules/layers/`, its line in the README's table; the compiler and two tests ask for them.
//! - **a version of QEMU or libvirt**: its line at the top of `assets/VERSIONS.tsv`; `cargo test --test versions` names what is left.
//! - **a native element in place of arguments**: a line in `assets/libvirt/elements.tsv`, which `tests/oracle/elements.rs` has libvirt
//!   take; where it takes more than a line can say, a function from options to plans in a file of `rules/native/`, a line in
//!   `plans`, a case in `tests/oracle/edits.rs`.
//! - **a start to compare with**: a line in `tests/oracle/cases.tsv`; the files that it names are made by `tests/oracle/files`.
//! - **a wrong verdict, as a test**: the bundle that `qpt-tui try` wrote, put into `tests/fixtures/trials`.
//! - **a remedy with a new kind of command or setting**: what it does to the facts in `rules/route/carried.rs`, whom it lets in in
//!   `reach.rs` beside it; `rules/tests/remedies.rs` carries each out.
//! - **a kind of text that can be imported**: a mark and a reader in `import/kinds.rs`, a text with what is expected of it in
//!   `tests/fixtures/import`.
//! - **something that takes a stranger's text**: a target under `tests/fuzz/targets/`, which libFuzzer and `cargo test` share.
//! - **a fact about the host**: a field in [`facts::HostFacts`], filled in [`probe`].
//! - **something that libvirt decides before QEMU reads the passthrough**: a field of [`libvirt::Start`], which rules have as
//!   `case.start`.

pub mod cli;
pub mod commands;
pub mod console;
pub mod domain;
pub mod error;
pub mod facts;
mod folder;
pub mod import;
pub mod libvirt;
pub mod message;
pub mod power;
pub mod probe;
mod process;
pub mod qemu;
pub mod report;
pub mod rules;
pub mod session;
pub mod store;
pub mod trial;
pub mod tui;
pub mod visible;
pub mod words;
pub mod xml;
