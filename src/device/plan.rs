//! A recording as data that needs no engine: which shaders run in which order, with which parameters, on which buffers.

use super::memory::{Buffer, Memory};
use super::recording::{Action, Recording};
use super::{Class, Device, Error, Limits};
use std::collections::HashMap;
use std::sync::Arc;

/// What a recording runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Shaders, each once.
    pub shaders: Vec<PlannedShader>,
    /// Buffers.
    pub buffers: Vec<PlannedBuffer>,
    /// What is done, in order.
    pub steps: Vec<PlannedStep>,
    /// Numbers of the memory that the buffers stand for.
    memory: Vec<u64>,
}

/// A shader as it is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedShader {
    /// Name of its kernel.
    pub name: &'static str,
    /// The whole text. Its entry point is `main`; parameters are the uniform at binding 0 of group 0, buffers follow from binding 1 on.
    pub source: String,
    /// Values of `override` constants.
    pub overrides: Vec<(&'static str, u32)>,
    /// How many of the buffers are only read: the first ones.
    pub inputs: usize,
    /// How many are written, too: the others.
    pub outputs: usize,
}

/// A buffer of 32-bit words.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedBuffer {
    /// Number of words.
    pub words: usize,
    /// What it holds before the first step, where that matters.
    pub contents: Option<Vec<u32>>,
}

/// Something that is done. Places and lengths are in words.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedStep {
    /// A shader runs.
    Dispatch {
        /// Which.
        shader: usize,
        /// The parameter struct.
        params: Vec<u8>,
        /// Buffers, in the order of their bindings.
        buffers: Vec<usize>,
        /// Workgroups in each dimension.
        groups: [u32; 3],
    },
    /// Words are copied.
    Copy {
        /// From this buffer and place.
        from: [usize; 2],
        /// To this buffer and place.
        to: [usize; 2],
        /// How many.
        words: usize,
    },
    /// Words become zero.
    Clear {
        /// Of this buffer, from this place on.
        at: [usize; 2],
        /// How many.
        words: usize,
    },
    /// Words are written.
    Upload {
        /// To this buffer and place.
        at: [usize; 2],
        /// What.
        data: Vec<u32>,
    },
}

impl Plan {
    /// The number of a buffer in it.
    pub fn find(&self, buffer: &Buffer) -> Option<usize> {
        self.memory.iter().position(|id| *id == buffer.memory().id)
    }
}

impl Device {
    /// What a recording of this device runs on a processor of a class with the limits that WebGPU has unless it is asked for more.
    /// Lasting buffers have what they hold now.
    ///
    /// # Errors
    /// An error of the device; [`Error::Limit`] for more workgroups than WebGPU has.
    pub async fn plan(&self, recording: &Recording, class: Class) -> Result<Plan, Error> {
        let mut contents: HashMap<u64, Vec<u32>> = HashMap::new();
        for buffer in &recording.kept {
            contents.insert(buffer.memory().id, self.read(buffer, 0, buffer.words()).await?);
        }
        let mut plan = Plan { shaders: Vec::new(), buffers: Vec::new(), steps: Vec::new(), memory: Vec::new() };
        let limits = Limits::CPU;
        for command in &recording.commands {
            let step = match &command.action {
                Action::Dispatch(dispatch) => {
                    let launch = (dispatch.kernel.launch)(&dispatch.params, class);
                    let shader = PlannedShader {
                        name: dispatch.kernel.name,
                        source: launch.source(dispatch.kernel),
                        overrides: launch.overrides.clone(),
                        inputs: dispatch.inputs.len(),
                        outputs: dispatch.outputs.len(),
                    };
                    let number = plan.shaders.iter().position(|known| *known == shader).unwrap_or_else(|| {
                        plan.shaders.push(shader);
                        plan.shaders.len() - 1
                    });
                    let all = dispatch.inputs.iter().chain(&dispatch.outputs);
                    let buffers = all.map(|memory| plan.buffer(memory, &mut contents)).collect();
                    let groups = limits.fold(launch.groups)?;
                    PlannedStep::Dispatch { shader: number, params: dispatch.params.clone(), buffers, groups }
                }
                Action::Copy { from, from_word, to, to_word, words } => PlannedStep::Copy {
                    from: [plan.buffer(from, &mut contents), *from_word],
                    to: [plan.buffer(to, &mut contents), *to_word],
                    words: *words,
                },
                Action::Clear { memory, word, words } => {
                    PlannedStep::Clear { at: [plan.buffer(memory, &mut contents), *word], words: *words }
                }
                Action::Upload { memory, word, data } => {
                    PlannedStep::Upload { at: [plan.buffer(memory, &mut contents), *word], data: data.clone() }
                }
            };
            plan.steps.push(step);
        }
        Ok(plan)
    }
}

impl Plan {
    /// The number of the buffer that stands for a piece of memory.
    fn buffer(&mut self, memory: &Arc<Memory>, contents: &mut HashMap<u64, Vec<u32>>) -> usize {
        self.memory.iter().position(|id| *id == memory.id).unwrap_or_else(|| {
            self.memory.push(memory.id);
            self.buffers
                .push(PlannedBuffer { words: memory.bytes as usize / 4, contents: contents.remove(&memory.id) });
            self.buffers.len() - 1
        })
    }
}
