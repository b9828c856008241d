//! A gateway with detectors, and messages of operators A to D and of HOME about one of HOME's subscribers.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_config::model::{DetectMode, Detection, Flood, Geo, Mode, Policy, Scan, Switch, UnknownPeer, Windowed};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::addr::Ssn;
use sealgate_wire::ber::{put_tlv, put_with};
use sealgate_wire::diameter::{AvpId, FLAG_MANDATORY, Flags, Header, emit_avp, finish};
use sealgate_wire::{Reason, map, sccp, tcap};

use super::common::traffic::{Call, digits, frame, inbound, outbound, title};
use super::common::{Gateway, NOW_MS, diameter, gtp, policy};

/// Places of operators: B and C are 9000 km from A, D beside it.
pub const GEO: &str = "kind,code,latitude,longitude,radius_km,name\n\
    gt,99902,0,0,0,A\nplmn,00102,0,0,0,A\n\
    plmn,00112,0,80.938,0,A abroad\n\
    gt,99903,0,80.938,0,B\nplmn,00103,0,80.938,0,B\n\
    gt,99904,0,80.938,100,C\nplmn,00104,0,80.938,100,C\n\
    gt,99905,0,1,200,D\nplmn,00105,0,1,200,D\n";

/// A detector that refuses from the first message on.
pub const DROP: Switch = Switch { mode: DetectMode::Drop, learn_s: 0 };

/// The policy of the vectors, of which nobody signs, with these detectors.
pub fn watching(change: impl FnOnce(&mut Detection)) -> Policy {
    let mut policy = policy();
    policy.peers.iter_mut().for_each(|peer| (peer.mode, peer.sign) = (Mode::Prefer, false));
    policy.links.iter_mut().for_each(|link| link.isup.mode = Mode::Ignore);
    policy.defaults.unknown_peer = UnknownPeer::TreatAsDefault;
    let places = sealgate_config::parse_geo(GEO, "geo.csv").unwrap_or_else(|faults| panic!("{faults}"));
    policy.detection.velocity.geo = Some(Geo { file: "geo.csv".into(), places });
    change(&mut policy.detection);
    policy
}

/// All detectors refuse, with limits that only an attacker reaches.
pub fn all(detection: &mut Detection) {
    detection.subscribers.limit = 1024;
    detection.steps.limit = 1024;
    detection.sources.limit = 256;
    detection.velocity.switch = DROP;
    detection.previous_location = DROP;
    detection.multi_request.switch = DROP;
    detection.scan = Scan { switch: DROP, window_s: 86_400, subscribers: 1_000_000 };
    detection.flood = Flood { switch: DROP, per_second: 1_000_000, burst: 1_000_000 };
    detection.multi_protocol = Windowed { switch: DROP, window_s: 3600 };
    detection.cross_generation = Windowed { switch: DROP, window_s: 3600 };
}

/// The gateway and a clock.
pub struct World {
    pub gateway: Gateway,
    pub now_ms: u64,
    number: u32,
}

impl World {
    pub fn new(policy: &Policy) -> Self {
        let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
        Self { gateway: Gateway::new(policy, config), now_ms: NOW_MS, number: 1 }
    }

    pub fn with(change: impl FnOnce(&mut Detection)) -> Self {
        Self::new(&watching(change))
    }

    pub fn after(&mut self, seconds: u64) -> &mut Self {
        self.now_ms += seconds * 1000;
        self
    }

    /// Gives the gateway one frame and returns the reason of its only message.
    fn judge(&mut self, port: usize, octets: &[u8]) -> Reason {
        let step = self.gateway.frame(port, octets, self.now_ms);
        let [record] = step.records.as_slice() else { panic!("{} verdicts", step.records.len()) };
        record.reason
    }

    /// From an operator's node.
    pub fn from(&mut self, user: &[u8]) -> Reason {
        self.number += 1;
        self.judge(0, &frame(&inbound(), self.number, user))
    }

    /// From our own network.
    pub fn home(&mut self, user: &[u8]) -> Reason {
        self.number += 1;
        self.judge(1, &frame(&outbound(), self.number, user))
    }

    /// From an operator's node over Diameter.
    pub fn lte(&mut self, said: &Lte) -> Reason {
        self.number += 1;
        self.judge(0, &diameter::frame(&diameter::inbound(), self.number, &said.octets()))
    }

    /// From our own register over Diameter.
    pub fn lte_home(&mut self, said: &Lte) -> Reason {
        self.number += 1;
        self.judge(1, &diameter::frame(&diameter::outbound(), self.number, &said.octets()))
    }

    pub fn events(&self, reason: Reason) -> u64 {
        self.gateway.worker.stats().events[reason.index()]
    }

    /// A number that no transaction had before.
    pub fn id(&mut self) -> u32 {
        self.number += 1;
        self.number
    }
}

/// The title of an operator's node; HOME is 1, A is 2.
pub fn node(operator: u8) -> String {
    format!("9990{operator}0000011")
}

/// One message of MAP.
#[derive(Clone, Debug)]
pub struct Said {
    pub calling: String,
    pub called: String,
    pub ssn: Ssn,
    pub called_ssn: Ssn,
    /// Number and version of the application context.
    pub context: (u8, u8),
    pub id: u32,
    /// Operations and their arguments.
    pub invokes: Vec<(u8, Vec<u8>)>,
    /// IMSI in the dialogue.
    pub about: Option<String>,
}

fn argument(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

impl Said {
    pub fn new(operator: u8, id: u32, context: (u8, u8), op: u8, argument: Vec<u8>) -> Self {
        Self {
            calling: node(operator),
            called: "999010000001".into(),
            ssn: Ssn::VLR,
            called_ssn: Ssn::HLR,
            context,
            id,
            invokes: vec![(op, argument)],
            about: None,
        }
    }

    /// updateLocation.
    pub fn update(operator: u8, id: u32, imsi: &str) -> Self {
        let vlr = digits(&node(operator));
        Self::new(operator, id, (1, 3), 2, argument(|out| map::update_location(&digits(imsi), &vlr, &vlr, out)))
    }

    /// updateLocation of the VLR with this number.
    pub fn update_at(node: &str, id: u32, imsi: &str) -> Self {
        let vlr = digits(node);
        let write = |out: &mut Vec<u8>| map::update_location(&digits(imsi), &vlr, &vlr, out);
        Self { calling: node.into(), ..Self::new(2, id, (1, 3), 2, argument(write)) }
    }

    /// sendRoutingInfoForSM of the centre with this number.
    pub fn route_from(node: &str, id: u32, msisdn: &str) -> Self {
        let write = |out: &mut Vec<u8>| map::send_routing_info_for_sm(&digits(msisdn), &digits(node), out);
        Self { calling: node.into(), ..Self::new(2, id, (20, 3), 45, argument(write)) }
    }

    /// mt-ForwardSM of the centre with this number.
    pub fn deliver_from(node: &str, id: u32, imsi: &str) -> Self {
        let write = |out: &mut Vec<u8>| map::mt_forward_sm(&digits(imsi), &digits(node), b"tpdu", out);
        Self { calling: node.into(), ..Self::new(2, id, (25, 3), 44, argument(write)) }
    }

    /// updateGprsLocation.
    pub fn update_gprs(operator: u8, id: u32, imsi: &str) -> Self {
        let write = |out: &mut Vec<u8>| {
            put_with(0x30, out, |out| {
                put_with(0x04, out, |out| digits(imsi).write_packed(0x0f, out));
                put_with(0x04, out, |out| {
                    out.push(0x91);
                    digits(&node(operator)).write_packed(0x0f, out);
                });
                put_tlv(0x04, &[0x04, 10, 0, 0, 1], out);
            });
        };
        Self { ssn: Ssn(149), ..Self::new(operator, id, (32, 3), 23, argument(write)) }
    }

    pub fn purge(operator: u8, id: u32, imsi: &str) -> Self {
        let vlr = digits(&node(operator));
        Self::new(operator, id, (27, 3), 67, argument(|out| map::purge_ms(&digits(imsi), &vlr, out)))
    }

    /// sendAuthenticationInfo.
    pub fn vectors(operator: u8, id: u32, imsi: &str) -> Self {
        Self::new(operator, id, (14, 3), 56, argument(|out| map::send_authentication_info(&digits(imsi), 1, out)))
    }

    /// restoreData.
    pub fn restore(operator: u8, id: u32, imsi: &str) -> Self {
        let write = |out: &mut Vec<u8>| {
            put_with(0x30, out, |out| put_with(0x04, out, |out| digits(imsi).write_packed(0x0f, out)))
        };
        Self::new(operator, id, (1, 3), 57, argument(write))
    }

    /// processUnstructuredSS-Request.
    pub fn ussd(operator: u8, id: u32, imsi: &str) -> Self {
        let write = |out: &mut Vec<u8>| {
            put_with(0x30, out, |out| {
                put_tlv(0x04, &[0x0f], out);
                put_tlv(0x04, &[0xaa, 0x18, 0x0c], out);
            });
        };
        Self { about: Some(imsi.into()), ..Self::new(operator, id, (19, 2), 59, argument(write)) }
    }

    /// mo-ForwardSM.
    pub fn short_message(operator: u8, id: u32, imsi: &str) -> Self {
        let write = |out: &mut Vec<u8>| {
            put_with(0x30, out, |out| {
                for (tag, number) in [(0x84, "999010000009"), (0x82, "999010000077")] {
                    put_with(tag, out, |out| {
                        out.push(0x91);
                        digits(number).write_packed(0x0f, out);
                    });
                }
                put_tlv(0x04, b"tpdu", out);
                put_with(0x04, out, |out| digits(imsi).write_packed(0x0f, out));
            });
        };
        Self { ssn: Ssn::MSC, called_ssn: Ssn::MSC, ..Self::new(operator, id, (21, 3), 46, argument(write)) }
    }

    /// initialDP of CAP phase 2.
    pub fn call(operator: u8, id: u32, imsi: &str) -> Self {
        let write = |out: &mut Vec<u8>| {
            put_with(0x30, out, |out| {
                put_tlv(0x80, &[1], out);
                out.extend_from_slice(&[0x9f, 0x32, 8]);
                digits(imsi).write_packed(0x0f, out);
            });
        };
        let called_ssn = Ssn::CAP;
        Self { ssn: Ssn::MSC, called_ssn, ..Self::new(operator, id, (50, 1), 0, argument(write)) }
    }

    /// sendRoutingInfoForSM.
    pub fn route(operator: u8, id: u32, msisdn: &str) -> Self {
        let centre = digits(&node(operator));
        let write = |out: &mut Vec<u8>| map::send_routing_info_for_sm(&digits(msisdn), &centre, out);
        Self::new(operator, id, (20, 3), 45, argument(write))
    }

    /// mt-ForwardSM.
    pub fn deliver(operator: u8, id: u32, imsi: &str) -> Self {
        let centre = digits(&node(operator));
        let write = |out: &mut Vec<u8>| map::mt_forward_sm(&digits(imsi), &centre, b"tpdu", out);
        Self::new(operator, id, (25, 3), 44, argument(write))
    }

    fn components(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, (op, argument)) in self.invokes.iter().enumerate() {
            tcap::emit_invoke(i as u8 + 1, i32::from(*op), argument, &mut out);
        }
        out
    }

    fn tid(&self) -> tcap::Tid {
        tcap::Tid::new(&self.id.to_be_bytes()).expect("four octets")
    }

    fn context(&self) -> [u8; 7] {
        [4, 0, 0, 1, 0, self.context.0, self.context.1]
    }

    /// As a BEGIN, in M3UA.
    pub fn begin(&self) -> Vec<u8> {
        let (mut message, components) = (Vec::new(), self.components());
        match &self.about {
            None => tcap::emit_begin(self.tid(), Some(&self.context()), &components, &mut message),
            Some(imsi) => put_with(0x62, &mut message, |out| {
                put_tlv(0x48, self.tid().as_octets(), out);
                put_with(0x6b, out, |out| {
                    put_with(0x28, out, |out| {
                        put_tlv(0x06, &[0, 0x11, 0x86, 5, 1, 1, 1], out);
                        put_with(0xa0, out, |out| {
                            put_with(0x60, out, |out| {
                                out.extend_from_slice(&[0x80, 2, 7, 0x80]);
                                put_with(0xa1, out, |out| put_tlv(0x06, &self.context(), out));
                                map::open_for(&digits(imsi), out);
                            });
                        });
                    });
                });
                put_tlv(0x6c, &components, out);
            }),
        }
        self.carried(&message, false)
    }

    /// As a CONTINUE in a dialogue that was opened without an operation.
    pub fn proceed(&self, context: Option<&[u8]>) -> Vec<u8> {
        let mut message = Vec::new();
        tcap::emit_continue(self.tid(), self.tid(), context, &self.components(), &mut message);
        self.carried(&message, false)
    }

    /// Our register's answer: a result with this parameter, or an error.
    pub fn answer(&self, result: Option<&[u8]>) -> Vec<u8> {
        let (mut component, mut message) = (Vec::new(), Vec::new());
        let op = i32::from(self.invokes[0].0);
        match result {
            Some(parameter) => tcap::emit_result_last(1, op, parameter, &mut component),
            None => tcap::emit_error(1, 1, &[], &mut component), // unknownSubscriber
        }
        tcap::emit_end(self.tid(), None, &component, &mut message);
        self.carried(&message, true)
    }

    /// An error.
    pub fn answer_none(&self) -> Vec<u8> {
        self.answer(None)
    }

    /// An ABORT of ours.
    pub fn abort(&self) -> Vec<u8> {
        let mut message = Vec::new();
        put_with(0x67, &mut message, |out| put_tlv(0x49, self.tid().as_octets(), out));
        self.carried(&message, true)
    }

    pub fn accepted(&self) -> Vec<u8> {
        self.answer(Some(&argument(|out| map::update_location_result(&digits("999010000001"), out))))
    }

    /// The answer to a question for routing.
    pub fn routed(&self, imsi: &str) -> Vec<u8> {
        let msc = digits(&node(1));
        self.answer(Some(&argument(|out| map::send_routing_info_for_sm_result(&digits(imsi), &msc, out))))
    }

    fn carried(&self, tcap: &[u8], outbound: bool) -> Vec<u8> {
        let (mut called, mut calling, mut out) = (Vec::new(), Vec::new(), Vec::new());
        sccp::emit_address(&title(&self.called), self.called_ssn, 0, &mut called);
        sccp::emit_address(&title(&self.calling), self.ssn, 0, &mut calling);
        let (to, from) = if outbound { (calling, called) } else { (called, calling) };
        sccp::emit(sccp::Kind::Udt, 0, None, &to, &from, tcap, None, None, &mut out).expect("fits");
        Call { outbound, ..Call::inbound(self.id) }.m3ua(&out)
    }
}

/// A request of S6a, or its answer.
#[derive(Clone, Debug)]
pub struct Lte {
    pub header: Header,
    pub from: u8,
    pub imsi: String,
    /// Origin-Realm; `None`: that of the operator.
    pub realm: Option<String>,
    /// Visited-PLMN-Id; `None`: that of the operator.
    pub visited: Option<Vec<u8>>,
    /// Whether the host is written in capital letters.
    pub upper: bool,
    /// Result-Code of an answer.
    pub code: Option<u32>,
}

/// A request about one of our subscribers.
pub fn s6a(command: u32, operator: u8, id: u32, imsi: &str) -> Lte {
    let header = diameter::Said::request(command, operator, 1, id).header;
    Lte { header, from: operator, imsi: imsi.into(), realm: None, visited: None, upper: false, code: None }
}

/// Its answer with this Result-Code.
pub fn s6a_answer(request: &Lte, code: u32) -> Lte {
    let header = Header { flags: Flags::PROXIABLE, ..request.header };
    Lte { header, from: 1, realm: None, code: Some(code), ..request.clone() }
}

impl Lte {
    pub fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let start = sealgate_wire::diameter::begin(&self.header, &mut out);
        let mut put = |id: AvpId, data: &[u8]| assert!(emit_avp(id, FLAG_MANDATORY, data, &mut out));
        let realm = self.realm.clone().unwrap_or_else(|| diameter::realm(self.from));
        let host = format!("node.{realm}");
        put(AvpId::SESSION_ID, b"s;1;2");
        put(AvpId::ORIGIN_HOST, if self.upper { host.to_uppercase() } else { host }.as_bytes());
        put(AvpId::ORIGIN_REALM, realm.as_bytes());
        match self.code {
            Some(code) => put(AvpId::RESULT_CODE, &code.to_be_bytes()),
            None => put(AvpId::DESTINATION_REALM, diameter::realm(1).as_bytes()),
        }
        if self.code.is_none() {
            put(AvpId::USER_NAME, self.imsi.as_bytes());
        }
        if sealgate_wire::diameter::names_visited_network(&self.header) {
            put(AvpId::VISITED_PLMN_ID, self.visited.as_deref().unwrap_or(&gtp::plmn(self.from)));
        }
        assert!(finish(start, &mut out));
        out
    }
}
