//! Memory that we map ourselves: tables of multiples in huge pages, octets of private keys in locked ones.

pub(crate) mod lines;
pub(crate) mod locked;
