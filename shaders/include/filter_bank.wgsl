// What the shaders of a bank share: kinds, and the ReLU's argument. A kind that isn't there has KERNEL 0.
override STRIDE: u32 = 1;
override KERNEL0: u32 = 3;
override KERNEL1: u32 = 0;
override KERNEL2: u32 = 0;
override KERNEL3: u32 = 0;
override DILATION0: u32 = 1;
override DILATION1: u32 = 1;
override DILATION2: u32 = 1;
override DILATION3: u32 = 1;
// Taps SHIFT apart read rows of x that results APART from one another share.
override SHIFT0: u32 = 1;
override SHIFT1: u32 = 1;
override SHIFT2: u32 = 1;
override SHIFT3: u32 = 1;
override APART0: u32 = 1;
override APART1: u32 = 1;
override APART2: u32 = 1;
override APART3: u32 = 1;

// How x is normalised. Not an override: a bank of normalised values needs no shaders of its own, and compilers are slow.
struct Norm { mean: f32, factor: f32, bias: f32 }

fn norm_of(channel: u32) -> Norm {
    var norm = Norm(0.0, 1.0, 0.0);
    if (p.norm != 0u) {
        norm.mean = saved[p.saved + channel];
        norm.factor = saved[p.saved + p.norm + channel];
        if (p.affine != 0u) {
            norm.factor *= parameters[p.scale + channel];
            norm.bias = parameters[p.bias + channel];
        }
    }
    return norm;
}

fn argument(value: f32, norm: Norm) -> f32 { return fma(value - norm.mean, norm.factor, norm.bias); }
