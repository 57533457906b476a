//! Windows of 5×5 and 7×7 that keep the size, as blocks of 3×3 taps by [`winograd`]: of 25 products nine are left, of 49 twenty.

use super::Params;
use crate::kernels::winograd;

/// Channels on either side from which on it is taken.
const FEWEST_CHANNELS: u32 = 8;
/// Hundredths of the products, as they would be computed otherwise, that these may be: the transforms take the rest.
const MOST: u64 = 60;
/// Most floats of the panels of all filters, which are made anew each time.
const PANEL_FLOATS: u64 = 1 << 22;
/// Tiles of 4×4 pixels from which on the panels are worth being made.
const FEWEST_TILES: u64 = 64;

/// Whether these windows are computed so, where that saves of so many products of an input and an output.
pub(super) fn suits(p: &Params, products: u64) -> bool {
    let w = &p.window;
    let taps = w.kernel_rows;
    let steps = [w.stride_rows, w.stride_columns, w.dilation_rows, w.dilation_columns, p.groups];
    let keeps_size = (w.out_height, w.out_width) == (w.height, w.width);
    let pads = [w.pad_top, w.pad_left] == [(taps / 2) as i32; 2];
    if steps != [1; 5] || !keeps_size || !pads || w.kernel_columns != taps || !matches!(taps, 5 | 7) {
        return false;
    }
    let panels = 36 * u64::from(taps.div_ceil(3)).pow(2);
    let tiles = u64::from(p.batch) * u64::from(w.height.div_ceil(4)) * u64::from(w.width.div_ceil(4));
    p.inputs.min(p.outputs) >= FEWEST_CHANNELS
        && tiles >= FEWEST_TILES
        && panels * u64::from(p.inputs) * u64::from(p.outputs) <= PANEL_FLOATS
        && 100 * panels * tiles <= MOST * products
}

/// What [`winograd`] knows of them, of slices that begin with the first element.
fn params(p: &Params, [inputs, outputs]: [u32; 2]) -> (winograd::Params, usize) {
    let (height, width) = (p.window.height, p.window.width);
    let (batch, accumulate) = (p.batch, p.accumulate);
    let params = winograd::Params { batch, inputs, outputs, height, width, accumulate, ..Default::default() };
    (params, p.window.kernel_rows as usize)
}

/// y (+)= w ∗ x + bias.
pub(super) fn forward(p: &Params, x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32]) {
    let (p, taps) = params(p, [p.inputs, p.outputs]);
    winograd::of_windows(&p, taps, x, w, false, bias, y);
}

/// dx (+)= the gradient of x.
pub(super) fn backward_input(p: &Params, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (p, taps) = params(p, [p.outputs, p.inputs]);
    winograd::of_windows(&p, taps, dy, w, true, &[], dx);
}

/// dw (+)= the gradient of w.
pub(super) fn backward_weight(p: &Params, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (p, taps) = params(p, [p.inputs, p.outputs]);
    winograd::weight_gradient(&p, taps, x, dy, dw);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conv::Window;

    #[test]
    fn large_windows_that_keep_the_size_of_large_images_suit() {
        let p = |size: u32, kernel: u32, pad: i32| Params {
            batch: 16,
            inputs: 16,
            outputs: 16,
            groups: 1,
            window: Window::square([size; 2], kernel, 1, 1, pad),
            ..Params::default()
        };
        let all = |p: &Params| (p.batch as usize * p.out_pixels() * p.taps()) as u64;
        let suits = |p: Params| super::suits(&p, all(&p));
        assert!(suits(p(32, 5, 2)) && suits(p(32, 7, 3)) && suits(p(8, 7, 3)));
        // Another size, another window, and tiles of which the image fills a quarter.
        assert!(!suits(p(32, 5, 1)) && !suits(p(32, 9, 4)) && !suits(p(2, 5, 2)));
        assert!(!suits(Params { batch: 0, ..p(32, 5, 2) }) && !suits(Params { batch: 8, ..p(8, 5, 2) }));
        // Where few of the taps lie on the image there is less to be saved.
        assert!(!super::suits(&p(8, 7, 3), all(&p(8, 7, 3)) / 2));
        assert!(!suits(Params { inputs: 4, ..p(32, 5, 2) }) && !suits(Params { groups: 2, ..p(32, 5, 2) }));
    }
}
