//! Recording commands, each checked before it becomes data.

use super::recording::{Action, Command, Dispatch, Leg, Prepared, Recording, Workspace};
use super::{Buffer, Device, Error, Kernel};
use std::collections::HashMap;
use std::sync::Arc;

/// What a dispatch binds: a whole buffer, and the part of it that the kernel works on.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The buffer. The kernel learns the offset from its parameters.
    pub buffer: &'a Buffer,
    /// First element read or written.
    pub offset: usize,
    /// Number of elements read or written.
    pub elements: usize,
}

/// Collects commands for a device, in order.
#[derive(Debug)]
pub struct Recorder {
    device: Device,
    workspace: Workspace,
    commands: Vec<Command>,
    kept: HashMap<u64, Buffer>,
    scope: Arc<str>,
    leg: Leg,
}

impl Recorder {
    /// An empty recorder with scratch memory of its own.
    pub fn new(device: &Device) -> Self {
        Self::within(device, &Workspace::default())
    }

    /// An empty recorder that takes its scratch memory from `workspace`.
    pub fn within(device: &Device, workspace: &Workspace) -> Self {
        Self {
            device: device.clone(),
            workspace: workspace.clone(),
            commands: Vec::new(),
            kept: HashMap::new(),
            scope: Arc::from(""),
            leg: Leg::default(),
        }
    }

    /// The device recorded for.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names the part of the network that the following commands belong to.
    pub fn set_scope(&mut self, scope: &str) {
        if &*self.scope != scope {
            self.scope = Arc::from(scope);
        }
    }

    /// The part of the network that commands belong to now.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Says what the following commands are for.
    pub fn set_leg(&mut self, leg: Leg) {
        self.leg = leg;
    }

    /// Number of commands so far.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Scratch memory of `words` words; its contents are undefined until written.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] or [`Error::Limit`].
    pub fn allocate(&self, words: usize) -> Result<Buffer, Error> {
        self.device.inner.allocate(&self.workspace.pool, words)
    }

    /// Records one dispatch of `kernel`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if bindings or parameters are not what the kernel declares,
    /// [`Error::Aliased`] if a buffer written is bound twice, [`Error::Limit`] if the device cannot
    /// bind a buffer or run so many workgroups.
    pub fn dispatch<P: bytemuck::Pod>(
        &mut self,
        kernel: &'static Kernel,
        params: &P,
        inputs: &[Binding<'_>],
        outputs: &[Binding<'_>],
    ) -> Result<(), Error> {
        self.dispatch_bytes(kernel, bytemuck::bytes_of(params), inputs, outputs)
    }

    /// Records one dispatch of a kernel that touches only some of what is bound: it moves `bytes` bytes.
    ///
    /// Without this, all elements that the bindings name are counted (see [`Recording::bytes_moved`]).
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn dispatch_moving<P: bytemuck::Pod>(
        &mut self,
        kernel: &'static Kernel,
        params: &P,
        inputs: &[Binding<'_>],
        outputs: &[Binding<'_>],
        bytes: u64,
    ) -> Result<(), Error> {
        self.record(kernel, bytemuck::bytes_of(params), inputs, outputs, Some(bytes))
    }

    /// Records one dispatch whose parameter struct is given as bytes, as a [`Case`](super::Case) holds it.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn dispatch_bytes(
        &mut self,
        kernel: &'static Kernel,
        params: &[u8],
        inputs: &[Binding<'_>],
        outputs: &[Binding<'_>],
    ) -> Result<(), Error> {
        self.record(kernel, params, inputs, outputs, None)
    }

    fn record(
        &mut self,
        kernel: &'static Kernel,
        params: &[u8],
        inputs: &[Binding<'_>],
        outputs: &[Binding<'_>],
        moved: Option<u64>,
    ) -> Result<(), Error> {
        let mismatch =
            |problem: String| Error::Mismatch { kernel: kernel.name, scope: self.scope.to_string(), problem };
        if params.len() != kernel.params.size {
            return Err(mismatch(format!("{} bytes of parameters, declared are {}", params.len(), kernel.params.size)));
        }
        if inputs.len() != kernel.inputs.len() || outputs.len() != kernel.outputs.len() {
            return Err(mismatch(format!(
                "{} inputs and {} outputs, declared are {} and {}",
                inputs.len(),
                outputs.len(),
                kernel.inputs.len(),
                kernel.outputs.len()
            )));
        }
        let limits = &self.device.inner.limits;
        let storage = inputs.len() + outputs.len();
        if storage > limits.storage_bindings as usize {
            return Err(Error::Limit {
                what: "storage buffers of one dispatch",
                asked: storage as u64,
                limit: u64::from(limits.storage_bindings),
            });
        }
        let names = || kernel.buffers();
        for (binding, name) in inputs.iter().chain(outputs).zip(names()) {
            let bytes = binding.buffer.memory().bytes;
            if bytes > limits.binding_bytes {
                return Err(Error::Limit { what: "bytes of one binding", asked: bytes, limit: limits.binding_bytes });
            }
            if binding.offset.checked_add(binding.elements).is_none_or(|end| end > binding.buffer.words()) {
                return Err(mismatch(format!(
                    "`{name}`: {} elements at {} lie outside a buffer of {}",
                    binding.elements,
                    binding.offset,
                    binding.buffer.words()
                )));
            }
        }
        let all: Vec<(&Binding<'_>, &str)> = inputs.iter().chain(outputs).zip(names()).collect();
        for (i, (written, name)) in all.iter().enumerate().skip(inputs.len()) {
            let alias = all.iter().enumerate().find(|&(j, (other, _))| i != j && written.buffer.same(other.buffer));
            if let Some((_, (_, other))) = alias {
                return Err(Error::Aliased {
                    kernel: kernel.name,
                    scope: self.scope.to_string(),
                    binding: name,
                    other,
                });
            }
        }
        let launch = (kernel.launch)(params, self.device.class());
        if launch.groups == 0 {
            return Ok(());
        }
        limits.fold(launch.groups)?;
        let memories = |bindings: &[Binding<'_>]| bindings.iter().map(|b| b.buffer.memory().clone()).collect();
        let bytes = moved.unwrap_or_else(|| inputs.iter().chain(outputs).map(|b| b.elements as u64 * 4).sum());
        inputs.iter().chain(outputs).for_each(|binding| self.keep(binding.buffer));
        let dispatch = Dispatch {
            kernel,
            params: params.to_vec(),
            launch,
            inputs: memories(inputs),
            outputs: memories(outputs),
            elements: inputs.iter().chain(outputs).map(|b| b.elements).collect(),
            written: outputs.iter().map(|b| b.offset..b.offset + b.elements).collect(),
            bytes,
        };
        self.push(Action::Dispatch(dispatch));
        Ok(())
    }

    /// Records a copy of `words` words between two buffers.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a range lies outside its buffer or both are the same buffer.
    pub fn copy(
        &mut self,
        from: &Buffer,
        from_word: usize,
        to: &Buffer,
        to_word: usize,
        words: usize,
    ) -> Result<(), Error> {
        self.check_range("copy", from, from_word, words)?;
        self.check_range("copy", to, to_word, words)?;
        if from.same(to) {
            return Err(Error::Mismatch {
                kernel: "copy",
                scope: self.scope.to_string(),
                problem: "source and destination are the same buffer".into(),
            });
        }
        self.keep(from);
        self.keep(to);
        let (from, to) = (from.memory().clone(), to.memory().clone());
        self.push(Action::Copy { from, from_word, to, to_word, words });
        Ok(())
    }

    /// Records setting `words` words to zero.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the range lies outside the buffer.
    pub fn clear(&mut self, buffer: &Buffer, word: usize, words: usize) -> Result<(), Error> {
        self.check_range("clear", buffer, word, words)?;
        self.keep(buffer);
        self.push(Action::Clear { memory: buffer.memory().clone(), word, words });
        Ok(())
    }

    /// Records an upload: every run writes `data` at this place in the order of commands.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the range lies outside the buffer.
    pub fn upload(&mut self, buffer: &Buffer, word: usize, data: &[u32]) -> Result<(), Error> {
        self.check_range("upload", buffer, word, data.len())?;
        self.keep(buffer);
        self.push(Action::Upload { memory: buffer.memory().clone(), word, data: data.to_vec() });
        Ok(())
    }

    /// Ends the recording.
    pub fn finish(self) -> Recording {
        Recording {
            usage: self.device.inner.usage.clone(),
            lanes: vec![self.commands.len()],
            commands: self.commands,
            kept: self.kept.into_values().collect(),
            workspaces: vec![self.workspace],
            prepared: Prepared::default(),
        }
    }

    /// Holds on to a buffer from outside the workspace. Scratch memory is not held: it returns to the
    /// workspace, which the recording holds as a whole.
    fn keep(&mut self, buffer: &Buffer) {
        if !buffer.is_from(&self.workspace.pool) {
            self.kept.entry(buffer.id()).or_insert_with(|| buffer.clone());
        }
    }

    fn push(&mut self, action: Action) {
        self.commands.push(Command { scope: self.scope.clone(), leg: self.leg, action });
    }

    fn check_range(&self, command: &'static str, buffer: &Buffer, word: usize, words: usize) -> Result<(), Error> {
        if word.checked_add(words).is_some_and(|end| end <= buffer.words()) {
            return Ok(());
        }
        Err(Error::Mismatch {
            kernel: command,
            scope: self.scope.to_string(),
            problem: format!("{words} words at {word} lie outside a buffer of {}", buffer.words()),
        })
    }
}
