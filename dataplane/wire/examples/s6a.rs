//! A Diameter node for labs: connects to an agent over TCP (RFC 6733), answers its watchdogs and every Update-Location that comes
//! (3GPP TS 29.272 §7.2.3), and asks itself, in bursts with silence between them. At the end it prints what became of each kind of
//! request as `name=value` words.
//!
//! `s6a --connect 192.0.2.1:3868 --host mme.a.example --realm a.example [--to b.example --imsi 00101 --plmn 00102 [--stranger x.example]
//! [--bursts N] [--size N] [--pause-ms N]] [--last-ms N]`
//!
//! Of the requests, a tenth says to come from the realm of `--stranger`, and a tenth is Cancel-Location, which no visited network
//! may send; `--plmn`: the network that it says it is of; `--last-ms`: how long it goes on answering after its last request, 5000 if
//! not given.

use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, Header, Message};

const S6A: u32 = 16_777_251;
const TGPP: u32 = 10_415;
const CAPABILITIES_EXCHANGE: u32 = 257;
const DEVICE_WATCHDOG: u32 = 280;
const DISCONNECT_PEER: u32 = 282;
const UPDATE_LOCATION: u32 = 316;
const CANCEL_LOCATION: u32 = 317;
const SUCCESS: u32 = 2001;

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = HashMap::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        options.insert(word, value);
    }
    let text = |name: &str| options.get(name).cloned();
    let need = |name: &str| text(name).ok_or_else(|| format!("{name} is missing; see the head of {}", file!()));
    let number = |name: &str, other: u64| text(name).map_or(Ok(other), |value| value.parse::<u64>());
    let to: SocketAddr = need("--connect")?.parse()?;
    let mut node = Node {
        stream: connect(to)?,
        host: need("--host")?,
        realm: need("--realm")?,
        plmn: [0; 3],
        got: Vec::new(),
        next: 1,
        asked: HashMap::new(),
        counts: [Count::default(); 3],
        served: 0,
        watchdogs: 0,
    };
    node.greet()?;
    if let Some(realm) = text("--to") {
        let (imsi, stranger) = (need("--imsi")?, text("--stranger").unwrap_or_else(|| "stranger.invalid".to_owned()));
        let plmn = need("--plmn")?;
        node.plmn =
            plmn.parse().ok().and_then(|plmn| diameter::plmn_octets(&plmn)).ok_or("--plmn: five or six digits")?;
        let (bursts, size) = (number("--bursts", 1)?, number("--size", 50)?);
        for burst in 0..bursts {
            for i in 0..size {
                let kind = match i % 10 {
                    3 => Kind::Stranger,
                    7 => Kind::Cancel,
                    _ => Kind::Good,
                };
                let from = if kind == Kind::Stranger { stranger.as_str() } else { node.realm.as_str() }.to_owned();
                node.ask(kind, &from, &realm, &format!("{imsi}{:010}", burst * size + i))?;
                node.listen(Duration::from_millis(5))?;
            }
            if burst + 1 < bursts {
                node.listen(Duration::from_millis(number("--pause-ms", 8000)?))?;
            }
        }
    }
    node.listen(Duration::from_millis(number("--last-ms", 5000)?))?;
    node.report();
    Ok(())
}

/// The agent may need a moment to start.
fn connect(to: SocketAddr) -> Result<TcpStream, std::io::Error> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect_timeout(&to, Duration::from_secs(1)) {
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(100)),
            other => return other,
        }
    }
}

/// What a request is, as far as it matters for its fate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Stranger,
    Cancel,
}

#[derive(Clone, Copy, Default)]
struct Count {
    asked: u64,
    succeeded: u64,
    failed: u64,
}

struct Node {
    stream: TcpStream,
    host: String,
    realm: String,
    plmn: [u8; 3],
    /// Octets that are no whole message yet.
    got: Vec<u8>,
    next: u32,
    asked: HashMap<u32, Kind>,
    counts: [Count; 3],
    served: u64,
    watchdogs: u64,
}

impl Node {
    fn greet(&mut self) -> Result<(), Box<dyn Error>> {
        let mut address = vec![0, 1];
        match self.stream.local_addr()? {
            SocketAddr::V4(own) => address.extend(own.ip().octets()),
            SocketAddr::V6(own) => {
                address = vec![0, 2];
                address.extend(own.ip().octets());
            }
        }
        let mut application = Vec::new();
        put(AvpId::new(0, 266), &TGPP.to_be_bytes(), &mut application)?;
        put(AvpId::new(0, 258), &S6A.to_be_bytes(), &mut application)?;
        let header = self.header(Flags::REQUEST, CAPABILITIES_EXCHANGE, 0);
        self.say(
            &header,
            &[
                (AvpId::new(0, 257), &address),
                (AvpId::new(0, 266), &[0; 4]),
                (AvpId::new(0, 269), b"Sealgate lab"),
                (AvpId::new(0, 260), &application),
            ],
            &self.realm.clone(),
        )?;
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if let Some(answer) = self.receive(Duration::from_millis(100))? {
                let message = Message::parse(&answer).map_err(|refusal| format!("CEA: {refusal:?}"))?;
                let result = message.result_code;
                let greeted = message.header.command == CAPABILITIES_EXCHANGE && result == Some(SUCCESS);
                return if greeted { Ok(()) } else { Err(format!("the agent does not want us: {result:?}").into()) };
            }
        }
        Err("no answer to Capabilities-Exchange".into())
    }

    fn header(&mut self, flags: Flags, command: u32, application: u32) -> Header {
        self.next += 1;
        Header { flags, command, application, hop_by_hop: self.next, end_to_end: self.next }
    }

    fn ask(&mut self, kind: Kind, from: &str, to: &str, imsi: &str) -> Result<(), Box<dyn Error>> {
        let command = if kind == Kind::Cancel { CANCEL_LOCATION } else { UPDATE_LOCATION };
        let header = self.header(Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0), command, S6A);
        let session = format!("{};{};1", self.host, header.hop_by_hop);
        self.asked.insert(header.hop_by_hop, kind);
        if let Some(count) = self.counts.get_mut(kind as usize) {
            count.asked += 1;
        }
        let plmn = self.plmn;
        let mut more: Vec<(AvpId, &[u8])> = vec![
            (AvpId::SESSION_ID, session.as_bytes()),
            (AvpId::AUTH_SESSION_STATE, &[0, 0, 0, 1]),
            (AvpId::DESTINATION_REALM, to.as_bytes()),
            (AvpId::USER_NAME, imsi.as_bytes()),
        ];
        if diameter::names_visited_network(&header) {
            more.push((AvpId::VISITED_PLMN_ID, &plmn));
        }
        self.say(&header, &more, from)
    }

    /// Sends a message, its Origin put before the last of `more`.
    fn say(&mut self, header: &Header, more: &[(AvpId, &[u8])], realm: &str) -> Result<(), Box<dyn Error>> {
        let mut out = Vec::new();
        let start = diameter::begin(header, &mut out);
        let mut session = more.iter().filter(|(id, _)| *id == AvpId::SESSION_ID);
        if let Some((id, data)) = session.next() {
            put(*id, data, &mut out)?;
        }
        let host = if realm == self.realm { self.host.clone() } else { format!("node.{realm}") };
        put(AvpId::ORIGIN_HOST, host.as_bytes(), &mut out)?;
        put(AvpId::ORIGIN_REALM, realm.as_bytes(), &mut out)?;
        for (id, data) in more.iter().filter(|(id, _)| *id != AvpId::SESSION_ID) {
            put(*id, data, &mut out)?;
        }
        if !diameter::finish(start, &mut out) {
            return Err("a message too long".into());
        }
        Ok(self.stream.write_all(&out)?)
    }

    /// Answers, and counts answers, for so long.
    fn listen(&mut self, time: Duration) -> Result<(), Box<dyn Error>> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            if let Some(octets) = self.receive(left.min(Duration::from_millis(100)))? {
                self.take(&octets)?;
            }
        }
    }

    fn take(&mut self, octets: &[u8]) -> Result<(), Box<dyn Error>> {
        let message = Message::parse(octets).map_err(|refusal| format!("malformed: {refusal:?}"))?;
        let header = message.header;
        if !header.is_request() {
            if let Some(count) =
                self.asked.remove(&header.hop_by_hop).and_then(|kind| self.counts.get_mut(kind as usize))
            {
                match message.result_code {
                    Some(SUCCESS) => count.succeeded += 1,
                    _ => count.failed += 1,
                }
            }
            return Ok(());
        }
        let success: (AvpId, &[u8]) = (AvpId::RESULT_CODE, &SUCCESS.to_be_bytes());
        let answer = Header { flags: Flags(header.flags.0 & Flags::PROXIABLE.0), ..header };
        let realm = self.realm.clone();
        match header.command {
            DEVICE_WATCHDOG => self.watchdogs += 1,
            DISCONNECT_PEER => return Err("the agent says goodbye".into()),
            UPDATE_LOCATION => self.served += 1,
            _ => return Err(format!("command {} is none that may arrive here", header.command).into()),
        }
        match message.session_id {
            Some(session) => self.say(&answer, &[(AvpId::SESSION_ID, session), success], &realm),
            None => self.say(&answer, &[success], &realm),
        }
    }

    /// The next message, if one comes in time.
    fn receive(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
        let len = diameter::stream_len(&self.got).map_err(|refusal| format!("lost the stream: {refusal:?}"))?;
        if let Some(len) = len.filter(|len| *len <= self.got.len()) {
            return Ok(Some(self.got.drain(..len).collect()));
        }
        self.stream.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err("the agent closed the connection".into()),
            Ok(n) => {
                self.got.extend_from_slice(buffer.get(..n).unwrap_or_default());
                Ok(None)
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn report(&self) {
        let mut text = format!("served={} watchdogs={}", self.served, self.watchdogs);
        for (name, count) in ["good", "stranger", "cancel"].into_iter().zip(self.counts) {
            let Count { asked, succeeded, failed } = count;
            text += &format!(" {name}_asked={asked} {name}_succeeded={succeeded} {name}_failed={failed}");
        }
        println!("{text}");
    }
}

fn put(id: AvpId, data: &[u8], out: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    if diameter::emit_avp(id, FLAG_MANDATORY, data, out) { Ok(()) } else { Err("an AVP too long".into()) }
}
