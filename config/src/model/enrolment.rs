//! How a gateway's own certificate is renewed (formats 12.6).

use super::RepoUrl;
use std::path::PathBuf;

/// The authority that renews the certificate named by `home.signing.cert`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolment {
    /// Address of the authority, always https; `enrol` is below it.
    pub url: RepoUrl,
    /// Certificates that its server is checked against; none: those of the system.
    pub roots: Vec<PathBuf>,
    /// How long before its end the certificate is renewed, seconds.
    pub renew_before_s: u32,
}

impl Enrolment {
    /// `renew_before_s` where none is given: the overlap of formats 12.1.
    pub const RENEW_BEFORE_S: u32 = 14 * 24 * 3600;
}
