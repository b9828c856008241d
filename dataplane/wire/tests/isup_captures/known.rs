//! Every place where we read something else than tshark 4.0.17, with the reason.

use super::ledger::{Known, known};

const ST: &str = "tshark shows the ST signal that ends the called number as a digit F (Q.763 §3.9)";

pub const KNOWN: &[Known] = &[known("syn_isup_messages", (41, 41), "isup.called", 1, ST)];
