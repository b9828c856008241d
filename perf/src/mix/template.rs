//! A message that was made once, and the places where the next one differs.

use super::iam;
use super::invite::{self, Request};
use super::lane::Label;
use super::message::{Kind, Octets, PEERS, SI, Style, compose};
use super::operation::Protocol;
use super::s6a;
use super::values::{Field, Values, hex, packed, text, unix_text, unpacked, visited};

/// Where values lie in a run of octets.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Each with its first octet and its length.
    fields: Vec<(Field, usize, usize)>,
}

impl Places {
    /// Compares two runs that differ in one value and takes every run of `len` octets that differ, if the value stands there
    /// as this field writes it.
    ///
    /// Identifiers of a Diameter message stand behind each other: of those two in one run are taken as two.
    /// * `base`: the values of `one`
    fn learn(&mut self, field: Field, len: usize, base: &Values, one: &[u8], two: &[u8]) {
        let mut at = 0;
        while at < one.len() {
            let run = one.iter().zip(two).skip(at).take_while(|(a, b)| a != b).count();
            let places = if field == Field::Transaction && run == 2 * len { vec![at, at + len] } else { vec![at] };
            let is_written = |at: usize| {
                let mut written = vec![0; len];
                put(field, base, &mut written);
                one.get(at..at + len) == Some(written.as_slice())
            };
            if run == len * places.len() && run > 0 && places.iter().all(|at| is_written(*at)) {
                self.fields.extend(places.into_iter().map(|at| (field, at, len)));
            }
            at += run.max(1);
        }
    }

    #[inline]
    pub(super) fn write(&self, values: &Values, to: &mut [u8]) {
        for &(field, at, len) in &self.fields {
            if let Some(to) = to.get_mut(at..at + len) {
                put(field, values, to);
            }
        }
    }
}

/// Writes one value.
#[inline]
fn put(field: Field, values: &Values, to: &mut [u8]) {
    match field {
        Field::Number => tail(&packed(values.number), to),
        Field::NumberText => tail(&text(values.number), to),
        Field::Subscriber | Field::Telephone => tail(&packed(values.subscriber), to),
        Field::SubscriberText | Field::TelephoneText => tail(&text(values.subscriber), to),
        Field::Plmn => tail(&values.plmn, to),
        Field::PlmnText => tail(&unpacked(values.plmn), to),
        Field::Visited => tail(&visited(values.plmn), to),
        Field::Transaction => tail(&values.transaction, to),
        Field::TransactionText => tail(&hex(values.transaction), to),
        Field::Sai => tail(&values.sai, to),
        Field::SaiFront => to.copy_from_slice(values.sai.first_chunk::<4>().unwrap_or(&[0; 4])),
        Field::Tvp => tail(&values.tvp, to),
        Field::Seconds => tail(&values.seconds, to),
        Field::SecondsText => tail(&unix_text(values.seconds), to),
        Field::Seq => tail(&values.seq, to),
        Field::Signature => tail(&values.signature, to),
    }
}

/// Writes the last octets of `from`, as many as there is room for.
#[inline]
fn tail(from: &[u8], to: &mut [u8]) {
    if let Some(from) = from.get(from.len().wrapping_sub(to.len())..) {
        to.copy_from_slice(from);
    }
}

/// Octets of a routing context in a DATA message that begins with it (RFC 4666 §3.3.1), and of its label.
const ROUTING_CONTEXT: usize = 12;
const LABEL: usize = 20;

/// One kind of message.
#[derive(Clone, Debug)]
pub(super) struct Template {
    user: Vec<u8>,
    tbs: Vec<u8>,
    in_user: Places,
    in_tbs: Places,
    /// In M3UA, which the association labels: the service indicator there.
    si: Option<u8>,
    /// In SIP, which is text.
    request: Option<Request>,
}

impl Template {
    /// A kind of message of the mix.
    ///
    /// * `Err`: the layer into which it does not fit
    pub(super) fn new(kind: Kind, style: Style) -> Result<Self, &'static str> {
        let number_len = style.title_len - PEERS.len();
        match kind.operation.protocol() {
            Protocol::Tcap => Self::learn(number_len, 4, |values| compose(kind, style, values)),
            Protocol::Diameter => {
                let template = Self::learn(number_len, 4, |values| s6a::compose(kind, number_len, values))?;
                Ok(Self { si: None, ..template })
            }
            Protocol::Isup => {
                let template = Self::learn(number_len, 4, |values| iam::compose(kind, number_len, values))?;
                Ok(Self { si: Some(iam::SI), ..template })
            }
            Protocol::Sip => {
                let make = |values: &Values| invite::compose(kind, number_len, values, 0);
                let template = Self::learn(number_len, 4, make)?;
                let [base, _] = Values::probes(Field::Number);
                let request = Request::learn(&make(&base)?, |json| {
                    Ok(Self::learn(number_len, 4, |values| make(values).and_then(json))?.in_user)
                })?;
                Ok(Self { si: None, request: Some(request), ..template })
            }
        }
    }

    /// Makes a message by the book, once more for each value, and looks where the octets differ.
    ///
    /// * `number_len`: digits of a peer's number; `transaction_len`: octets of the transaction identifier
    /// * `Err`: what `make` says; or the length of the message depends on a value
    pub(super) fn learn(
        number_len: usize,
        transaction_len: usize,
        make: impl Fn(&Values) -> Result<Octets, &'static str>,
    ) -> Result<Self, &'static str> {
        let (mut in_user, mut in_tbs) = (Places::default(), Places::default());
        let [base, _] = Values::probes(Field::Number);
        let first = make(&base)?;
        for field in Field::ALL {
            let [_, changed] = Values::probes(field);
            let second = make(&changed)?;
            if second.user.len() != first.user.len() {
                return Err("a template: its length varies");
            }
            let len = match field {
                Field::Number => number_len / 2,
                Field::NumberText => number_len,
                Field::Transaction => transaction_len,
                Field::Subscriber | Field::SaiFront | Field::Tvp | Field::Seconds => 4,
                Field::Telephone | Field::Plmn | Field::Visited => 3,
                Field::PlmnText | Field::TelephoneText => 6,
                Field::SubscriberText | Field::TransactionText | Field::Sai | Field::Seq => 8,
                Field::SecondsText => 10,
                Field::Signature => 64,
            };
            in_user.learn(field, len, &base, &first.user, &second.user);
            in_tbs.learn(field, len, &base, &first.tbs, &second.tbs);
        }
        Ok(Self { user: first.user, tbs: first.tbs, in_user, in_tbs, si: Some(SI), request: None })
    }

    /// Whether its messages are signed.
    pub(super) fn is_signed(&self) -> bool {
        !self.tbs.is_empty()
    }

    /// Octets of a message.
    pub(super) fn len(&self) -> usize {
        self.user.len()
    }

    /// Appends the message with these values, as an association labels it.
    #[inline]
    pub(super) fn append(&self, values: &Values, label: &Label, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.user);
        let Some(user) = out.get_mut(start..) else { return };
        self.in_user.write(values, user);
        if let Some(request) = &self.request {
            request.write(values, label, user);
        }
        let Some(si) = self.si else { return };
        if let Some(to) = user.get_mut(ROUTING_CONTEXT..ROUTING_CONTEXT + 4) {
            to.copy_from_slice(&label.routing_context);
        }
        if let Some(to) = user.get_mut(LABEL..LABEL + 12) {
            to.copy_from_slice(&label.octets);
        }
        if let Some(place) = user.get_mut(LABEL + 8) {
            *place = si;
        }
    }

    /// Makes `out` what a signature over the message with these values covers.
    #[inline]
    pub(super) fn covered(&self, values: &Values, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.tbs);
        self.in_tbs.write(values, out);
        if let Some(request) = &self.request {
            request.covered(values, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Side;
    use super::super::message::Form;
    use super::super::operation::Operation;
    use super::*;
    use sealgate_wire::m3ua;

    const VALUES: Values = Values {
        number: 12_345_678,
        subscriber: 87_654_321,
        plmn: [0x99, 0x19, 0x32],
        transaction: [1, 2, 3, 4],
        sai: [9, 8, 7, 6, 5, 4, 3, 2],
        tvp: [1, 0, 2, 0],
        seconds: [5, 4, 3, 1],
        seq: [0, 1, 2, 3, 4, 5, 6, 7],
        signature: [0xc3; 64],
    };

    const LABEL: Label = Label { routing_context: [0; 4], octets: [0; 12], datagram: 0x05ea_19a7 };

    #[test]
    fn a_patched_template_is_the_message_made_by_the_book() -> Result<(), &'static str> {
        for operation in Operation::ALL {
            for (side, form) in [
                (Side::Interconnect, Form::Plain),
                (Side::Interconnect, Form::Signed),
                (Side::Interconnect, Form::Spoofed),
                (Side::Home, Form::Plain),
            ] {
                for (extended, answer, title_len, sms_octets) in
                    [(false, false, 12, 40), (true, false, 14, 140), (true, true, 12, 1), (false, true, 14, 1)]
                {
                    let kind = Kind { operation, side, answer, form, extended };
                    let style = Style { title_len, sms_octets };
                    let template = Template::new(kind, style)?;
                    let (mut user, mut tbs) = (vec![7], vec![7]);
                    template.append(&VALUES, &LABEL, &mut user);
                    template.covered(&VALUES, &mut tbs);
                    if operation.protocol() == Protocol::Diameter {
                        let want = s6a::compose(kind, title_len - PEERS.len(), &VALUES)?;
                        assert_eq!((&user[1..], &tbs), (want.user.as_slice(), &want.tbs), "{kind:?}");
                        continue;
                    }
                    if operation.protocol() == Protocol::Sip {
                        let want = invite::compose(kind, title_len - PEERS.len(), &VALUES, LABEL.datagram)?;
                        let shown = String::from_utf8_lossy(&user);
                        assert!((&user[1..], &tbs) == (want.user.as_slice(), &want.tbs), "{kind:?}: {shown}");
                        assert_eq!(invite::datagram_of(&user[1..]), Some(LABEL.datagram), "{kind:?}");
                        continue;
                    }
                    let want = match operation.protocol() {
                        Protocol::Isup if title_len != iam::NUMBER_LEN => continue,
                        Protocol::Isup => iam::compose(kind, title_len - PEERS.len(), &VALUES)?,
                        _ => compose(kind, style, &VALUES)?,
                    };
                    // The label is not the template's.
                    let label = |octets: &[u8]| [&octets[..12], &octets[16..20], &octets[32..]].concat();
                    assert_eq!(label(&user[1..]), label(&want.user), "{kind:?}");
                    assert_eq!(tbs, want.tbs, "{kind:?}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_label_lies_where_m3ua_has_it() -> Result<(), &'static str> {
        let kind = Kind {
            operation: Operation::UpdateLocation,
            side: Side::Home,
            answer: false,
            form: Form::Plain,
            extended: false,
        };
        let template = Template::new(kind, Style { title_len: 12, sms_octets: 1 })?;
        let mut user = Vec::new();
        template.append(&VALUES, &Label::new(77, 1234, 4321, 9), &mut user);
        let data = m3ua::View::new(&user).and_then(m3ua::Data::parse).map_err(|_| "M3UA")?;
        assert_eq!((data.routing_context, data.opc.0, data.dpc.0, data.sls), (Some(77), 1234, 4321, 9));
        assert_eq!((data.si, data.ni, data.mp), (3, 0, 0));
        Ok(())
    }
}
