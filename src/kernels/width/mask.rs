//! The mask over channels that weighted widths make.

use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::kernels::cpu::store::put;
use crate::kernels::launch::by_row;
use crate::params;

params! {
    /// Parameters of [`MASK_FORWARD`].
    pub struct Mask {
        /// Offset of the weights, \[options\].
        pub weights: u32,
        /// Offset of the mask, \[channels\].
        pub mask: u32,
        /// Channels.
        pub channels: u32,
        /// Options, at most 8.
        pub options: u32,
        /// Channels that option 0 keeps.
        pub width0: u32,
        /// Channels that option 1 keeps.
        pub width1: u32,
        /// Channels that option 2 keeps.
        pub width2: u32,
        /// Channels that option 3 keeps.
        pub width3: u32,
        /// Channels that option 4 keeps.
        pub width4: u32,
        /// Channels that option 5 keeps.
        pub width5: u32,
        /// Channels that option 6 keeps.
        pub width6: u32,
        /// Channels that option 7 keeps.
        pub width7: u32,
    }
}

params! {
    /// Parameters of [`MASK_BACKWARD`].
    pub struct MaskBackward {
        /// Offset of the gradient of the mask, \[channels\].
        pub dmask: u32,
        /// Offset of the gradient of the weights, \[options\].
        pub dweights: u32,
        /// Channels.
        pub channels: u32,
        /// Options, at most 8.
        pub options: u32,
        /// Channels that option 0 keeps.
        pub width0: u32,
        /// Channels that option 1 keeps.
        pub width1: u32,
        /// Channels that option 2 keeps.
        pub width2: u32,
        /// Channels that option 3 keeps.
        pub width3: u32,
        /// Channels that option 4 keeps.
        pub width4: u32,
        /// Channels that option 5 keeps.
        pub width5: u32,
        /// Channels that option 6 keeps.
        pub width6: u32,
        /// Channels that option 7 keeps.
        pub width7: u32,
        /// Whether dweights is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// mask\[c\] = Σ_k weights\[k\] · \[c < width_k\].
pub static MASK_FORWARD: Kernel = Kernel {
    name: "width_mask_forward",
    source: wgsl!("width_mask_forward"),
    params: Mask::LAYOUT,
    inputs: &["weights"],
    outputs: &["mask"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Mask>(params).channels.into(), 64),
    flops: |params| {
        let p: Mask = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.channels) * u64::from(p.options)
    },
    twin: forward,
    reference: forward,
    cases: || CASES.map(|(channels, widths)| forward_case(channels, widths)).to_vec(),
    benches: || vec![forward_case(256, &[64, 128, 192, 256])],
};

/// dweights\[k\] (+)= Σ_{c < width_k} dmask\[c\].
pub static MASK_BACKWARD: Kernel = Kernel {
    name: "width_mask_backward",
    source: wgsl!("include/tree", "width_mask_backward"),
    params: MaskBackward::LAYOUT,
    inputs: &["dmask"],
    outputs: &["dweights"],
    launch: |params, class: Class| by_row(bytemuck::pod_read_unaligned::<MaskBackward>(params).options, class),
    flops: |params| {
        let p: MaskBackward = bytemuck::pod_read_unaligned(params);
        u64::from(p.channels) * u64::from(p.options)
    },
    twin: backward,
    reference: backward,
    cases: || {
        CASES
            .into_iter()
            .flat_map(|(channels, widths)| [0, 1].map(|add| backward_case(channels, widths, add)))
            .collect()
    },
    benches: || vec![backward_case(256, &[64, 128, 192, 256], 0)],
};

fn forward(call: &mut Call<'_>) {
    let p: Mask = call.params();
    let widths = [p.width0, p.width1, p.width2, p.width3, p.width4, p.width5, p.width6, p.width7];
    let weights = &call.input(0)[p.weights as usize..][..p.options as usize];
    let mask = &mut call.output(0)[p.mask as usize..][..p.channels as usize];
    for (c, mask) in mask.iter_mut().enumerate() {
        let kept = widths.iter().zip(weights).filter(|&(&width, _)| c < width as usize);
        *mask = kept.map(|(_, &weight)| f64::from(weight)).sum::<f64>() as f32;
    }
}

fn backward(call: &mut Call<'_>) {
    let p: MaskBackward = call.params();
    let widths = [p.width0, p.width1, p.width2, p.width3, p.width4, p.width5, p.width6, p.width7];
    let dmask = &call.input(0)[p.dmask as usize..][..p.channels as usize];
    let dweights = &mut call.output(0)[p.dweights as usize..][..p.options as usize];
    for (dweight, width) in dweights.iter_mut().zip(widths) {
        let sum = dmask.iter().take(width as usize).map(|&g| f64::from(g)).sum();
        put(dweight, sum, p.accumulate);
    }
}

/// Channels and widths; the last has a width beyond the channels, and one of none.
const CASES: [(u32, &[u32]); 4] =
    [(1, &[1]), (64, &[16, 32, 48, 64]), (200, &[10, 200, 77, 130, 1, 64, 65, 199]), (70, &[0, 1000, 70])];

fn eight(widths: &[u32]) -> [u32; 8] {
    // What options beyond the last would keep must not matter.
    let mut all = [50; 8];
    all[..widths.len()].copy_from_slice(widths);
    all
}

fn forward_case(channels: u32, widths: &[u32]) -> Case {
    let [width0, width1, width2, width3, width4, width5, width6, width7] = eight(widths);
    let options = widths.len() as u32;
    let params =
        Mask { weights: 1, mask: 3, channels, options, width0, width1, width2, width3, width4, width5, width6, width7 };
    Case::new(format!("{channels} channels, widths {widths:?}"), &params).noise(9, 1).result(channels as usize + 4)
}

fn backward_case(channels: u32, widths: &[u32], accumulate: u32) -> Case {
    let [width0, width1, width2, width3, width4, width5, width6, width7] = eight(widths);
    let params = MaskBackward {
        dmask: 1,
        dweights: 3,
        channels,
        options: widths.len() as u32,
        width0,
        width1,
        width2,
        width3,
        width4,
        width5,
        width6,
        width7,
        accumulate,
    };
    Case::new(format!("{channels} channels, widths {widths:?}, accumulate {accumulate}"), &params)
        .noise(channels as usize + 100, 1)
        .result(12)
}
