//! Makes a recording ready for wgpu: pipelines, bind groups, and all parameters in one uniform buffer.

use super::super::recording::{Action, Dispatch, Recording};
use super::super::{Error, Kernel, Launch, Limits};
use super::pipeline::{Pipeline, PipelineKey};
use super::{Gpu, buffer_of};
use std::collections::HashMap;
use std::sync::PoisonError;

/// A recording made ready: pipelines, bind groups and the uniform buffer that holds all parameters.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) enum Step {
    Dispatch { pipeline: wgpu::ComputePipeline, group: wgpu::BindGroup, offset: u32, groups: [u32; 3] },
    Copy { from: wgpu::Buffer, from_byte: u64, to: wgpu::Buffer, to_byte: u64, bytes: u64 },
    Clear { buffer: wgpu::Buffer, byte: u64, bytes: u64 },
    Nothing,
}

impl Gpu {
    fn pipeline(&self, kernel: &'static Kernel, launch: &Launch) -> Result<Pipeline, Error> {
        let key = PipelineKey {
            source: (kernel.source.as_ptr() as usize, kernel.source.len()),
            name: kernel.name,
            constants: launch.constants.clone(),
            overrides: launch.overrides.clone(),
        };
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = pipelines.get(&key) {
            return Ok(found.clone());
        }
        let made = self.scoped(|| format!("kernel `{}`", kernel.name), || self.compile(kernel, launch))?;
        pipelines.insert(key, made.clone());
        Ok(made)
    }

    fn compile(&self, kernel: &'static Kernel, launch: &Launch) -> Pipeline {
        let entry = |binding: usize, ty, dynamic: bool, size| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: dynamic, min_binding_size: size },
            count: None,
        };
        let mut entries = vec![entry(
            0,
            wgpu::BufferBindingType::Uniform,
            true,
            std::num::NonZeroU64::new(kernel.params.size as u64),
        )];
        for index in 0..kernel.inputs.len() + kernel.outputs.len() {
            let read_only = index < kernel.inputs.len();
            entries.push(entry(index + 1, wgpu::BufferBindingType::Storage { read_only }, false, None));
        }
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(kernel.name), entries: &entries });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(kernel.name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl(launch.source(kernel).into()),
        });
        let constants: Vec<(&str, f64)> =
            launch.overrides.iter().map(|&(name, value)| (name, f64::from(value))).collect();
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(kernel.name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                // Kernels write their workgroup memory before they read it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Pipeline { pipeline, layout }
    }

    pub(super) fn prepared<'r>(&self, recording: &'r Recording, limits: &Limits) -> Result<&'r Prepared, Error> {
        let prepared = recording.prepared.get_or_make(|| self.prepare(recording, limits))?;
        Ok(prepared.expect("a recording is run by the device it was made for alone, and nothing else is kept with it"))
    }

    /// Puts all parameters into one uniform buffer and makes each distinct bind group once.
    fn prepare(&self, recording: &Recording, limits: &Limits) -> Result<Prepared, Error> {
        let alignment = self.uniform_alignment as usize;
        let mut uniform: Vec<u8> = Vec::new();
        let mut uploads: Vec<u32> = Vec::new();
        let mut offsets = Vec::with_capacity(recording.commands.len());
        for command in &recording.commands {
            match &command.action {
                Action::Dispatch(dispatch) => {
                    uniform.resize(uniform.len().next_multiple_of(alignment), 0);
                    offsets.push(uniform.len());
                    uniform.extend_from_slice(&dispatch.params);
                }
                Action::Upload { data, .. } => {
                    offsets.push(uploads.len());
                    uploads.extend_from_slice(data);
                }
                _ => offsets.push(0),
            }
        }
        let constant = |bytes: &[u8], usage: wgpu::BufferUsages| {
            self.scoped(
                || "a buffer for parameters".into(),
                || {
                    let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some("parameters"),
                        size: bytes.len().next_multiple_of(4).max(4) as u64,
                        usage: usage | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    });
                    let mut padded = bytes.to_vec();
                    padded.resize(bytes.len().next_multiple_of(4), 0);
                    self.queue.write_buffer(&buffer, 0, &padded);
                    buffer
                },
            )
        };
        let uniform = constant(&uniform, wgpu::BufferUsages::UNIFORM)?;
        let staged = constant(bytemuck::cast_slice(&uploads), wgpu::BufferUsages::COPY_SRC)?;
        let mut groups: HashMap<(usize, Vec<u64>), wgpu::BindGroup> = HashMap::new();
        let mut steps = Vec::with_capacity(recording.commands.len());
        for (command, &offset) in recording.commands.iter().zip(&offsets) {
            steps.push(match &command.action {
                Action::Dispatch(dispatch) => {
                    let Pipeline { pipeline, layout } = self.pipeline(dispatch.kernel, &dispatch.launch)?;
                    let ids: Vec<u64> = dispatch.inputs.iter().chain(&dispatch.outputs).map(|m| m.id).collect();
                    let key = (std::ptr::from_ref(dispatch.kernel) as usize, ids);
                    let group = match groups.get(&key) {
                        Some(group) => group.clone(),
                        None => {
                            let made = self.bind(dispatch, &layout, &uniform)?;
                            groups.insert(key, made.clone());
                            made
                        }
                    };
                    Step::Dispatch {
                        pipeline,
                        group,
                        offset: offset as u32,
                        groups: limits.fold(dispatch.launch.groups)?,
                    }
                }
                Action::Copy { from, from_word, to, to_word, words } => Step::Copy {
                    from: buffer_of(from).clone(),
                    from_byte: *from_word as u64 * 4,
                    to: buffer_of(to).clone(),
                    to_byte: *to_word as u64 * 4,
                    bytes: *words as u64 * 4,
                },
                Action::Clear { words: 0, .. } => Step::Nothing,
                Action::Clear { memory, word, words } => {
                    Step::Clear { buffer: buffer_of(memory).clone(), byte: *word as u64 * 4, bytes: *words as u64 * 4 }
                }
                Action::Upload { memory, word, data } => Step::Copy {
                    from: staged.clone(),
                    from_byte: offset as u64 * 4,
                    to: buffer_of(memory).clone(),
                    to_byte: *word as u64 * 4,
                    bytes: data.len() as u64 * 4,
                },
            });
        }
        Ok(Prepared { steps })
    }

    fn bind(
        &self,
        dispatch: &Dispatch,
        layout: &wgpu::BindGroupLayout,
        uniform: &wgpu::Buffer,
    ) -> Result<wgpu::BindGroup, Error> {
        let size = std::num::NonZeroU64::new(dispatch.kernel.params.size as u64);
        let parameters = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: uniform, offset: 0, size });
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: parameters }];
        for (index, memory) in dispatch.inputs.iter().chain(&dispatch.outputs).enumerate() {
            entries.push(wgpu::BindGroupEntry {
                binding: index as u32 + 1,
                resource: buffer_of(memory).as_entire_binding(),
            });
        }
        self.scoped(
            || format!("bindings of kernel `{}`", dispatch.kernel.name),
            || self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries }),
        )
    }
}

/// Encodes commands, dispatches that follow one another in one compute pass.
pub(super) fn encode(steps: &[Step], encoder: &mut wgpu::CommandEncoder) {
    let mut rest = steps;
    while !rest.is_empty() {
        let run = rest.iter().take_while(|s| matches!(s, Step::Dispatch { .. })).count();
        if run > 0 {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for step in &rest[..run] {
                if let Step::Dispatch { pipeline, group, offset, groups: [x, y, z] } = step {
                    pass.set_pipeline(pipeline);
                    pass.set_bind_group(0, group, &[*offset]);
                    pass.dispatch_workgroups(*x, *y, *z);
                }
            }
        }
        match rest.get(run) {
            Some(Step::Copy { from, from_byte, to, to_byte, bytes }) if *bytes > 0 => {
                encoder.copy_buffer_to_buffer(from, *from_byte, to, *to_byte, *bytes);
            }
            Some(Step::Clear { buffer, byte, bytes }) => encoder.clear_buffer(buffer, *byte, Some(*bytes)),
            _ => {}
        }
        rest = &rest[(run + 1).min(rest.len())..];
    }
}
