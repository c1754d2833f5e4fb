#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| qpt_tui_fuzz::targets::conf::run(data));
