//! Components of a message (Q.773 §3.4): which, under which invoke id, which operation, with what parameter.

use crate::ber::{self, Rules, Span};
use crate::list::List;
use crate::reason::{Reason, Refusal};

/// The most components of a message that are read (formats 11.1).
pub const MAX_COMPONENTS: usize = 16;

/// The components of one message, in their order.
pub type Components<'a> = List<Component<'a>, MAX_COMPONENTS>;

const INTEGER: u8 = 0x02;
const NULL: u8 = 0x05;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const LINKED_ID: u8 = 0x80;

/// Component types; the value is the tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum ComponentKind {
    /// Asks for an operation.
    Invoke = 0xa1,
    /// The result, or its last part.
    ReturnResultLast = 0xa2,
    /// The operation failed.
    ReturnError = 0xa3,
    /// A component was not understood.
    Reject = 0xa4,
    /// A part of the result; more follow.
    ReturnResultNotLast = 0xa7,
}

impl ComponentKind {
    /// The kind with this tag.
    pub const fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0xa1 => ComponentKind::Invoke,
            0xa2 => ComponentKind::ReturnResultLast,
            0xa3 => ComponentKind::ReturnError,
            0xa4 => ComponentKind::Reject,
            0xa7 => ComponentKind::ReturnResultNotLast,
            _ => return None,
        })
    }
}

/// The operation code of an invoke or a result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Operation<'a> {
    /// The component has none: errors, rejects, results without a parameter.
    #[default]
    None,
    /// A local code: the only form that MAP and CAP use.
    Local(i32),
    /// The content of an OBJECT IDENTIFIER: a known way around filters.
    Global(&'a [u8]),
}

/// One component, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Component<'a> {
    /// Which component.
    pub kind: ComponentKind,
    /// The component from tag to last octet.
    pub raw: &'a [u8],
    /// Invoke id; `None` only in a reject that could not tell.
    pub invoke_id: Option<u8>,
    /// Linked id of an invoke that has one.
    pub linked_id: Option<u8>,
    /// Operation code.
    pub operation: Operation<'a>,
    /// Local error code of a return error; problem code of a reject.
    pub error: Option<i32>,
    /// The parameter: one element, or nothing.
    pub parameter: &'a [u8],
    /// Where the parameter begins, or would, counted from the message tag.
    pub parameter_offset: usize,
}

impl Component<'_> {
    pub(super) const BLANK: Self = Component {
        kind: ComponentKind::Invoke,
        raw: &[],
        invoke_id: None,
        linked_id: None,
        operation: Operation::None,
        error: None,
        parameter: &[],
        parameter_offset: 0,
    };

    /// The local operation code.
    pub fn local(&self) -> Option<i32> {
        match self.operation {
            Operation::Local(code) => Some(code),
            _ => None,
        }
    }
}

/// Reads all components of a portion and walks each to its leaves; returns whether every length is canonical.
///
/// The first fault in the contents is kept back until the whole portion was walked: encoding comes first.
pub(super) fn read_all<'a>(
    octets: &'a [u8],
    portion: &Span,
    rules: Rules,
    out: &mut Components<'a>,
) -> Result<bool, Refusal> {
    let mut canonical = true;
    let mut fault = Ok(());
    let mut at = portion.body;
    while at < portion.end {
        let span = ber::span(octets, at, portion.end, rules, 1)?;
        canonical &= span.canonical;
        let parts = Parts::walk(octets, &span, rules, 2, &mut canonical)?;
        if fault.is_ok() {
            fault = read(octets, &span, &parts, rules).and_then(|component| {
                out.push(component).then_some(()).ok_or(Reason::TcapComponentCount.at(span.start))
            });
        }
        at = span.next;
    }
    fault.map(|()| canonical)
}

/// The first elements inside a component; no component has more than four.
struct Parts {
    list: List<Span, 4>,
    /// Where the first element beyond the list begins.
    more: Option<usize>,
    end: usize,
}

impl Parts {
    /// Reads what is inside `span`, walking each element to its leaves.
    fn walk(octets: &[u8], span: &Span, rules: Rules, depth: u8, canonical: &mut bool) -> Result<Self, Refusal> {
        let mut parts = Self { list: List::default(), more: None, end: span.end };
        if !ber::is_constructed(span.tag) {
            return Ok(parts);
        }
        let mut at = span.body;
        while at < span.end {
            let part = ber::span(octets, at, span.end, rules, depth)?;
            *canonical &= part.canonical & ber::walk_inside(octets, &part, rules, depth + 1)?;
            if !parts.list.push(part) {
                parts.more.get_or_insert(at);
            }
            at = part.next;
        }
        Ok(parts)
    }

    /// Element number `i`, or a fault at the place where it should be.
    fn need(&self, i: usize) -> Result<&Span, Refusal> {
        let missing = || self.list.last().map_or(self.end, |last| last.next);
        self.list.get(i).ok_or_else(|| Reason::TcapComponent.at(missing()))
    }

    /// Refuses element number `i`: whoever reads on there reads another component than we do.
    fn ends_before(&self, i: usize) -> Result<(), Refusal> {
        match self.list.get(i).map(|span| span.start).or(self.more) {
            Some(at) => Err(Reason::TcapComponent.at(at)),
            None => Ok(()),
        }
    }
}

fn read<'a>(octets: &'a [u8], span: &Span, parts: &Parts, rules: Rules) -> Result<Component<'a>, Refusal> {
    let kind = ComponentKind::from_tag(span.tag).ok_or(Reason::TcapComponent.at(span.start))?;
    let mut component = Component { kind, raw: ber::slice(octets, span.start, span.next), ..Component::BLANK };
    component.parameter_offset = span.end;
    let id = parts.need(0)?;
    component.invoke_id = match (id.tag, id.value(octets)) {
        (INTEGER, &[octet]) => Some(octet),
        (NULL, []) if kind == ComponentKind::Reject => None,
        _ => return Err(Reason::TcapComponent.at(id.start)),
    };
    match kind {
        ComponentKind::Invoke => {
            let mut next = 1;
            if let linked = parts.need(1)?
                && linked.is(LINKED_ID)
            {
                let &[octet] = linked.value(octets) else { return Err(Reason::TcapComponent.at(linked.start)) };
                component.linked_id = Some(octet);
                next = 2;
            }
            component.operation = operation(octets, parts.need(next)?)?;
            set_parameter(&mut component, octets, parts, next + 1)?;
        }
        ComponentKind::ReturnResultLast | ComponentKind::ReturnResultNotLast => {
            parts.ends_before(2)?;
            if let Some(result) = parts.list.get(1) {
                if !result.is(SEQUENCE) {
                    return Err(Reason::TcapComponent.at(result.start));
                }
                let inside = heads(octets, result, rules)?;
                component.operation = operation(octets, inside.need(0)?)?;
                set_parameter(&mut component, octets, &inside, 1)?;
            }
        }
        ComponentKind::ReturnError => {
            component.error = match operation(octets, parts.need(1)?)? {
                Operation::Local(code) => Some(code),
                _ => None,
            };
            set_parameter(&mut component, octets, parts, 2)?;
        }
        ComponentKind::Reject => {
            let problem = parts.need(1)?;
            parts.ends_before(2)?;
            component.error = match (problem.tag, problem.value(octets)) {
                (0x80..=0x83, &[code]) => Some(i32::from(code)),
                _ => return Err(Reason::TcapComponent.at(problem.start)),
            };
        }
    }
    Ok(component)
}

/// The elements directly inside one that was walked before.
fn heads(octets: &[u8], span: &Span, rules: Rules) -> Result<Parts, Refusal> {
    let mut parts = Parts { list: List::default(), more: None, end: span.end };
    let mut at = span.body;
    while at < span.end {
        let part = ber::span(octets, at, span.end, rules, 3)?;
        if !parts.list.push(part) {
            parts.more.get_or_insert(at);
        }
        at = part.next;
    }
    Ok(parts)
}

fn set_parameter<'a>(component: &mut Component<'a>, octets: &'a [u8], parts: &Parts, i: usize) -> Result<(), Refusal> {
    component.parameter_offset = parts.end;
    if let Some(parameter) = parts.list.get(i) {
        component.parameter = ber::slice(octets, parameter.start, parameter.next);
        component.parameter_offset = parameter.start;
    }
    parts.ends_before(i + 1)
}

/// An operation or error code: INTEGER with the fewest octets, or OBJECT IDENTIFIER.
fn operation<'a>(octets: &'a [u8], span: &Span) -> Result<Operation<'a>, Refusal> {
    let value = span.value(octets);
    match span.tag {
        INTEGER => {
            let code = ber::integer(value).map_err(|refusal| refusal.reason.at(span.body))?;
            code.map(Operation::Local).ok_or(Reason::TcapComponent.at(span.start))
        }
        OBJECT_ID => Ok(Operation::Global(value)),
        _ => Err(Reason::TcapComponent.at(span.start)),
    }
}
