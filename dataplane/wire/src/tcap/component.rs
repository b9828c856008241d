//! Components of a message (Q.773 §3.4): which, under which invoke id, which operation, with what parameter.

use crate::ber::{self, Elements, Rules, Tlv};
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

/// The operation code of an invoke or a result; of an error, its code where that is a global one.
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

/// Reads the components of a portion and walks each to its leaves, up to the first fault of any kind.
///
/// True if every length in it is definite and minimal.
#[inline(always)]
pub(super) fn read_all<'a>(portion: &Tlv<'a>, rules: Rules, out: &mut Components<'a>) -> Result<bool, Refusal> {
    let mut reader = Reader { rules, canonical: true };
    let mut components = portion.elements(rules, 1);
    while let Some(element) = reader.take(&mut components)? {
        let component = reader.component(&element)?;
        if !out.push(component) {
            return Err(Reason::TcapComponentCount.at(element.at));
        }
    }
    Ok(reader.canonical)
}

/// How components are read, and how their lengths were encoded so far.
struct Reader {
    rules: Rules,
    canonical: bool,
}

impl Reader {
    /// The next element, if there is one more.
    #[inline(always)]
    fn take<'a>(&mut self, elements: &mut Elements<'a>) -> Result<Option<Tlv<'a>>, Refusal> {
        let element = elements.pull()?;
        self.canonical &= element.is_none_or(|element| element.canonical);
        Ok(element)
    }

    /// The next element, or a fault at the place where it should be.
    #[inline(always)]
    fn need<'a>(&mut self, elements: &mut Elements<'a>) -> Result<Tlv<'a>, Refusal> {
        let missing = Reason::TcapComponent.at(elements.offset());
        self.take(elements)?.ok_or(missing)
    }

    /// One component. What comes before its parameter is primitive, or a fault: the parameter alone is walked.
    #[inline(always)]
    fn component<'a>(&mut self, element: &Tlv<'a>) -> Result<Component<'a>, Refusal> {
        let kind = ComponentKind::from_tag(element.tag).ok_or(Reason::TcapComponent.at(element.at))?;
        let mut component = Component { kind, raw: element.raw, parameter_offset: element.end(), ..Component::BLANK };
        let mut parts = element.elements(self.rules, 2);
        let id = self.need(&mut parts)?;
        component.invoke_id = match (id.tag, id.value) {
            (INTEGER, &[octet]) => Some(octet),
            (NULL, []) if kind == ComponentKind::Reject => None,
            _ => return Err(Reason::TcapComponent.at(id.at)),
        };
        match kind {
            ComponentKind::Invoke => {
                let mut next = self.need(&mut parts)?;
                if next.is(LINKED_ID) {
                    let &[octet] = next.value else { return Err(Reason::TcapComponent.at(next.at)) };
                    component.linked_id = Some(octet);
                    next = self.need(&mut parts)?;
                }
                component.operation = operation(&next)?;
                self.parameter(&mut component, &mut parts, 3)?;
            }
            ComponentKind::ReturnResultLast | ComponentKind::ReturnResultNotLast => {
                if let Some(result) = self.take(&mut parts)? {
                    end(&parts)?;
                    if !result.is(SEQUENCE) {
                        return Err(Reason::TcapComponent.at(result.at));
                    }
                    let mut inside = result.elements(self.rules, 3);
                    component.operation = operation(&self.need(&mut inside)?)?;
                    self.parameter(&mut component, &mut inside, 4)?;
                }
            }
            ComponentKind::ReturnError => {
                match operation(&self.need(&mut parts)?)? {
                    Operation::Local(code) => component.error = Some(code),
                    global => component.operation = global,
                }
                self.parameter(&mut component, &mut parts, 3)?;
            }
            ComponentKind::Reject => {
                let problem = self.need(&mut parts)?;
                end(&parts)?;
                component.error = match (problem.tag, problem.value) {
                    (0x80..=0x83, &[code]) => Some(i32::from(code)),
                    _ => return Err(Reason::TcapComponent.at(problem.at)),
                };
            }
        }
        Ok(component)
    }

    /// The last element, if there is one; `depth` is the level of what is inside.
    #[inline(always)]
    fn parameter<'a>(
        &mut self,
        component: &mut Component<'a>,
        elements: &mut Elements<'a>,
        depth: u8,
    ) -> Result<(), Refusal> {
        component.parameter_offset = elements.offset();
        if let Some(parameter) = self.take(elements)? {
            self.canonical &= ber::walk_inside(&parameter, self.rules, depth)?;
            component.parameter = parameter.raw;
        }
        end(elements)
    }
}

/// Refuses one more element: whoever reads on there reads another component than we do.
#[inline(always)]
fn end(elements: &Elements<'_>) -> Result<(), Refusal> {
    if elements.is_empty() { Ok(()) } else { Err(Reason::TcapComponent.at(elements.offset())) }
}

/// An operation or error code: INTEGER with the fewest octets, or OBJECT IDENTIFIER.
#[inline(always)]
fn operation<'a>(element: &Tlv<'a>) -> Result<Operation<'a>, Refusal> {
    let value = element.value;
    match (element.tag, value) {
        (INTEGER, &[code @ 0..0x80]) => Ok(Operation::Local(i32::from(code))),
        (INTEGER, _) => {
            let code = ber::integer(value).map_err(|refusal| refusal.reason.at(element.body))?;
            code.map(Operation::Local).ok_or(Reason::TcapComponent.at(element.at))
        }
        (OBJECT_ID, _) => Ok(Operation::Global(value)),
        _ => Err(Reason::TcapComponent.at(element.at)),
    }
}
