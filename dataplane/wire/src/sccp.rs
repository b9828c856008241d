//! sccp
