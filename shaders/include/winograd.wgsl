// Bᵀ d of Winograd's F(4, 3): six values of neighbouring rows, ready for the product.
fn transformed(d: array<f32, 6>) -> array<f32, 6> {
    let even = d[4] - d[2] * 4.0;
    let odd = d[3] - d[1] * 4.0;
    let even_twice = d[4] - d[2];
    let odd_twice = (d[3] - d[1]) * 2.0;
    return array<f32, 6>(d[0] * 4.0 - d[2] * 5.0 + d[4], even + odd, even - odd,
        even_twice + odd_twice, even_twice - odd_twice, d[1] * 4.0 - d[3] * 5.0 + d[5]);
}

