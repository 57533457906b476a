// Standard normal numbers by Box and Muller's method, from words of Philox: of two words a and b the pair r·cos θ,
// r·sin θ with r = √(−2 ln(1 − uniform(a))), θ = 2π·uniform(b).
//
// Logarithm, sine and cosine are computed here: a device's own may be off by as much as 2^-11.

// ln(m / 2^24) for an integer 1 ≤ m ≤ 2^24: the exponent, and 2·artanh((f − 1)/(f + 1)) of the fraction f
// in [√½, √2).
fn logarithm(m: u32) -> f32 {
    let bits = bitcast<u32>(f32(m));
    var exponent = i32(bits >> 23u) - 151;
    var f = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
    if (f > 1.4142135) {
        f *= 0.5;
        exponent += 1;
    }
    let s = (f - 1.0) / (f + 1.0);
    let q = s * s;
    let series = s * (2.0 + q * (0.66666667 + q * (0.4 + q * (0.28571429 + q * 0.22222222))));
    return f32(exponent) * 0.69314718 + series;
}

// (cos, sin) of 2π·m/2^24 for an integer 0 ≤ m < 2^24: of the angle to the nearest quarter turn, then
// turned by quarters.
fn circle(m: u32) -> vec2<f32> {
    let quarter = (m + 0x200000u) >> 22u;
    let t = f32(i32(m) - i32(quarter << 22u)) * 3.7450702e-7;
    let q = t * t;
    let s = t * (1.0 + q * (-0.16666667 + q * (0.0083333333 + q * (-0.00019841270 + q * 0.0000027557319))));
    let c = 1.0 + q * (-0.5 + q * (0.041666667 + q * (-0.0013888889 + q * 0.000024801587)));
    switch (quarter & 3u) {
        case 0u: { return vec2<f32>(c, s); }
        case 1u: { return vec2<f32>(-s, c); }
        case 2u: { return vec2<f32>(-c, -s); }
        default: { return vec2<f32>(s, -c); }
    }
}

fn pair(a: u32, b: u32) -> vec2<f32> {
    return sqrt(-2.0 * logarithm(0x1000000u - (a >> 8u))) * circle(b >> 8u);
}
