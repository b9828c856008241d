//! pki/mod
