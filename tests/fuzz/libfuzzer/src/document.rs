#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| qpt_tui_fuzz::targets::document::run(data));
