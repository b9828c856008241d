//! Bounded memories.
