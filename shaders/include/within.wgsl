// A result, within bounds if there are any: not clamp, which may turn a NaN into a bound.
fn bounded(value: f32) -> f32 {
    if (p.bounded == 0u) { return value; }
    return select(select(value, p.high, value > p.high), p.low, value < p.low);
}
