//! The frame of an example: Ethernet to TCAP, from what the example and its link say.

use super::{Pen, Untried};
use crate::compose::{Plain, Unfit, attached};
use sealgate_config::model::{Example, ExampleSignature, Link, Policy};
use sealgate_wire::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sctp::{self, Data};
use sealgate_wire::sec::{Header, Tvp, tcap1};
use sealgate_wire::{ber, m3ua, map};

/// SCTP port of M3UA, where a link names none.
const PORT: u16 = 2905;
/// A short message (TS 23.040 SMS-DELIVER) without text.
const TPDU: [u8; 17] =
    [0x04, 0x03, 0x81, 0x21, 0xf3, 0x00, 0x00, 0x62, 0x11, 0x32, 0x20, 0x01, 0x00, 0x00, 0x02, 0xe8, 0x34];

/// Numbers that differ from one frame to the next.
pub(super) struct Wire {
    now_ms: u64,
    number: u32,
}

impl Wire {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { now_ms, number: 0 }
    }

    /// The next frame.
    pub(super) fn frame(
        &mut self,
        example: &Example,
        pen: Option<&Pen>,
        link: &Link,
        policy: &Policy,
    ) -> Result<Vec<u8>, Untried> {
        self.number += 1;
        let plain = self.plain(example, policy)?;
        let tcap = match pen {
            None => plain.tcap.clone(),
            Some(pen) => attached(&plain.tcap, &self.component(example, &plain, pen, policy)?)?,
        };
        let sccp = plain.udt(&tcap)?;
        let (theirs, ours) = (code(&link.opcs), code(&link.dpcs));
        let data = m3ua::Data {
            network_appearance: None,
            routing_context: link.routing_contexts.first().copied(),
            correlation: None,
            opc: if example.outbound { ours } else { theirs },
            dpc: if example.outbound { theirs } else { ours },
            si: 3,
            ni: link.ni.first().copied().unwrap_or_default(),
            mp: 0,
            sls: 0,
            user: &sccp,
        };
        let (mut user, mut octets, mut fits) = (Vec::new(), Vec::new(), true);
        fits &= data.emit(&mut user);
        let chunk = Data {
            begin: true,
            end: true,
            unordered: false,
            immediate: false,
            tsn: self.number,
            stream: 1,
            ssn: self.number as u16,
            ppid: m3ua::PPID,
            user: &user,
        };
        let built =
            path(example, link)?.emit(self.number as u16, |out| fits &= sctp::emit_data(&chunk, out), &mut octets);
        if built && fits { Ok(octets) } else { Err(Unfit::Room.into()) }
    }

    fn plain(&self, example: &Example, policy: &Policy) -> Result<Plain, Unfit> {
        let title = |digits| GlobalTitle { plan: Plan::E164, digits };
        let (calling, called) = (example.calling_gt, example.called_gt);
        let context = map::context_of(example.opcode).ok_or(Unfit::Room)?;
        let own =
            || policy.home.plmns.first().map(|plmn| format!("{plmn}0000000001")).and_then(|text| text.parse().ok());
        let imsi = example.imsi.or_else(own).ok_or(Unfit::Room)?;
        Plain::begin(
            (title(calling), Ssn(example.calling_ssn)),
            (title(called), Ssn(example.called_ssn)),
            self.number,
            context,
            example.opcode.into(),
            &argument(example.opcode, &imsi, &calling, &called),
        )
    }

    fn component(&self, example: &Example, plain: &Plain, pen: &Pen, policy: &Policy) -> Result<Vec<u8>, Unfit> {
        let header = Header {
            alg: pen.key.alg() as u8,
            flags: 0,
            node: 1,
            sai: pen.sai,
            tvp: Tvp::from_unix_ms(self.now_ms),
            seq: self.now_ms * 1000 + u64::from(self.number),
            copy: None,
        };
        let peer = policy.peers.iter().find(|peer| peer.gt.iter().any(|prefix| example.calling_gt.starts_with(prefix)));
        let opcode = peer.map_or(tcap1::OPCODE_MAP, |peer| peer.sec_opcode_map);
        let mut component = plain.component(&pen.key, &header, u8::try_from(opcode).map_err(|_| Unfit::Room)?)?;
        if example.signature == ExampleSignature::Invalid
            && let Some(last) = component.last_mut()
        {
            *last ^= 1;
        }
        Ok(component)
    }
}

fn code(codes: &[u32]) -> PointCode {
    PointCode(codes.first().copied().unwrap_or_default())
}

fn path(example: &Example, link: &Link) -> Result<Path, Unfit> {
    let pair = link.remote.iter().flat_map(|remote| link.local.iter().map(move |local| (*remote, *local)));
    let (source, destination) = pair.into_iter().find(|(a, b)| a.is_ipv4() == b.is_ipv4()).ok_or(Unfit::Room)?;
    let inbound = Path {
        source_mac: [2, 0, 0, 0, 0, 1],
        destination_mac: [2, 0, 0, 0, 0, 2],
        vlan: None,
        source,
        destination,
        source_port: link.ports.map_or(PORT, |ports| ports.remote),
        destination_port: link.ports.map_or(PORT, |ports| ports.local),
        vtag: link.vtag_in.unwrap_or(1),
    };
    Ok(if example.outbound { inbound.reversed(2) } else { inbound })
}

/// What the operation is asked; empty where we know no better, as of operations that are never meant for outsiders.
fn argument(opcode: u8, imsi: &Digits, calling: &Digits, called: &Digits) -> Vec<u8> {
    let mut out = Vec::new();
    match opcode {
        2 => map::update_location(imsi, calling, calling, &mut out),
        3 => map::cancel_location(imsi, &mut out),
        7 => map::insert_subscriber_data(imsi, called, &mut out),
        44 => map::mt_forward_sm(imsi, calling, &TPDU, &mut out),
        45 => map::send_routing_info_for_sm(called, calling, &mut out),
        56 => map::send_authentication_info(imsi, 1, &mut out),
        67 => map::purge_ms(imsi, calling, &mut out),
        71 => map::any_time_interrogation(imsi, calling, &mut out),
        _ => ber::put_tlv(0x30, &[], &mut out),
    }
    out
}
