//! updateLocation of many nodes about many subscribers, and what our own network says to it.

use sealgate_wire::addr::{Digits, GlobalTitle, Plan, Ssn};
use sealgate_wire::frame_builder::Path;
use sealgate_wire::sccp::{self, Segmentation};
use sealgate_wire::{map, tcap};

use super::{HOME, carried, digits, path, title, unitdata, update};

/// One dialogue that a node opens.
#[derive(Clone, Copy, Debug)]
pub struct Dialogue {
    /// The node.
    pub node: Digits,
    /// The subscriber.
    pub imsi: Digits,
    /// Transaction id.
    pub id: u32,
    /// Port of the node's end of the association: each is an association of its own.
    pub port: u16,
}

impl Dialogue {
    fn title(&self) -> GlobalTitle {
        GlobalTitle { plan: Plan::E164, digits: self.node }
    }

    fn path(&self, outbound: bool) -> Path {
        let path = path(outbound);
        if outbound { Path { destination_port: self.port, ..path } } else { Path { source_port: self.port, ..path } }
    }

    /// It begins with updateLocation.
    pub fn begin(&self, tsn: u32) -> Vec<u8> {
        let tcap = update(&self.node, &self.imsi, self.id);
        carried(&unitdata(&tcap, &self.title(), &title(HOME)), self.path(false), tsn, false)
    }

    /// Our register accepts, and ends it.
    pub fn accepted(&self, tsn: u32) -> Vec<u8> {
        let (mut result, mut component, mut tcap) = (Vec::new(), Vec::new(), Vec::new());
        map::update_location_result(&digits(HOME), &mut result);
        tcap::emit_result_last(1, 2, &result, &mut component);
        if let Some(id) = tcap::Tid::new(&self.id.to_be_bytes()) {
            tcap::emit_end(id, None, &component, &mut tcap);
        }
        carried(&unitdata(&tcap, &title(HOME), &self.title()), self.path(true), tsn, true)
    }

    /// Our register goes on, and waits for an answer: a transaction of ours is open.
    pub fn continued(&self, tsn: u32) -> Vec<u8> {
        let mut tcap = Vec::new();
        if let Some(id) = tcap::Tid::new(&self.id.to_be_bytes()) {
            tcap::emit_continue(id, id, None, &[], &mut tcap);
        }
        carried(&unitdata(&tcap, &title(HOME), &self.title()), self.path(true), tsn, true)
    }

    /// The first of two segments, whose second one never comes.
    pub fn segment(&self, tsn: u32) -> Vec<u8> {
        let [_, local_ref @ ..] = self.id.to_be_bytes();
        let segmentation = Segmentation { first: true, in_sequence: false, remaining: 1, local_ref };
        let (mut called, mut calling, mut out) = (Vec::new(), Vec::new(), Vec::new());
        sccp::emit_address(&title(HOME), Ssn::HLR, 0, &mut called);
        sccp::emit_address(&self.title(), Ssn::VLR, 0, &mut calling);
        let tcap = update(&self.node, &self.imsi, self.id);
        let fits =
            sccp::emit(sccp::Kind::Xudt, 0, Some(15), &called, &calling, &tcap, Some(segmentation), None, &mut out);
        debug_assert!(fits.is_ok());
        carried(&out, self.path(false), tsn, false)
    }
}
