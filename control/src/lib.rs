//! Files, sockets, time and threads around the packet path, and the command of Sealgate. Nothing here touches a frame.

pub mod admin;
pub mod alarms;
pub mod authority;
pub mod cli;
pub mod demo;
mod durable;
pub mod enrol;
pub mod explain;
pub mod fate;
pub mod gather;
pub mod http;
pub mod material;
pub mod offline;
pub mod ports;
pub mod report;
pub mod secrecy;
pub mod supervise;
pub mod tsca;
pub mod warm;
