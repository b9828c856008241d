//! The operator's door: a Unix socket that answers questions and takes commands, JSON in lines.
//!
//! ```text
//! {"v":1,"cmd":"show","what":"status"}         -> {"v":1,"ok":true,"what":"status","data":{...}}
//! {"v":1,"cmd":"show","what":"refused","frames":true,"filter":{"reasons":["R_SEC_MISSING"]}}
//! {"v":1,"cmd":"trace","count":10,"filter":{"peer":"other","direction":"in","operation":2}}
//!                                              -> a line {"v":1,"ok":true,"what":"verdict","data":{...}} for each, then
//!                                                 {"v":1,"ok":true,"what":"end","data":{"shown":10,"missed":0}}
//! {"v":1,"cmd":"repository","what":"look"}     or confirm, where something is held back
//! {"v":1,"cmd":"log-level","what":"debug"}     with what: sets it; without: says it
//! {"v":1,"cmd":"reload"}                       what changed; or, with nothing changed, a refusal and its "faults"
//! {"v":1,"cmd":"drain"}                        nothing more is received; answered when what was in hand has left
//! {"v":1,"cmd":"stop"}                         the same, and the process ends
//! anything else                                -> {"v":1,"ok":false,"error":"..."}, and the connection is closed
//! ```
//!
//! Root, the gateway's own user and members of one group may come in ([`who`]), whatever the mode of the file. Nothing that
//! is said here reaches a worker: it reads copies of counters and the tap's queues, and raises flags that control looks at.
//! A request has a size and a time, an answer a time, and there are only so many callers at once.

mod answer;
mod client;
mod door;
mod protocol;
mod trace;
pub mod who;

pub use client::{ask, request, send, stream, whole};
pub use door::{Admin, check};
pub use protocol::{Request, VERSION, Words};
