//! A batch from a dataset that lies on the device as bytes: gathered by index, cropped, flipped,
//! normalised and cut out on the way.
//!
//! `x[s, c, i, j] = (b/255 − mean_c)·(1/std_c)`, with b the byte of image `indices[s]` at (c, i + Δi − padding,
//! j' + Δj − padding), 0 outside the image, where j' is j or, flipped, width − 1 − j. Then a square of
//! 2·⌊cutout/2⌋ places a side, around a centre anywhere in the image and clipped at its border, is set to 0; where the step says
//! so, only with the probability that it has.
//! Black is padded before normalisation and zero cut out after it, as the usual CIFAR-10 pipeline does.
//!
//! A sample's choices are a pure function of seed, stream, step counter and place in the batch. Without
//! padding, flip and cutout the step buffer is not read.

use crate::device::{Call, Case, Kernel, Launch};
use crate::params;
use crate::random::{Random, philox};
use rayon::prelude::*;

params! {
    /// Parameters of [`GATHER`].
    pub struct Params {
        /// Offset of the batch's indices.
        pub indices: u32,
        /// Offset of x, batch × channels × height × width.
        pub x: u32,
        /// Offset of y, a word a sample.
        pub y: u32,
        /// Samples of the batch.
        pub batch: u32,
        /// Channels of an image.
        pub channels: u32,
        /// Rows of an image.
        pub height: u32,
        /// Columns of an image.
        pub width: u32,
        /// Pixels that the crop may be shifted by, in each direction.
        pub padding: u32,
        /// Whether every second image is flipped left to right.
        pub flip: u32,
        /// Side of the square cut out; 0 for none.
        pub cutout: u32,
        /// Stream of random numbers.
        pub stream: u32,
        /// Lower half of the seed.
        pub seed_low: u32,
        /// Upper half of the seed.
        pub seed_high: u32,
        /// Where in the step buffer the counter of steps lies.
        pub counter: u32,
        /// Whether a square is cut out with the probability in the step buffer (1) or always (0).
        pub by_chance: u32,
        /// Where in the step buffer that probability lies.
        pub chance: u32,
    }
}

/// x, y = the images and labels at `indices`. Inputs: `images`, packed bytes (little-endian words, image n
/// from byte n·channels·height·width on); `labels`, a word each; `indices`; `normal`, the channels' means,
/// then their 1/std, where a byte of 255 counts as 1; `step`.
pub static GATHER: Kernel = Kernel {
    name: "gather",
    source: wgsl!("include/philox", "gather"),
    params: Params::LAYOUT,
    inputs: &["images: u32", "labels: u32", "indices: u32", "normal", "step: u32"],
    outputs: &["x", "y: u32"],
    launch: |params, _| Launch::linear(elements(&bytemuck::pod_read_unaligned(params)), 64),
    flops: |params| 3 * elements(&bytemuck::pod_read_unaligned(params)),
    twin: gather,
    reference: gather,
    cases,
    benches: || {
        let cifar = Params { batch: 64, channels: 3, height: 32, width: 32, ..CASE };
        vec![case("plain", cifar, 256), case("augmented", Params { padding: 4, flip: 1, cutout: 16, ..cifar }, 256)]
    },
};

fn elements(p: &Params) -> u64 {
    [p.batch, p.channels, p.height, p.width].map(u64::from).iter().product()
}

fn gather(call: &mut Call<'_>) {
    let p: Params = call.params();
    let images: &[u8] = bytemuck::cast_slice(call.input_words(0));
    let (labels, normal) = (call.input_words(1), call.input(3));
    let indices = &call.input_words(2)[p.indices as usize..][..p.batch as usize];
    let size = (p.channels * p.height * p.width) as usize;
    let random = p.padding != 0 || p.flip != 0 || p.cutout != 0;
    let counter = if random { call.input_words(4)[p.counter as usize] } else { 0 };
    let chance = if random && p.by_chance != 0 { f32::from_bits(call.input_words(4)[p.chance as usize]) } else { 1.0 };
    let [x, y] = call.outputs();
    let x = &mut x.floats()[p.x as usize..][..p.batch as usize * size];
    let y = &mut y.words()[p.y as usize..][..p.batch as usize];
    for (y, &index) in y.iter_mut().zip(indices) {
        *y = labels[index as usize];
    }
    if size == 0 {
        return;
    }
    x.par_chunks_mut(size).zip(indices).enumerate().for_each(|(sample, (x, &index))| {
        let image = &images[index as usize * size..][..size];
        let view = if random { View::random(&p, sample as u32, counter, chance) } else { View::default() };
        view.write(&p, image, normal, x);
    });
}

/// How one sample is seen: shift of the crop, flip, and the rows and columns cut out.
#[derive(Debug, Default)]
struct View {
    shift: [i64; 2],
    flip: bool,
    cut: [std::ops::Range<usize>; 2],
}

impl View {
    fn random(p: &Params, sample: u32, counter: u32, chance: f32) -> Self {
        let words = philox([p.seed_low, p.seed_high], [sample, p.stream, counter, 2]);
        let shift = |word: u32| i64::from(word % (2 * p.padding + 1)) - i64::from(p.padding);
        let cuts = (words[1] >> 8) as f32 * (1.0 / 16_777_216.0) < chance;
        let cut = |word: u32, size: u32| {
            let (centre, half) = ((word % size) as usize, if cuts { p.cutout as usize / 2 } else { 0 });
            centre.saturating_sub(half)..(centre + half).min(size as usize)
        };
        Self {
            shift: [shift(words[0]), shift(words[1])],
            flip: p.flip != 0 && words[0] >> 31 == 1,
            cut: [cut(words[2], p.height), cut(words[3], p.width)],
        }
    }

    fn write(&self, p: &Params, image: &[u8], normal: &[f32], x: &mut [f32]) {
        let (height, width) = (p.height as usize, p.width as usize);
        let within = |at: i64, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
        let planes = x.chunks_exact_mut(height * width).zip(image.chunks_exact(height * width));
        for (channel, (x, image)) in planes.enumerate() {
            let (mean, scale) = (normal[channel], normal[p.channels as usize + channel]);
            for (row, x) in x.chunks_exact_mut(width).enumerate() {
                let from = within(row as i64 + self.shift[0], height).map(|row| &image[row * width..][..width]);
                for (column, x) in x.iter_mut().enumerate() {
                    let column = if self.flip { width - 1 - column } else { column };
                    let at = within(column as i64 + self.shift[1], width);
                    let byte = from.zip(at).map_or(0, |(from, at)| from[at]);
                    *x = (f32::from(byte) * (1.0 / 255.0) - mean) * scale;
                }
                if self.cut[0].contains(&row) {
                    x[self.cut[1].clone()].fill(0.0);
                }
            }
        }
    }
}

const CASE: Params = Params {
    indices: 2,
    x: 3,
    y: 1,
    batch: 0,
    channels: 0,
    height: 0,
    width: 0,
    padding: 0,
    flip: 0,
    cutout: 0,
    stream: 9,
    seed_low: 0xDEAD_BEEF,
    seed_high: 0x0123_4567,
    counter: 3,
    by_chance: 0,
    chance: 4,
};

fn case(label: &str, p: Params, images: usize) -> Case {
    let (batch, channels) = (p.batch as usize, p.channels as usize);
    let size = channels * p.height as usize * p.width as usize;
    let mut random = Random::new(5, 0);
    let bytes: Vec<u32> = (0..(images * size).div_ceil(4)).map(|_| random.word()).collect();
    // Words that are floats of like size, so that a wrong label counts as much as a wrong pixel.
    let labels: Vec<u32> = (0..images).map(|n| (1.0 + n as f32).to_bits()).collect();
    let mut indices = vec![u32::MAX; 2];
    indices.extend((0..batch).map(|_| random.below(images) as u32));
    let means = (0..channels).map(|c| 0.4 + 0.1 * c as f32);
    let normal: Vec<f32> = means.chain((0..channels).map(|c| 4.0 + c as f32)).collect();
    let shape = format!("{batch}×{channels}×{}×{}", p.height, p.width);
    Case::new(format!("{label}, {shape} of {images} images"), &p)
        .words(&bytes)
        .words(&labels)
        .words(&indices)
        .input(&normal)
        .words(&[0, 0, 0, 12_345, 0.4f32.to_bits()])
        .result(batch * size + 5)
        .result(batch + 2)
}

fn cases() -> Vec<Case> {
    let of = |batch, channels, height, width| Params { batch, channels, height, width, ..CASE };
    let small = of(7, 3, 5, 6);
    vec![
        case("plain, one pixel", of(1, 1, 1, 1), 1),
        // An image of 3 bytes: images begin within words.
        case("plain, odd size", of(5, 1, 1, 3), 4),
        case("plain", small, 9),
        case("crop", Params { padding: 2, ..small }, 9),
        case("crop wider than the image", Params { padding: 9, ..small }, 9),
        case("flip", Params { flip: 1, ..small }, 9),
        case("cutout", Params { cutout: 4, ..small }, 9),
        case("cutout of odd side", Params { cutout: 3, ..small }, 9),
        case("cutout by chance", Params { cutout: 4, by_chance: 1, ..of(30, 3, 5, 6) }, 9),
        case("cutout larger than the image", Params { cutout: 40, ..small }, 9),
        case("all, one pixel", Params { padding: 1, flip: 1, cutout: 2, ..of(5, 1, 1, 1) }, 3),
        case("all", Params { padding: 4, flip: 1, cutout: 16, ..of(6, 3, 32, 32) }, 8),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of `p.batch` times the one image whose bytes are 0, 1, 2, …, not normalised, in bytes.
    fn seen(p: Params) -> Vec<Vec<f32>> {
        let p = Params { indices: 0, x: 0, y: 0, counter: 0, chance: 1, ..p };
        let size = (p.channels * p.height * p.width) as usize;
        let bytes: Vec<u8> = (0..size.next_multiple_of(4) as u8).collect();
        let channels = p.channels as usize;
        let normal: Vec<f32> = [vec![0.0; channels], vec![255.0; channels]].concat();
        let indices = vec![0; p.batch as usize];
        let (mut x, mut y) = (vec![7; p.batch as usize * size], vec![7; p.batch as usize]);
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
        let step = [42, 0.25f32.to_bits()];
        let inputs = vec![&words[..], &[3], &indices, bytemuck::cast_slice(&normal), &step];
        gather(&mut Call::new(bytemuck::bytes_of(&p), inputs, vec![&mut x, &mut y]));
        assert!(y.iter().all(|&label| label == 3));
        x.chunks(size).map(|x| x.iter().map(|&w| f32::from_bits(w).round()).collect()).collect()
    }

    const SMALL: Params = Params { batch: 400, channels: 1, height: 2, width: 3, ..CASE };

    #[test]
    fn without_augmentation_the_images_are_as_they_are() {
        assert!(seen(SMALL).iter().all(|x| x == &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    }

    #[test]
    fn about_every_second_image_is_flipped_left_to_right() {
        let flipped = seen(Params { flip: 1, ..SMALL });
        let count = flipped.iter().filter(|x| x[..] == [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]).count();
        let kept = flipped.iter().filter(|x| x[..] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).count();
        assert_eq!(count + kept, 400);
        assert!((160..240).contains(&count), "{count}");
    }

    #[test]
    fn crops_reach_every_shift_alike_and_show_black_outside() {
        let crops = seen(Params { padding: 1, ..SMALL });
        let mut counts = std::collections::BTreeMap::new();
        crops.iter().for_each(|x| *counts.entry(format!("{x:?}")).or_insert(0) += 1);
        assert_eq!(counts.len(), 9, "{counts:?}");
        assert!(counts.values().all(|count| (22..70).contains(count)), "{counts:?}");
        assert!(counts.contains_key("[4.0, 5.0, 0.0, 0.0, 0.0, 0.0]"), "one down, one right");
    }

    #[test]
    fn a_cutout_is_a_square_clipped_at_the_border() {
        let image = Params { batch: 400, channels: 2, height: 8, width: 8, cutout: 4, ..CASE };
        let mut areas = std::collections::BTreeSet::new();
        for x in seen(image) {
            let zeros = |plane: usize| (0..64).filter(|at| plane + at > 0 && x[plane + at] == 0.0).count();
            // Byte 0 is black with or without a cutout.
            assert!(zeros(64) - zeros(0) <= 1, "the same in every channel");
            areas.insert(zeros(64));
        }
        // Sides of 2 (centre at the first row), 3 (at the second or the last) or 4.
        assert_eq!(areas.into_iter().collect::<Vec<_>>(), [4, 6, 8, 9, 12, 16]);
    }

    #[test]
    fn by_chance_so_many_images_are_cut() {
        let image = Params { batch: 400, channels: 2, height: 8, width: 8, cutout: 4, ..CASE };
        let (always, by_chance) = (seen(image), seen(Params { by_chance: 1, ..image }));
        let whole = seen(Params { cutout: 0, ..image });
        let cut = by_chance.iter().zip(&whole).filter(|(x, whole)| x != whole).count();
        assert!((70..130).contains(&cut), "{cut}");
        // What is cut is what would be.
        assert!(by_chance.iter().zip(&always).zip(&whole).all(|((x, always), whole)| x == whole || x == always));
    }
}
