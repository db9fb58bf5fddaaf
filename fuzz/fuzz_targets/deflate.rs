#![no_main]
use cogsmith_fuzz::deflate;

fn libdeflate(stream: &[u8], length: usize) -> Vec<u8> {
    let mut back = vec![0; length];
    let count = libdeflater::Decompressor::new().zlib_decompress(stream, &mut back).expect("libdeflate inflates");
    back.truncate(count);
    back
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    deflate::run(data);
    deflate::inflates(data, libdeflate);
});
