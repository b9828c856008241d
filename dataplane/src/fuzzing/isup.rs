//! What must hold of ISUP messages that leave, found out without the pipeline.

use sealgate_wire::isup::{self, Iam, View};
use sealgate_wire::m3ua;

/// Whether an M3UA message is an IAM that carries a signature; `None`: it is no ISUP.
pub(super) fn is_signed(user: &[u8]) -> Option<bool> {
    let data = m3ua::Data::parse(m3ua::View::new(user).ok()?).ok().filter(|data| data.si == 5)?;
    let view = View::new(data.user).ok().filter(|view| view.kind() == isup::IAM);
    Some(view.and_then(|view| Iam::parse(view).ok()).is_some_and(|iam| iam.app.is_some()))
}
