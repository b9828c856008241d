//! m3ua
