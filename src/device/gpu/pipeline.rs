//! Compiled shaders, kept by a device for all recordings.

/// What tells compiled shaders apart.
#[derive(PartialEq, Eq, Hash, Debug)]
pub(super) struct PipelineKey {
    pub(super) source: (usize, usize),
    pub(super) name: &'static str,
    pub(super) constants: Vec<(&'static str, u32)>,
    pub(super) overrides: Vec<(&'static str, u32)>,
}

/// A compiled shader.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}
