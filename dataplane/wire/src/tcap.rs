//! tcap
