//! One file per layer of protection.

mod addresses;
pub(super) mod apparmor;
pub(super) mod cgroups;
pub(super) mod contents;
pub(super) mod dac;
pub(super) mod firmware;
pub(super) mod host;
pub(super) mod images;
pub(super) mod libvirt;
pub(super) mod listeners;
pub(super) mod locks;
pub(super) mod namespaces;
pub(super) mod nodes;
pub(super) mod pages;
pub(super) mod pci;
pub(super) mod programs;
pub(super) mod scsi;
pub(super) mod seccomp;
pub(super) mod selinux;
pub(super) mod settings;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
