// Large arguments overflow the exponentials that some drivers make a tanh of.
fn bounded_tanh(x: f32) -> f32 { return tanh(clamp(x, -20.0, 20.0)); }

// σ(i), σ(f), σ(o) and tanh(g) of unit i % units of row i / units.
fn gates_of(i: u32) -> vec4<f32> {
    let at = p.gates + i / p.units * 4u * p.units + i % p.units;
    let sums = vec3(gates[at], gates[at + p.units], gates[at + 2u * p.units]);
    return vec4(1.0 / (1.0 + exp(-sums)), bounded_tanh(gates[at + 3u * p.units]));
}
