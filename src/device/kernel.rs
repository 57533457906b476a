//! What a kernel is: a WGSL shader, its Rust twin, and all that is needed to check and time them.

use std::fmt;

/// A compute kernel: one WGSL entry point and its twin, declared as a `static`.
///
/// The shader's entry point is `main`. The engine puts [`PRELUDE`], the launch's constants and the [header](Self::header)
/// in front of it, so its source declares neither parameters nor buffers: `p` is the parameter struct, and buffers have
/// the names they are declared by here.
pub struct Kernel {
    /// Name, the same as the shader's file.
    pub name: &'static str,
    /// WGSL source, without what the engine puts in front.
    pub source: &'static str,
    /// The parameter struct, from which the WGSL struct `Params` is made.
    pub params: Layout,
    /// The storage buffers read, by name, with the type of their elements where it is not `f32`: `"x"`, `"labels: u32"`.
    pub inputs: &'static [&'static str],
    /// The storage buffers written (and, where a kernel accumulates, read), declared like the inputs.
    pub outputs: &'static [&'static str],
    /// Workgroups and specialisation for given parameters.
    pub launch: fn(&[u8], Class) -> Launch,
    /// Floating-point operations for given parameters.
    pub flops: fn(&[u8]) -> u64,
    /// The same computation on the CPU.
    pub twin: fn(&mut Call<'_>),
    /// Plain loops with float64 accumulation, where the twin is tuned; otherwise the twin itself.
    pub reference: fn(&mut Call<'_>),
    /// Small cases with awkward shapes, on which shader, twin and reference must agree.
    pub cases: fn() -> Vec<Case>,
    /// Cases of realistic size (shapes of the DARTS supernet), to be timed.
    pub benches: fn() -> Vec<Case>,
}

impl Kernel {
    /// Names of the storage buffers, inputs before outputs.
    pub fn buffers(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.inputs.iter().chain(self.outputs).map(|buffer| declared(buffer).0)
    }

    /// What it computes: the first sentence of the comment that its shader begins with. What is put before a shader bears its file's
    /// name, so that it is told from what it includes.
    pub fn formula(&self) -> String {
        let own = self.source.rfind(FILE).map_or(self.source, |at| {
            let rest = &self.source[at..];
            rest.split_once('\n').map_or("", |(_, own)| own)
        });
        let comment = own.lines().map_while(|line| line.strip_prefix("//"));
        let text = comment.map(str::trim).collect::<Vec<_>>().join(" ");
        // A full stop within a word ends nothing.
        let end = text.find(". ").map_or(text.len(), |at| at + 1);
        text[..end].trim_end_matches('.').to_owned()
    }

    /// The WGSL that declares what a shader is given: the struct `Params` with its variable `p` (uniform, binding 0), the
    /// inputs (read-only storage), the outputs (read-write storage).
    pub fn header(&self) -> String {
        let fields: Vec<String> =
            self.params.scalars().into_iter().map(|(name, _, ty)| format!("{name}: {ty}")).collect();
        let mut text = format!("struct Params {{ {} }}\n", fields.join(", "));
        text += "@group(0) @binding(0) var<uniform> p: Params;\n";
        let buffers = self.inputs.iter().map(|b| ("read", b)).chain(self.outputs.iter().map(|b| ("read_write", b)));
        for (binding, (access, buffer)) in (1..).zip(buffers) {
            let (name, element) = declared(buffer);
            text += &format!("@group(0) @binding({binding}) var<storage, {access}> {name}: array<{element}>;\n");
        }
        text
    }
}

/// Name and element type of a buffer as a kernel declares it.
fn declared(buffer: &'static str) -> (&'static str, &'static str) {
    buffer.split_once(": ").unwrap_or((buffer, "f32"))
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({})", self.name)
    }
}

/// What the line begins with that stands before each shader, and names its file.
pub const FILE: &str = "// shaders/";

/// WGSL that the engine puts in front of every shader: the workgroup's number, counted linearly.
///
/// Devices limit workgroups to 65,535 in each dimension, so the engine folds a long line of them
/// into a box; the last ones of the box may lie beyond the line, so kernels check their bounds.
pub const PRELUDE: &str = "fn linear(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.x + groups.x * (group.y + groups.y * group.z);
}
";

/// What decides block sizes: the kind of processor that runs a shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A hardware GPU.
    Hardware,
    /// A software driver on CPU cores: loads are gathers, workgroup memory and barriers cost.
    Software,
}

/// How a shader is specialised and how many workgroups of it run.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Launch {
    /// Number of workgroups, in one line.
    pub groups: u64,
    /// Values of the shader's `override` constants.
    pub overrides: Vec<(&'static str, u32)>,
    /// `const` declarations put in front of the shader (sizes of private arrays).
    pub constants: Vec<(&'static str, u32)>,
}

impl Launch {
    /// Enough workgroups of `WORKGROUP` = `size` invocations for `threads` invocations.
    pub fn linear(threads: u64, size: u32) -> Self {
        Self { groups: threads.div_ceil(u64::from(size)), overrides: vec![("WORKGROUP", size)], constants: Vec::new() }
    }

    /// With another override constant.
    pub fn with(mut self, name: &'static str, value: u32) -> Self {
        self.overrides.push((name, value));
        self
    }

    /// The shader as it is compiled: prelude, constants, header, source.
    pub fn source(&self, kernel: &Kernel) -> String {
        let constants: String =
            self.constants.iter().map(|(name, value)| format!("const {name}: u32 = {value}u;\n")).collect();
        format!("{PRELUDE}{constants}{}{}", kernel.header(), kernel.source)
    }

    /// With a `const` declaration in front of the shader.
    pub fn constant(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, value));
        self
    }
}

/// Size and fields of a parameter struct.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Size in bytes.
    pub size: usize,
    /// Name, byte offset and type of each field.
    pub fields: &'static [(&'static str, usize, FieldType)],
}

/// What a field of a parameter struct holds.
#[derive(Clone, Copy, Debug)]
pub enum FieldType {
    /// A number: `u32`, `i32` or `f32`, in Rust as in WGSL.
    Scalar(&'static str),
    /// Another parameter struct, whose fields stand in its place in WGSL.
    Struct(Layout),
}

impl Layout {
    /// Name, byte offset and WGSL type of each number, those of structs within in their place.
    pub fn scalars(&self) -> Vec<(&'static str, usize, &'static str)> {
        let scalars = |&(name, offset, ty): &(&'static str, usize, FieldType)| match ty {
            FieldType::Scalar(ty) => vec![(name, offset, ty)],
            FieldType::Struct(inner) => {
                inner.scalars().into_iter().map(|(name, at, ty)| (name, offset + at, ty)).collect()
            }
        };
        self.fields.iter().flat_map(scalars).collect()
    }
}

/// What may be a field of a parameter struct: numbers, and parameter structs.
pub trait Field {
    /// As what it is declared in WGSL.
    const TYPE: FieldType;
}

impl Field for u32 {
    const TYPE: FieldType = FieldType::Scalar("u32");
}

impl Field for i32 {
    const TYPE: FieldType = FieldType::Scalar("i32");
}

impl Field for f32 {
    const TYPE: FieldType = FieldType::Scalar("f32");
}

/// Declares a kernel's parameter struct: `u32`, `i32` and `f32` fields, in the WGSL struct's order, or structs that are
/// declared like this, too: in WGSL their fields stand in their place.
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, $crate::device::bytemuck::Pod, $crate::device::bytemuck::Zeroable)]
        #[bytemuck(crate = "cellwright::device::bytemuck")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $name {
            /// Size and fields, as the shader has them.
            pub const LAYOUT: $crate::device::Layout = $crate::device::Layout {
                size: ::std::mem::size_of::<Self>(),
                fields: &[$((
                    stringify!($field),
                    ::std::mem::offset_of!($name, $field),
                    <$type as $crate::device::Field>::TYPE,
                ),)*],
            };
        }

        impl $crate::device::Field for $name {
            const TYPE: $crate::device::FieldType = $crate::device::FieldType::Struct(Self::LAYOUT);
        }
    };
}

/// One invocation of a twin: parameters and the whole buffers bound (offsets travel as parameters).
///
/// Outputs are lent, never given away: what a twin has borrowed is back when it is done with it. So a twin may try
/// one way and then go another, and there is no order in which it could ask for an output that is gone. Inputs outlive
/// the call, so that holding them does not stand in an output's way.
pub struct Call<'a> {
    pub(super) params: &'a [u8],
    pub(super) inputs: Vec<&'a [u32]>,
    pub(super) outputs: Vec<&'a mut [u32]>,
}

impl<'a> Call<'a> {
    /// A call on buffers of the caller's own.
    pub fn new(params: &'a [u8], inputs: Vec<&'a [u32]>, outputs: Vec<&'a mut [u32]>) -> Self {
        Self { params, inputs, outputs }
    }

    /// The parameter struct.
    pub fn params<P: bytemuck::Pod>(&self) -> P {
        bytemuck::pod_read_unaligned(self.params)
    }

    /// Input `index` as float32.
    pub fn input(&self, index: usize) -> &'a [f32] {
        bytemuck::cast_slice(self.inputs[index])
    }

    /// Input `index` as words.
    pub fn input_words(&self, index: usize) -> &'a [u32] {
        self.inputs[index]
    }

    /// Output `index` as float32.
    pub fn output(&mut self, index: usize) -> &mut [f32] {
        bytemuck::cast_slice_mut(self.outputs[index])
    }

    /// The first `N` outputs at once, for twins that write several side by side.
    ///
    /// # Panics
    /// If the kernel declares fewer: a mistake in the twin, which any of its cases shows.
    pub fn outputs<const N: usize>(&mut self) -> [Output<'_>; N] {
        let lent = self.outputs.first_chunk_mut().expect("a twin asks for no more outputs than its kernel declares");
        lent.each_mut().map(|words| Output(words))
    }
}

/// An output of a [`Call`], to be written as what it holds.
#[derive(Debug)]
pub struct Output<'a>(&'a mut [u32]);

impl<'a> Output<'a> {
    /// As float32.
    pub fn floats(self) -> &'a mut [f32] {
        bytemuck::cast_slice_mut(self.0)
    }

    /// As words.
    pub fn words(self) -> &'a mut [u32] {
        self.0
    }
}

/// One set of arguments of a kernel: what to run it on, and how closely results must agree.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is special about it.
    pub label: String,
    /// The parameter struct's bytes.
    pub params: Vec<u8>,
    /// Contents of the inputs.
    pub inputs: Vec<Vec<u32>>,
    /// Contents of the outputs before the kernel runs.
    pub outputs: Vec<Vec<u32>>,
    /// Largest relative L2 error allowed between two implementations; 0 means: the same bits.
    pub tolerance: f64,
}

impl Case {
    /// A case without buffers yet, to agree within relative L2 1e-5.
    pub fn new<P: bytemuck::Pod>(label: impl Into<String>, params: &P) -> Self {
        Self {
            label: label.into(),
            params: bytemuck::bytes_of(params).to_vec(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            tolerance: 1e-5,
        }
    }

    /// With another input.
    pub fn input(mut self, values: &[f32]) -> Self {
        self.inputs.push(bytemuck::cast_slice(values).to_vec());
        self
    }

    /// With another input of words.
    pub fn words(mut self, words: &[u32]) -> Self {
        self.inputs.push(words.to_vec());
        self
    }

    /// With an input of `count` values spread over [-1, 1), different for each `salt`.
    pub fn noise(self, count: usize, salt: u64) -> Self {
        let values = noise(count, salt);
        self.input(&values)
    }

    /// With an output that holds `values` before the kernel runs.
    pub fn output(mut self, values: &[f32]) -> Self {
        self.outputs.push(bytemuck::cast_slice(values).to_vec());
        self
    }

    /// With an output of `count` values, filled beforehand so that what a kernel leaves untouched
    /// and what it adds to can be told.
    pub fn result(self, count: usize) -> Self {
        let values: Vec<f32> = noise(count, 0x5eed);
        self.output(&values)
    }

    /// With another tolerance.
    pub fn within(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// To agree bit for bit.
    pub fn exactly(self) -> Self {
        self.within(0.0)
    }
}

/// `count` values spread over [-1, 1), reproducible, different for each `salt`.
pub fn noise(count: usize, salt: u64) -> Vec<f32> {
    let mut random = crate::random::Random::new(salt, 0xCA5E);
    (0..count).map(|_| random.range(-1.0, 1.0)).collect()
}
