//! What our decoders read in each frame of a capture, under the names of tshark's fields.

use std::collections::{BTreeMap, HashMap, HashSet};

use sealgate_wire::ber::Rules;
use sealgate_wire::eth::Frame;
use sealgate_wire::map::Party;
use sealgate_wire::sccp::{Address, Segmentation, Unitdata};
use sealgate_wire::sctp::{ChunkKind, Data};
use sealgate_wire::tcap::{ComponentKind, Message, MessageKind, Operation};
use sealgate_wire::{cap, ip, m3ua, map, sctp};

/// Values of one frame by field, each list in the order of the tree.
pub type Fields = BTreeMap<&'static str, Vec<String>>;

/// An association in one direction: ports and verification tag.
type Flow = (u16, u16, u32);

/// A DATA chunk that waits for the rest of its message.
struct Fragment {
    begin: bool,
    end: bool,
    octets: Vec<u8>,
}

/// Segments of one message, after formats 11.2.
struct Segments {
    remaining: u8,
    octets: Vec<u8>,
}

type Parties = (Vec<u8>, Vec<u8>, [u8; 3]);

/// Reads the frames of one capture in order.
#[derive(Default)]
pub struct Decoder {
    /// What came once is not read again; generated packets without a tag belong to no association.
    seen: HashSet<(Flow, u32)>,
    fragments: HashMap<(Flow, u16), BTreeMap<u32, Fragment>>,
    segments: HashMap<Parties, Segments>,
    upper: bool,
}

fn add(fields: &mut Fields, name: &'static str, value: impl ToString) {
    fields.entry(name).or_default().push(value.to_string());
}

impl Decoder {
    /// `upper`: also what SCTP carries.
    pub fn new(upper: bool) -> Self {
        Self { upper, ..Self::default() }
    }

    /// Reads one frame as far as our decoders go.
    pub fn frame(&mut self, octets: &[u8]) -> Fields {
        let mut fields = Fields::new();
        let Ok(frame) = Frame::parse(octets) else { return fields };
        let payload = super::pcap::mended(&frame);
        if let Ok(Some(packet)) = ip::Packet::parse(frame.ethertype, &payload)
            && packet.protocol == ip::SCTP
        {
            self.sctp(packet.payload, &mut fields);
        }
        fields
    }

    fn sctp(&mut self, octets: &[u8], fields: &mut Fields) {
        let Ok(packet) = sctp::Packet::parse(octets) else { return };
        add(fields, "sctp.srcport", packet.source_port);
        add(fields, "sctp.dstport", packet.destination_port);
        add(fields, "sctp.verification_tag", packet.vtag);
        let flow = (packet.source_port, packet.destination_port, packet.vtag);
        for chunk in packet.chunks() {
            add(fields, "sctp.chunk_type", chunk.kind.0);
            if chunk.kind != ChunkKind::DATA {
                continue;
            }
            let Ok(data) = Data::parse(&chunk) else { continue };
            add(fields, "sctp.data_b_bit", u8::from(data.begin));
            add(fields, "sctp.data_e_bit", u8::from(data.end));
            add(fields, "sctp.data_tsn_raw", data.tsn);
            add(fields, "sctp.data_sid", data.stream);
            add(fields, "sctp.data_ssn", data.ssn);
            add(fields, "sctp.data_payload_proto_id", data.ppid);
            if self.upper
                && (self.seen.insert((flow, data.tsn)) || flow.2 == 0)
                && data.ppid == m3ua::PPID
                && let Some(user) = self.whole(flow, &data)
            {
                self.m3ua(&user, fields);
            }
        }
    }

    /// The user message that this chunk completes.
    fn whole(&mut self, flow: Flow, data: &Data<'_>) -> Option<Vec<u8>> {
        if data.is_whole() {
            return Some(data.user.to_vec());
        }
        let waiting = self.fragments.entry((flow, data.stream)).or_default();
        let fragment = Fragment { begin: data.begin, end: data.end, octets: data.user.to_vec() };
        waiting.insert(data.tsn, fragment);
        let mut first = data.tsn;
        while !waiting.get(&first)?.begin {
            first = first.wrapping_sub(1);
        }
        let mut last = first;
        let mut user = Vec::new();
        loop {
            let fragment = waiting.get(&last)?;
            user.extend_from_slice(&fragment.octets);
            if fragment.end {
                break;
            }
            last = last.wrapping_add(1);
        }
        waiting.retain(|tsn, _| last.wrapping_sub(first) < tsn.wrapping_sub(first));
        Some(user)
    }

    fn m3ua(&mut self, user: &[u8], fields: &mut Fields) {
        let Ok(view) = m3ua::View::new(user) else { return };
        let (class, kind) = view.kind();
        add(fields, "m3ua.message_class", class);
        add(fields, "m3ua.message_type", kind);
        if !view.is_data() {
            for param in view.params().flatten().filter(|param| param.tag == 6) {
                for context in param.value.chunks(4).filter_map(|octets| octets.try_into().ok()) {
                    add(fields, "m3ua.routing_context", u32::from_be_bytes(context));
                }
            }
            return;
        }
        let Ok(data) = m3ua::Data::parse(view) else { return };
        if let Some(context) = data.routing_context {
            add(fields, "m3ua.routing_context", context);
        }
        add(fields, "m3ua.protocol_data_opc", data.opc.0);
        add(fields, "m3ua.protocol_data_dpc", data.dpc.0);
        add(fields, "m3ua.protocol_data_si", data.si);
        add(fields, "m3ua.protocol_data_ni", data.ni);
        add(fields, "m3ua.protocol_data_sls", data.sls);
        if data.si == 3 {
            self.sccp(data.user, fields);
        }
    }

    fn sccp(&mut self, octets: &[u8], fields: &mut Fields) {
        let Ok(message) = Unitdata::parse(octets) else { return };
        add(fields, "sccp.message_type", message.kind as u8);
        if message.kind.is_service() {
            add(fields, "sccp.return_cause", message.class);
        } else {
            add(fields, "sccp.class", message.class & 0x0f);
        }
        let mut ssns = [0; 2];
        for (side, octets) in [message.called, message.calling].into_iter().enumerate() {
            let Ok(address) = Address::parse(octets) else { continue };
            let name = |called, calling| if side == 0 { called } else { calling };
            add(fields, name("sccp.called.ri", "sccp.calling.ri"), u8::from(address.routing_on_ssn));
            if let Some(code) = address.point_code {
                add(fields, name("sccp.called.pc", "sccp.calling.pc"), code);
            }
            if let Some(ssn) = address.ssn {
                add(fields, name("sccp.called.ssn", "sccp.calling.ssn"), ssn.0);
                ssns[side] = ssn.0;
            }
            if let Some(digits) = address.gt.and_then(|gt| gt.digits()) {
                add(fields, name("sccp.called.digits", "sccp.calling.digits"), digits);
            }
        }
        if let Some(segment) = message.segmentation {
            let [a, b, c] = segment.local_ref;
            add(fields, "sccp.segmentation.first", u8::from(segment.first));
            add(fields, "sccp.segmentation.remaining", segment.remaining);
            add(fields, "sccp.segmentation.slr", u32::from_le_bytes([a, b, c, 0]));
        }
        if let Some(user) = self.reassembled(&message) {
            tcap(&user, ssns, fields);
        }
    }

    fn reassembled(&mut self, message: &Unitdata<'_>) -> Option<Vec<u8>> {
        let Some(Segmentation { first, remaining, local_ref, .. }) = message.segmentation else {
            return Some(message.data.to_vec());
        };
        let parties = (message.calling.to_vec(), message.called.to_vec(), local_ref);
        if first {
            self.segments.insert(parties.clone(), Segments { remaining, octets: message.data.to_vec() });
        } else {
            let mut open = self.segments.remove(&parties).filter(|open| open.remaining == remaining + 1)?;
            open.octets.extend_from_slice(message.data);
            open.remaining = remaining;
            self.segments.insert(parties.clone(), open);
        }
        if remaining > 0 {
            return None;
        }
        self.segments.remove(&parties).map(|done| done.octets)
    }
}

fn tcap(octets: &[u8], ssns: [u8; 2], fields: &mut Fields) {
    let Ok(message) = Message::parse(octets, Rules::Lenient) else { return };
    let element = match message.kind {
        MessageKind::Unidirectional => "tcap.unidirectional_element",
        MessageKind::Begin => "tcap.begin_element",
        MessageKind::Continue => "tcap.continue_element",
        MessageKind::End => "tcap.end_element",
        MessageKind::Abort => "tcap.abort_element",
    };
    add(fields, element, 1);
    if let Some(id) = message.otid {
        add(fields, "tcap.otid", id);
    }
    if let Some(id) = message.dtid {
        add(fields, "tcap.dtid", id);
    }
    let context = message.application_context().ok().flatten();
    if let Some(context) = context {
        add(fields, "tcap.application_context_name", context);
    }
    let camel = context.map_or(ssns.contains(&146), |context| cap::context(context.0).is_some());
    for component in &message.components {
        add(fields, kind_name(component.kind), 1);
        if let Some(id) = component.invoke_id.filter(|_| component.kind != ComponentKind::Reject) {
            add(fields, "invoke ids", id as i8); // a reject's has another field in tshark
        }
        if let Operation::Local(code) = component.operation {
            add(fields, "codes", code);
            let mut each = |party, digits: sealgate_wire::addr::Digits| {
                add(fields, if party == Party::Imsi { "e212.imsi" } else { "e164.msisdn" }, digits);
            };
            let parameter = component.parameter;
            // A refusal in the middle keeps what stood before it: so does tshark.
            let _ = if camel {
                cap::visit(code, component.kind, parameter, Rules::Lenient, &mut each)
            } else {
                map::visit(code, component.kind, 0, parameter, Rules::Lenient, &mut each)
            };
        } else if component.kind == ComponentKind::ReturnError
            && let Some(code) = component.error
        {
            add(fields, "codes", code);
        }
    }
}

fn kind_name(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Invoke => "invokes",
        ComponentKind::ReturnResultLast | ComponentKind::ReturnResultNotLast => "results",
        ComponentKind::ReturnError => "errors",
        ComponentKind::Reject => "rejects",
    }
}
