//! alg
