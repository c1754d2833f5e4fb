//! What libvirt makes of a domain on a host: who QEMU runs as, how it is confined, what it is given, and what is added.
//!
//! Pure: [`Start::of`] draws its conclusions from the document and from [`crate::facts`]; the rules compare the passthrough
//! with them. How libvirt itself is asked stands in [`crate::probe`].

pub mod cgroups;
pub mod confinement;
pub mod devices;
pub mod identity;
pub mod own;
mod start;

pub use confinement::Confinement;
pub use start::Start;
