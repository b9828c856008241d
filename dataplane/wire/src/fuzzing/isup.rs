//! ISUP: the codec, and the profile over it.

use crate::isup::{Iam, Mark, View, append, mark, strip};
use crate::sec::isup1;

/// An initial address message: what is stripped has no parameter of ours and nothing else is lost; what is appended reads.
pub fn isup(octets: &[u8]) {
    let Ok(iam) = View::new(octets).and_then(Iam::parse) else { return };
    let mut plain = Vec::new();
    assert!(strip(&iam, &mut plain));
    let read = View::new(&plain).and_then(Iam::parse).unwrap_or_else(|refusal| panic!("{refusal:?} when stripped"));
    assert_eq!((read.app, read.called, read.calling, read.cpc), (None, iam.called, iam.calling, iam.cpc));
    let number = |number: &crate::isup::Number<'_>| number.digits().map(|digits| digits.len());
    assert!(number(&iam.called).is_none_or(|len| (1..=15).contains(&len)));
    if let Some(Ok(found)) = iam.app.as_ref().map(isup1::parse) {
        // The parameter as the last one again: the same message but for its order.
        let (mut parameter, mut whole) = (Vec::new(), Vec::new());
        assert!(isup1::emit_parameter(found.covered, found.signature, &mut parameter));
        assert!(append(&read, &parameter, &mut whole));
        let again = View::new(&whole).and_then(Iam::parse).unwrap_or_else(|refusal| panic!("{refusal:?} when signed"));
        assert_eq!(again.app.map(|app| app.content), iam.app.map(|app| app.content));
    }
    for verdict in [Mark::Passed, Mark::Unverified, Mark::Failed] {
        let mut marked = Vec::new();
        assert!(mark(&plain, verdict, &mut marked));
        assert!(View::new(&marked).and_then(Iam::parse).is_ok());
    }
}
