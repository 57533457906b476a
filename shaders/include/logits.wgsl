// What a controller's scores become before they are logits. Large arguments overflow the exponentials that some drivers
// make a tanh of.
fn squashed(score: f32) -> f32 { return tanh(clamp(p.slope * score, -20.0, 20.0)); }

// log(1 + eˣ), without overflow.
fn softplus(x: f32) -> f32 { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }
