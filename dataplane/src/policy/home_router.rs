//! Who answers where our subscribers are to get a short message (SMS home routing: 3GPP TR 23.840, TS 23.040 §3).

use sealgate_config::model::{RouterTitle, SmsRouter};
use sealgate_wire::addr::{GlobalTitle, Plan};
use sealgate_wire::diameter::is_within;

/// The routers of short messages; empty where whoever is asked may answer.
#[derive(Clone, Debug, Default)]
pub struct HomeRouter(SmsRouter);

impl HomeRouter {
    pub(super) fn compile(router: Option<&SmsRouter>) -> Self {
        Self(router.cloned().unwrap_or_default())
    }

    /// Whether there are titles of it, and hosts.
    pub fn is_set(&self) -> (bool, bool) {
        (!self.0.gt.is_empty(), !self.0.hosts.is_empty())
    }

    /// Whether sendRoutingInfoForSM may be addressed to this title of ours.
    pub fn is_called_by(&self, title: &GlobalTitle) -> bool {
        let called = &title.digits;
        let is = |one: &RouterTitle| if one.prefix { called.starts_with(&one.digits) } else { *called == one.digits };
        self.0.gt.is_empty() || title.plan == Plan::E164 && self.0.gt.iter().any(is)
    }

    /// Whether S6c Send-Routing-Info-for-SM may name this host. Where it names none it is routed by realm, which our own agents
    /// do: who asks for the first time knows no host (TS 29.338 §5.3.2).
    pub fn is_named_by(&self, host: Option<&[u8]>) -> bool {
        let is = |host: &[u8]| self.0.hosts.iter().any(|one| is_within(host, one.as_bytes()));
        self.0.hosts.is_empty() || host.is_none_or(is)
    }
}
