//! What can go wrong on a device, as values.

/// An error of the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no adapter of the kind asked for.
    #[error("no {wanted} found; {hint}")]
    NoAdapter {
        /// What was asked for, e.g. "hardware GPU".
        wanted: String,
        /// What can be done.
        hint: String,
    },
    /// Something other than the CPU is asked of a build that knows nothing else.
    #[error(
        "no {wanted}: this build has no graphics interface; build it with the feature `gpu` (it is on by default: leave \
         out `--no-default-features`, or add `--features gpu`), or use the device `cpu`"
    )]
    WithoutGpu {
        /// What was asked for, e.g. "hardware GPU".
        wanted: String,
    },
    /// The driver is known to compute wrong results.
    #[error("driver `{driver}` of adapter `{adapter}` cannot be used: {reason}")]
    Driver {
        /// Adapter's name.
        adapter: String,
        /// Driver's name and version.
        driver: String,
        /// What is wrong with it and what to install instead.
        reason: String,
    },
    /// A graphics interface that there is not.
    #[error("`{name}` is no graphics interface; give vulkan, metal or dx12, or several separated by commas")]
    Backend {
        /// What was given.
        name: String,
    },
    /// The adapter would not give a device.
    #[error("adapter `{adapter}` could not be opened: {message}")]
    Open {
        /// Adapter's name.
        adapter: String,
        /// What the driver said.
        message: String,
    },
    /// There is not enough memory.
    #[error(
        "out of memory: {asked} bytes were asked for while {in_use} bytes were in use; try a smaller batch or fewer channels"
    )]
    OutOfMemory {
        /// Bytes asked for.
        asked: u64,
        /// Bytes held by the device at the time.
        in_use: u64,
    },
    /// A limit of the adapter is exceeded.
    #[error("{what}: {asked} is more than this device's limit of {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// What was needed.
        asked: u64,
        /// What the device can do.
        limit: u64,
    },
    /// The device was lost: unplugged, reset, or its driver crashed.
    #[error("the device was lost: {message}")]
    Lost {
        /// What the driver said.
        message: String,
    },
    /// The driver or the shader compiler refused something.
    #[error("the graphics driver refused {what}: {message}")]
    Refused {
        /// What was attempted.
        what: String,
        /// What it said.
        message: String,
    },
    /// A dispatch writes a buffer that it binds elsewhere too.
    #[error("kernel `{kernel}` ({scope}) writes `{binding}`, whose buffer it also binds as `{other}`")]
    Aliased {
        /// The kernel.
        kernel: &'static str,
        /// Where in the network.
        scope: String,
        /// The binding written.
        binding: &'static str,
        /// The other binding.
        other: &'static str,
    },
    /// A dispatch does not fit its kernel's declaration, or a range lies outside its buffer.
    #[error("kernel `{kernel}` ({scope}): {problem}")]
    Mismatch {
        /// The kernel, or the command.
        kernel: &'static str,
        /// Where in the network.
        scope: String,
        /// What does not fit.
        problem: String,
    },
}
