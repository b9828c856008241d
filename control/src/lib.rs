//! Files, sockets, time and threads around the packet path, and the command of Sealgate. Nothing here touches a frame.

pub mod admin;
pub mod authority;
pub mod cli;
pub mod gather;
pub mod ports;
pub mod report;
pub mod supervise;
