//! What max pooling does among equals, and with NaN, spelled out.

use super::{MAX_FORWARD, Params};
use crate::device::Call;

fn pooled(x: &[f32; 9]) -> (Vec<f32>, Vec<u32>) {
    let p = Params {
        planes: 1,
        height: 3,
        width: 3,
        out_height: 3,
        out_width: 3,
        kernel: 3,
        stride: 1,
        padding: 1,
        ..Params::default()
    };
    let (mut y, mut indices) = (vec![0; 9], vec![0; 9]);
    let x: &[u32] = bytemuck::cast_slice(x);
    (MAX_FORWARD.twin)(&mut Call::new(bytemuck::bytes_of(&p), vec![x], vec![&mut y, &mut indices]));
    (y.into_iter().map(f32::from_bits).collect(), indices)
}

#[test]
fn the_first_of_equal_maxima_wins() {
    assert_eq!(pooled(&[1.0; 9]).1, [0, 0, 1, 0, 0, 1, 3, 3, 4]);
    assert_eq!(pooled(&[f32::NEG_INFINITY; 9]).1, [0, 0, 1, 0, 0, 1, 3, 3, 4]);
    let (y, indices) = pooled(&[1.0, 5.0, 2.0, 5.0, 3.0, 4.0, 0.0, 4.0, 4.0]);
    assert_eq!(y, [5.0; 6].into_iter().chain([5.0, 5.0, 4.0]).collect::<Vec<_>>());
    assert_eq!(indices, [1, 1, 1, 1, 1, 1, 3, 3, 5]);
}

#[test]
fn nan_wins_over_numbers_and_the_last_nan_over_others() {
    let n = f32::NAN;
    let (y, indices) = pooled(&[n, 1.0, 9.0, 1.0, n, 1.0, 1.0, 1.0, 1.0]);
    assert!(y.iter().all(|v| v.is_nan()));
    assert_eq!(indices, [4; 9]);
}
