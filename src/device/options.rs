//! How devices are looked for, and the list of those that there are.

use super::adapter::AdapterInfo;
use super::gpu::{self, Backends, InstanceFlags};

/// How adapters are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Graphics interfaces that are asked. OpenGL is left out unless wanted: it repeats adapters that the others list,
    /// with fewer compute limits.
    pub backends: Backends,
    /// wgpu's instance flags. With `ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER`, as by default, drivers that claim no
    /// conformance are listed too, with that among what they lack.
    pub flags: InstanceFlags,
    /// The adapter that [`Selector::Auto`](super::Selector::Auto) means, by its name or part of it.
    pub adapter_name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        let (backends, flags) = gpu::defaults();
        Self { backends, flags, adapter_name: None }
    }
}

/// Lists the CPU (number 0) and every adapter wgpu reaches; the CPU alone in a build without the feature `gpu`.
pub async fn adapters(options: &Options) -> Vec<AdapterInfo> {
    let others = gpu::found(options.backends, options.flags).await.into_iter().map(|(info, _)| info);
    std::iter::once(AdapterInfo::cpu()).chain(others).collect()
}
