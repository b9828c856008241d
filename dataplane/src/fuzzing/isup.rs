//! What must hold of ISUP messages that leave, found out without the pipeline.

use sealgate_wire::isup::{self, Iam, View};

use super::sigtran;

/// Whether a message of MTP level 3 is an IAM that carries a signature; `None`: it is no ISUP.
pub(super) fn is_signed(ppid: u32, user: &[u8]) -> Option<bool> {
    let (_, part) = sigtran::part(ppid, user).filter(|(si, _)| *si == 5)?;
    let view = View::new(part).ok().filter(|view| view.kind() == isup::IAM);
    Some(view.and_then(|view| Iam::parse(view).ok()).is_some_and(|iam| iam.app.is_some()))
}
