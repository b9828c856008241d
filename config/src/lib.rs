//! Configuration: YAML that is right becomes a type, YAML that is wrong becomes the list of all that is wrong.
//!
//! Two files: the appliance ([`Appliance`]: cores, ports, memory, trust; read at start) and the policy ([`Policy`]:
//! who may speak and how; reloadable).
#![forbid(unsafe_code)]

pub mod model;

pub use model::*;
