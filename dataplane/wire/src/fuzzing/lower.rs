//! Lower layers.
