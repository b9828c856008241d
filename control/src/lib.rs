//! Files, sockets, time and threads around the packet path, and the command of Sealgate. Nothing here touches a frame.

pub mod admin;
pub mod alarms;
pub mod authority;
pub mod cli;
pub mod compose;
pub mod demo;
pub mod diff;
mod durable;
pub mod examples;
pub mod explain;
pub mod fate;
pub mod gather;
pub mod http;
pub mod logging;
pub mod material;
pub mod observe;
pub mod offline;
pub mod ports;
pub mod publish;
pub mod reload;
pub mod report;
pub mod secrecy;
pub mod supervise;
mod system;
pub mod tsca;
pub mod warm;
