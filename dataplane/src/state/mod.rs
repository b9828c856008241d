//! Bounded memories: what the packet path remembers from one frame to the next.
//!
//! Each has a limit, a rule for what goes first when it is full, counters, and a test that fills it. Time is always an
//! argument, milliseconds since 1970. Shared by all workers, without locks on the way of a message: [`replay`],
//! [`digest`], [`dialogues`], [`tunnels`], [`rate`], [`buckets`], [`credits`], [`misses`], [`prints`], [`subscribers`],
//! [`pending`], [`steps`], [`sources`]. Owned by one worker, because an
//! association is: [`retransmit`], [`segments`], [`fragments`], [`ip_fragments`], [`tags`], [`stream`], [`requests`].

pub mod buckets;
pub mod carry;
pub mod credits;
pub mod dialogues;
pub mod digest;
pub mod fingerprint;
pub mod fragments;
pub mod ip_fragments;
pub mod keyed;
pub mod misses;
pub mod pending;
pub mod prints;
pub mod rate;
pub mod replay;
pub mod requests;
pub mod retransmit;
pub mod segments;
pub mod sources;
pub mod steps;
pub mod stream;
pub mod subscribers;
pub mod tags;
pub mod tunnels;

mod blocks;
mod count;
mod counterparts;
mod sync;
mod words;

pub use tags::Direction;
