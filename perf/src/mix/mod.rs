//! Traffic of many operators, made as fast as a gateway takes it.
//!
//! A [`Profile`] says what the traffic is made of. A [`World`] has what the gateway must know for it: a policy, certificates,
//! keys. A [`Source`] makes the frames, each with the fate it must meet; a [`Reader`] tells that fate from what left the
//! gateway.
//!
//! A source can play a capture instead of a mix, see [`Source::from_capture`].
//!
//! Frames are not built one by one: of each kind of message there is a template, and the octets that differ from one
//! message to the next are written over it. Where they lie is not known by hand: the template is built twice with one
//! value changed, and the octets that differ are those of that value.

mod asked;
mod authority;
mod capture;
mod dice;
mod fault;
mod iam;
mod invite;
mod lane;
mod made;
mod message;
mod nonces;
mod operation;
mod past;
mod policy;
mod profile;
mod reader;
mod s6a;
mod shape;
mod source;
mod stock;
mod template;
mod values;
mod world;

pub use capture::Taken;
pub use fault::Fault;
pub use made::Made;
pub use nonces::TestKey;
pub use operation::{Operation, Protocol};
pub use profile::{Judgement, Mode, Operations, Profile};
pub use reader::{Fate, Reader};
pub use shape::Shape;
pub use source::{Sent, Source};
pub use world::{Appliance, TABLES, World};

/// The port by which a frame enters the gateway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Side {
    /// From other operators: verified.
    Interconnect = 0,
    /// From our own network: signed where the policy wants it.
    Home = 1,
}

impl Side {
    /// The other port: where what entered here leaves.
    pub const fn other(self) -> Self {
        match self {
            Side::Interconnect => Side::Home,
            Side::Home => Side::Interconnect,
        }
    }
}
