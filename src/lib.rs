//! map
pub mod domain;
pub mod xml;
