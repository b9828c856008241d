//! Where tables of multiples live.

pub(crate) mod lines;
