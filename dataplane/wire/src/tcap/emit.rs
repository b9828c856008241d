//! Writing messages: rebuilt ones for the pipeline, new ones for tests, demonstrations and load.

use super::dialogue::{AARE, AARQ, ABSTRACT, CONTEXT_NAME, EXTERNAL, OBJECT_ID};
use super::{ABORT_CAUSE, COMPONENTS, ComponentKind, DIALOGUE, DTID, Message, MessageKind, OTID, Tid};
use crate::ber;

/// Appends the same message without component number `skip` and with the component `append` as its last.
///
/// * `append`: one whole component, tag included; an ABORT carries none, so there it is left out
/// * `canonical`: write every constructed element anew, definite and minimal (formats 11.1); otherwise only the message and
///   its component portion get new lengths, and everything inside goes out octet for octet as it came in
///
/// A component portion that becomes empty is left out, one that is missing is made. Allocates only where `out` must grow.
/// `append` goes out as it is in either case: it is ours, and canonical.
pub fn rebuild(message: &Message<'_>, skip: Option<usize>, append: Option<&[u8]>, canonical: bool, out: &mut Vec<u8>) {
    let rules = message.rules();
    let append = append.filter(|_| message.kind.has_components());
    let kept = || message.components.iter().enumerate().filter(|(i, _)| Some(*i) != skip).map(|(_, c)| c.raw);
    ber::put_with(message.kind as u8, out, |out| {
        for element in &message.elements {
            put(element, canonical, rules, 0, out);
        }
        if kept().chain(append).next().is_some() {
            ber::put_with(COMPONENTS, out, |out| {
                kept().for_each(|component| put(component, canonical, rules, 1, out));
                out.extend_from_slice(append.unwrap_or(&[]));
            });
        }
    });
}

fn put(raw: &[u8], canonical: bool, rules: ber::Rules, depth: u8, out: &mut Vec<u8>) {
    let start = out.len();
    // What `parse` walked re-encodes; octets that it did not walk go out as they are rather than in part.
    if !canonical || ber::put_canonical(raw, rules, depth, out).is_err() {
        out.truncate(start);
        out.extend_from_slice(raw);
    }
}

/// Object identifier of the structured dialogue (Q.773 §4.2.3), 0.0.17.773.1.1.1.
const DIALOGUE_AS: [u8; 7] = [0x00, 0x11, 0x86, 0x05, 0x01, 0x01, 0x01];
/// Object identifier of the unstructured dialogue, 0.0.17.773.1.2.1.
const UNI_DIALOGUE_AS: [u8; 7] = [0x00, 0x11, 0x86, 0x05, 0x01, 0x02, 0x01];

/// Appends a dialogue portion with protocol version 1 and this application context (content of its OBJECT IDENTIFIER).
///
/// `response`: an AARE that accepts, else an AARQ.
pub fn emit_dialogue(context: &[u8], response: bool, out: &mut Vec<u8>) {
    dialogue(&DIALOGUE_AS, context, response, out);
}

fn dialogue(syntax: &[u8], context: &[u8], response: bool, out: &mut Vec<u8>) {
    ber::put_with(DIALOGUE, out, |out| {
        ber::put_with(EXTERNAL, out, |out| {
            ber::put_tlv(OBJECT_ID, syntax, out);
            ber::put_with(ABSTRACT, out, |out| {
                ber::put_with(if response { AARE } else { AARQ }, out, |out| {
                    out.extend_from_slice(&[0x80, 0x02, 0x07, 0x80]);
                    ber::put_with(CONTEXT_NAME, out, |out| ber::put_tlv(OBJECT_ID, context, out));
                    if response {
                        // result accepted (0), diagnostic of the dialogue service user null (0)
                        out.extend_from_slice(&[0xa2, 3, 2, 1, 0, 0xa3, 5, 0xa1, 3, 2, 1, 0]);
                    }
                });
            });
        });
    });
}

fn message(
    kind: MessageKind,
    otid: Option<Tid>,
    dtid: Option<Tid>,
    context: Option<&[u8]>,
    components: &[u8],
    out: &mut Vec<u8>,
) {
    ber::put_with(kind as u8, out, |out| {
        for (tag, id) in [(OTID, otid), (DTID, dtid)] {
            if let Some(id) = id {
                ber::put_tlv(tag, id.as_octets(), out);
            }
        }
        if let Some(context) = context {
            let syntax = if kind == MessageKind::Unidirectional { &UNI_DIALOGUE_AS } else { &DIALOGUE_AS };
            dialogue(syntax, context, matches!(kind, MessageKind::Continue | MessageKind::End), out);
        }
        if !components.is_empty() {
            ber::put_tlv(COMPONENTS, components, out);
        }
    });
}

/// Appends a BEGIN; `components`: whole components, one after the other.
pub fn emit_begin(otid: Tid, context: Option<&[u8]>, components: &[u8], out: &mut Vec<u8>) {
    message(MessageKind::Begin, Some(otid), None, context, components, out);
}

/// Appends a CONTINUE; with `context`, an accepting dialogue response.
pub fn emit_continue(otid: Tid, dtid: Tid, context: Option<&[u8]>, components: &[u8], out: &mut Vec<u8>) {
    message(MessageKind::Continue, Some(otid), Some(dtid), context, components, out);
}

/// Appends an END; with `context`, an accepting dialogue response.
pub fn emit_end(dtid: Tid, context: Option<&[u8]>, components: &[u8], out: &mut Vec<u8>) {
    message(MessageKind::End, None, Some(dtid), context, components, out);
}

/// Appends a UNIDIRECTIONAL.
pub fn emit_unidirectional(context: Option<&[u8]>, components: &[u8], out: &mut Vec<u8>) {
    message(MessageKind::Unidirectional, None, None, context, components, out);
}

/// Appends an ABORT by the transaction sub-layer (P-Abort) with this cause (Q.773 §3.1.2).
pub fn emit_abort(dtid: Tid, cause: u8, out: &mut Vec<u8>) {
    ber::put_with(MessageKind::Abort as u8, out, |out| {
        ber::put_tlv(DTID, dtid.as_octets(), out);
        ber::put_tlv(ABORT_CAUSE, &[cause], out);
    });
}

/// Appends an invoke; `parameter` is one whole element or empty.
pub fn emit_invoke(id: u8, operation: i32, parameter: &[u8], out: &mut Vec<u8>) {
    ber::put_with(ComponentKind::Invoke as u8, out, |out| {
        ber::put_tlv(0x02, &[id], out);
        ber::put_integer(operation, out);
        out.extend_from_slice(parameter);
    });
}

/// Appends a last result; with an empty `parameter` it has no operation code either, as TC-users send it.
pub fn emit_result_last(id: u8, operation: i32, parameter: &[u8], out: &mut Vec<u8>) {
    ber::put_with(ComponentKind::ReturnResultLast as u8, out, |out| {
        ber::put_tlv(0x02, &[id], out);
        if !parameter.is_empty() {
            ber::put_with(0x30, out, |out| {
                ber::put_integer(operation, out);
                out.extend_from_slice(parameter);
            });
        }
    });
}

/// Appends a return error with a local error code.
pub fn emit_error(id: u8, error: i32, parameter: &[u8], out: &mut Vec<u8>) {
    ber::put_with(ComponentKind::ReturnError as u8, out, |out| {
        ber::put_tlv(0x02, &[id], out);
        ber::put_integer(error, out);
        out.extend_from_slice(parameter);
    });
}
