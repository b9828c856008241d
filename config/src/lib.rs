//! Configuration: YAML that is right becomes a type, YAML that is wrong becomes the list of all that is wrong.
//!
//! Two files: the appliance ([`Appliance`]: cores, ports, memory, trust; read at start) and the policy ([`Policy`]:
//! who may speak and how; reloadable). [`load`] reads both.
#![forbid(unsafe_code)]

mod appliance;
pub mod cores;
mod effective;
mod enrolment;
mod fault;
mod geo;
mod load;
pub mod model;
mod names;
mod policy;
mod raw;
mod repository;
pub mod tables;
mod units;
mod walk;
mod words;

pub use fault::{Fault, Faults};
pub use load::{
    load, load_appliance, load_appliance_on, load_geo, load_policy, load_policy_for, parse_appliance, parse_geo,
    parse_policy, parse_policy_for,
};
pub use model::*;
