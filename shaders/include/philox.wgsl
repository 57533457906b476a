// Philox 4x32-10 (Salmon et al., SC 2011): four random words for a key and a counter, the same words
// as `random::philox` on the host.

// The upper half of a 64-bit product, from 16-bit halves: WGSL has no 64-bit integers.
fn mul_high(a: u32, b: u32) -> u32 {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    return a1 * b1 + (middle >> 16u) + ((a0 * b1 + (middle & 0xffffu)) >> 16u);
}

fn philox(key: vec2<u32>, counter: vec4<u32>) -> vec4<u32> {
    var k = key;
    var c = counter;
    for (var round = 0u; round < 10u; round += 1u) {
        let a = mul_high(c.x, 0xD2511F53u);
        let b = mul_high(c.z, 0xCD9E8D57u);
        c = vec4<u32>(b ^ c.y ^ k.x, c.z * 0xCD9E8D57u, a ^ c.w ^ k.y, c.x * 0xD2511F53u);
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}
