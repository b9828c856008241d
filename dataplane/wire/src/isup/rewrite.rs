//! An initial address message again: without our parameter, with it, and as the local exchange shall see it.

use super::{CALLING_NUMBER, GENERIC_NUMBER, Iam, Optional, Parameter, TO_OPTIONAL, View};

/// The two bits of the screening indicator: all set, "network provided"; none, "user provided, not verified" (Q.763 §3.10,
/// §3.26).
const SCREENING: u8 = 3;

/// What the local exchange is told of the calling number (formats 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// It was verified: screening indicator "network provided".
    Passed,
    /// Nobody vouches for it: "user provided, not verified", whatever its sender says.
    Unverified,
    /// A signature that came with it could not be checked: address not available, and no generic number in its place.
    Failed,
}

/// Appends the message without the parameter that carries our signature; other application transports stay.
///
/// `false`, and nothing appended, for a message that cannot be written: one read by [`Iam::parse`] always can.
pub fn strip(iam: &Iam<'_>, out: &mut Vec<u8>) -> bool {
    write(
        iam,
        |parameter, out| {
            if !parameter.is_ours() {
                out.extend_from_slice(parameter.raw);
            }
        },
        &[],
        out,
    )
}

/// Appends the message with one more parameter as the last; an optional part is made where there is none.
///
/// `false`, and nothing appended, if its pointer cannot lead there.
/// * `parameter`: code, length and content
pub fn append(iam: &Iam<'_>, parameter: &[u8], out: &mut Vec<u8>) -> bool {
    write(iam, |parameter, out| out.extend_from_slice(parameter.raw), parameter, out)
}

/// Appends the message with its calling number marked.
///
/// A signature covers no generic number, and an exchange may show one instead of the calling number: what its sender says of it
/// is taken back even where the calling number was verified.
///
/// `false`, and nothing appended, if it is no IAM that can be read.
/// * `message`: from the circuit on
pub fn mark(message: &[u8], verdict: Mark, out: &mut Vec<u8>) -> bool {
    let Some(iam) = View::new(message).and_then(Iam::parse).ok() else { return false };
    write(
        &iam,
        |parameter, out| match (parameter.code, verdict, parameter.content) {
            (CALLING_NUMBER, Mark::Passed | Mark::Unverified, [nature, plan, signals @ ..]) => {
                let screened = if verdict == Mark::Passed { plan | SCREENING } else { plan & !SCREENING };
                out.extend_from_slice(&[CALLING_NUMBER, parameter.content.len() as u8, *nature, screened]);
                out.extend_from_slice(signals);
            }
            (GENERIC_NUMBER, Mark::Passed | Mark::Unverified, [qualifier, nature, plan, signals @ ..]) => {
                let len = parameter.content.len() as u8;
                out.extend_from_slice(&[GENERIC_NUMBER, len, *qualifier, *nature, plan & !SCREENING]);
                out.extend_from_slice(signals);
            }
            // No signals: nature and plan are coded zero then (Q.763 §3.10), and the network says so itself.
            (CALLING_NUMBER, Mark::Failed, _) => out.extend_from_slice(&[CALLING_NUMBER, 2, 0, 2 << 2 | SCREENING]),
            (GENERIC_NUMBER, Mark::Failed, _) => {}
            _ => out.extend_from_slice(parameter.raw),
        },
        &[],
        out,
    )
}

/// Writes front, optional parameters as `each` wants them, and one more.
fn write(iam: &Iam<'_>, mut each: impl FnMut(&Parameter<'_>, &mut Vec<u8>), more: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.extend_from_slice(iam.front);
    let optional = out.len();
    let mut walk = Optional::again(iam.optional);
    while !walk.octets.is_empty() {
        let Ok(Some(parameter)) = walk.next() else {
            out.truncate(start);
            return false;
        };
        each(&parameter, out);
    }
    out.extend_from_slice(more);
    let pointer = if out.len() == optional {
        Some(0)
    } else {
        out.push(0);
        u8::try_from(iam.front.len() - TO_OPTIONAL).ok()
    };
    match (pointer, out.get_mut(start + TO_OPTIONAL)) {
        (Some(pointer), Some(place)) => {
            *place = pointer;
            true
        }
        _ => {
            out.truncate(start);
            false
        }
    }
}
