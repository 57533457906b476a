//! Streams of random numbers of this floor.

/// The number of one of this floor's streams of random numbers. The first 16 bits set them apart
/// from those of every other floor under the same seed.
pub(super) fn stream(purpose: Purpose, shuffle: u8, number: u32) -> u64 {
    0xDA7A << 48 | (purpose as u64) << 40 | u64::from(shuffle) << 32 | u64::from(number)
}

/// What a stream of random numbers is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Split = 1,
    Epoch = 2,
    Fresh = 3,
}
