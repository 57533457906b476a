//! What other programs read: trained networks in their forms.

pub mod wgsl;
