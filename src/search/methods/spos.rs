//! SPOS (Guo et al. 2020, "Single path one-shot neural architecture search with uniform sampling"): its loop is
//! [`one_shot`](crate::search::one_shot).

use super::Method;

/// SPOS.
pub const METHOD: Method = Method {
    name: "spos",
    paper: "SPOS (Guo et al. 2020)",
    weighs: "uniform architectures",
    runs: "one path",
    learns: "nothing",
    stops: "after its epochs",
    chooses: "best of an evolution with shared weights, statistics recalibrated",
    settings: None,
    without: &[],
};
