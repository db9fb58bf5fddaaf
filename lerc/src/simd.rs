//! SIMD dispatch: the only module that knows about instruction sets. Results never depend on them.

/// Runs `work` with newer CPU instructions if available: on x86-64, those of level v3 (2013 and later), detected at run
/// time.
///
/// Only code that is inlined into `work` benefits: pass it as `#[inline(always)] || …`.
#[inline(always)]
pub(crate) fn newest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = fearless_simd::Level::new().as_avx2() {
        use fearless_simd::Simd;
        return v3.vectorize(work);
    }
    work()
}
