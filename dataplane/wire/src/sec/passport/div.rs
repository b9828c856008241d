//! Diverted calls: PASSporTs that lead from the number called first to the one called now (RFC 8946).

use super::Passport;
use crate::Reason;
use crate::addr::Digits;

/// The most diversions of a call.
pub const MAX_DIVS: usize = 8;

/// Follows a call from `called` back to the number that `base` was signed for.
///
/// Each PASSporT of `divs` says: a call of `orig` to `div` goes to `dest` now. One of them leads to `called`, another to the
/// number that one was diverted from, and so on, in whatever order their headers came; `base` leads to the last one. Each
/// is used once and none is left over: what links to nothing is of another call.
/// # Errors
/// [`Reason::StirOrig`] if `base` is not of `calling`; [`Reason::StirDest`] if there is no diversion and `base` not for
/// `called`; [`Reason::StirDiv`] for a chain that breaks, is of another caller, or longer than [`MAX_DIVS`].
/// # Source
/// RFC 8946 §4.2 and §5; formats 8.
pub fn div_chain(base: &Passport<'_>, divs: &[Passport<'_>], calling: &Digits, called: &Digits) -> Result<(), Reason> {
    if divs.is_empty() {
        return base.names(calling, called);
    }
    if !base.claims.orig.is_tn(calling) {
        return Err(Reason::StirOrig);
    }
    if divs.len() > MAX_DIVS || divs.iter().any(|div| div.claims.orig != base.claims.orig) {
        return Err(Reason::StirDiv);
    }
    let mut used = [false; MAX_DIVS];
    // What the call was diverted from so far; at first, nothing.
    let mut before: Option<super::Text<'_>> = None;
    for _ in 0..divs.len() {
        let leads = |div: &Passport<'_>| match before {
            None => div.claims.dest.has_tn(called),
            Some(number) => div.claims.dest.tns().any(|dest| dest == number),
        };
        let next = divs.iter().zip(&mut used).find(|(div, used)| !**used && leads(div));
        let Some((div, used)) = next else { return Err(Reason::StirDiv) };
        let Some(super::Party::Tn(number)) = div.claims.div else { return Err(Reason::StirDiv) };
        *used = true;
        before = Some(number);
    }
    let first = before.is_some_and(|number| base.claims.dest.tns().any(|dest| dest == number));
    if first { Ok(()) } else { Err(Reason::StirDiv) }
}
