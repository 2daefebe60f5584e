//! The choice of the instruction set when the program runs: AVX-512, AVX2 or SSE2, NEON, or the SIMD
//! of WebAssembly.
//!
//! Kernels are generic over [`Simd`](fearless_simd::Simd), and are compiled once for each of these.
//! SSE4.2 is not one of them: it would add a third of the code of SSE2 for machines that are rare.

/// `dispatch!(level, simd => f(simd))` calls `f` with the best instructions of `level`. `f` should be
/// `#[inline(always)]`, or it won't use them.
#[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2"))]
macro_rules! dispatch {
    ($level:expr, $simd:ident => $run:expr) => {{
        use fearless_simd::Simd as _;
        let level: fearless_simd::Level = $level;
        if let Some($simd) = level.as_avx512() {
            $simd.vectorize(
                #[inline(always)]
                || $run,
            )
        } else if let Some($simd) = level.as_avx2() {
            $simd.vectorize(
                #[inline(always)]
                || $run,
            )
        } else {
            let $simd = level.as_sse2().expect("a program that needs SSE2 runs where it is");
            $simd.vectorize(
                #[inline(always)]
                || $run,
            )
        }
    }};
}

#[cfg(not(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2")))]
pub(crate) use fearless_simd::dispatch;

#[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2"))]
pub(crate) use dispatch;
use fearless_simd::Level;

/// Calls `f`, a plain loop, compiled for AVX2 where the machine has it, and for what all have
/// elsewhere. It should be `#[inline(always)]`, or it won't use them.
#[inline(always)]
pub(crate) fn wide<T>(level: Level, f: impl FnOnce() -> T) -> T {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(avx2) = level.as_avx2() {
        return fearless_simd::Simd::vectorize(avx2, f);
    }
    let _ = level;
    f()
}
