//! Detection of what only several messages show (formats 13.4): what a message means to detectors is noted with its claims, and
//! looked at and remembered with its verdict. So a message that is refused, for whatever reason, moves nobody.

mod carry;
mod claims;
mod judge;
mod memories;

pub(crate) use claims::{of_answer, of_diameter, of_result, of_tcap};
pub(super) use judge::{judge, remember};
pub use memories::Memories;

use std::num::NonZeroU64;

use crate::policy::geo::PlaceId;
use crate::state::subscribers::Domain;

/// A keyed hash.
pub type Hash = Option<NonZeroU64>;

/// What a message means to detectors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// What it does.
    pub what: What,
    /// Which registration it is about; `None`: any.
    pub domain: Option<Domain>,
    /// Where its sender's node is.
    pub place: PlaceId,
    /// One of our own subscribers.
    pub subscriber: Hash,
    /// Any subscriber, by IMSI or by number.
    pub asked: Hash,
    /// Its calling title or Origin-Host.
    pub source: Hash,
    /// Under which our register's answer comes.
    pub answer: Hash,
}

/// What a message does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// Nothing but come.
    Comes,
    /// It asks for a subscriber.
    Asks,
    /// It fetches authentication vectors.
    Fetches,
    /// It delivers a short message to a subscriber.
    Delivers,
    /// Something that only happens where the subscriber is.
    Acts,
    /// The subscriber is forgotten where it was.
    Purges,
    /// The subscriber is somewhere.
    Moves,
    /// Several subscribers are, as no node says it.
    MovesMany,
    /// Our register says that the subscriber is there.
    Accepted,
    /// Our register says that it is not.
    Refused,
    /// Our register says where a subscriber is.
    Told,
}
