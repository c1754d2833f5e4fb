//! What is fuzzed stands in `../targets`, for libFuzzer as for `cargo test`.

#[path = "../../targets/mod.rs"]
pub mod targets;
