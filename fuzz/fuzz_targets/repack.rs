#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| cogsmith_fuzz::repack::run(data));
