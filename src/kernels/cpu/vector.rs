//! How twins use a processor's vector units without `unsafe`: loops over arrays of fixed length,
//! compiled several times for different instruction sets, the best of which is chosen when they run.
//!
//! Used by the matrix products, by [`super::gemm`] and [`super::row_products`], and by the windows of depthwise
//! convolutions.

/// Columns in one vector of the inner loops: one AVX-512 register, two of AVX2, four of NEON.
pub(in crate::kernels) const LANES: usize = 16;

/// `a · b + c`, fused where the processor does that in one instruction. `f32::mul_add` alone would
/// call a library routine on processors without it, hundreds of times slower.
#[inline(always)]
pub(in crate::kernels) fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Whether the processor has 32 vector registers of [`LANES`] floats (and is one that `vectorised!` compiles
/// for): room for larger blocks.
pub(in crate::kernels) fn wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("fma")
            && std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512cd")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512vl")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Whether `f32::mul_add` is an instruction in code compiled for this machine's vector unit (as
/// `#[multiversion]` does): elsewhere it is a slow library call.
pub(in crate::kernels) fn fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    let fused = std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    let fused = cfg!(target_arch = "aarch64");
    fused
}

/// Values of a row up to which rows lie so near one another that [`touch`] does not help.
pub(in crate::kernels) const NEAR: usize = 64;

/// Reads one value of each cache line, in order, so that the processor fetches what is soon read in pieces
/// far apart: it foresees a few long runs better than many short ones.
pub(in crate::kernels) fn touch(values: &[f32]) {
    // What is more than a second-level cache holds would be gone before it is used.
    let lines = values.as_chunks::<LANES>().0.iter().take(1 << 12);
    // The result means nothing, but without a use the reads would be left out.
    std::hint::black_box(lines.fold(0.0f32, |most, line| most.max(line[0])));
}

/// Declares a function that runs `body::<FUSED>`, an `#[inline(always)]` function, compiled for
/// several instruction sets.
macro_rules! vectorised {
    ($(#[$meta:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $body:ident) => {
        $(#[$meta])*
        pub(in crate::kernels) fn $name($($argument: $type),*) {
            #[multiversion::multiversion(targets(
                "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
                "x86_64+avx2+fma",
                "aarch64+neon",
            ))]
            fn compiled($($argument: $type),*) {
                use multiversion::target::target_cfg_f;
                // Otherwise `mul_add` would be a library call.
                const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
                $body::<FUSED>($($argument),*);
            }
            compiled($($argument),*);
        }
    };
}
pub(in crate::kernels) use vectorised;
