//! Upper layers.
