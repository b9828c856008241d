//! What a configuration says once it has passed every check. Plain data: each consumer compiles its own tables from it.

mod appliance;
mod detection;
mod enrolment;
mod example;
mod link;
mod network;
mod policy;
mod repository;
mod rules;
pub mod tables;
mod token;

pub use appliance::*;
pub use detection::*;
pub use enrolment::*;
pub use example::*;
pub use link::*;
pub use network::*;
pub use policy::*;
pub use repository::*;
pub use rules::*;
pub use tables::{Category, TableFiles, Tables};
pub use token::*;
