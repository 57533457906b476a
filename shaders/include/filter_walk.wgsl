// Walking down the rows of a plane: each row meets all rows of a window of at most five rows and columns, so it is
// loaded once; five results are under way meanwhile. Only where SHIFT is 1.

// The window, column by column. Loaded in a loop, because software drivers take long to compile loads; read at constant
// places only, which costs them nothing.
var<private> taps: array<f32, 25>;

// The window whose weights begin at `at`, or that window turned by half a circle; the rest of the taps is never read.
fn load_taps(at: u32, kernel: u32, reverse: bool) {
    let end = at + kernel * kernel;
    // Not from 0 to a constant: compilers would write the loop out.
    for (var tap = at; tap < end; tap++) {
        var k = tap - at;
        if (reverse) { k = end - 1u - tap; }
        taps[k % kernel * 5u + k / kernel] = w[tap];
    }
}

// Results under way: a has met one row, b two, …
struct Results { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, e: vec4<f32> }

// Before the next row: the newest result begins, the oldest has gone.
fn onward(r: Results) -> Results { return Results(vec4(0.0), r.a, r.b, r.c, r.d); }

fn meet(kernel: u32, r: Results, column: u32, v: vec4<f32>) -> Results {
    var to = r;
    to.a = fma(vec4(taps[column * 5u]), v, r.a);
    if (kernel > 1u) { to.b = fma(vec4(taps[column * 5u + 1u]), v, r.b); }
    if (kernel > 2u) { to.c = fma(vec4(taps[column * 5u + 2u]), v, r.c); }
    if (kernel > 3u) { to.d = fma(vec4(taps[column * 5u + 3u]), v, r.d); }
    if (kernel > 4u) { to.e = fma(vec4(taps[column * 5u + 4u]), v, r.e); }
    return to;
}

// The result that has met all rows.
fn finished(kernel: u32, r: Results) -> vec4<f32> {
    if (kernel == 1u) { return r.a; }
    if (kernel == 2u) { return r.b; }
    if (kernel == 3u) { return r.c; }
    if (kernel == 4u) { return r.d; }
    return r.e;
}
