// The gradient of what batch normalisation held within bounds: dy where the result lies between them, 0 elsewhere.

struct Line { mean: f32, factor: f32, bias: f32 }

fn line(c: u32) -> Line {
    var l = Line(saved[p.saved + c], saved[p.saved + p.channels + c], 0.0);
    if (p.affine != 0u) {
        l.factor *= parameters[p.weight + c];
        l.bias = parameters[p.bias + c];
    }
    return l;
}

fn passed(gradient: f32, x: f32, l: Line) -> f32 {
    let value = (x - l.mean) * l.factor + l.bias;
    return select(0.0, gradient, p.bounded == 0u || (value > p.low && value < p.high));
}
