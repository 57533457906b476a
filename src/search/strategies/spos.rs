//! SPOS (Guo et al. 2020, "Single path one-shot neural architecture search with uniform sampling"): its loop is
//! [`one_shot`](crate::search::one_shot).

use super::paths::Paths;
use crate::search::one_shot::Rank;
use crate::search::strategy::About;

/// SPOS.
pub static METHOD: Paths = Paths {
    about: About {
        name: "spos",
        paper: "SPOS (Guo et al. 2020)",
        weighs: "uniform architectures",
        runs: "one path",
        learns: "nothing",
        stops: "after its epochs",
        chooses: "best of an evolution with shared weights, statistics recalibrated",
    },
    rank: Rank::Evolution,
    not_read: "samples",
};
