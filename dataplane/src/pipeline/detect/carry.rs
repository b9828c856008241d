//! What detectors leave to the next run: where subscribers were seen, and since when each detector looks.
//!
//! All numbers are big-endian. Magic, version, when it was left (milliseconds since 1970), since when each detector looks, the
//! names of peers by their number, the coordinates of places by theirs, the subscribers with their length before them, and
//! SHA-256 over all of that, against accidents. Nobody is let in by such a memory: whoever loses it begins to learn again, and
//! an old one is worth no less than what is in it is old.

use std::collections::HashMap;

use sealgate_crypto::verify::sha256;
use sealgate_wire::cursor::Reader;

use crate::pipeline::worker::Shared;
use crate::policy::Snapshot;
use crate::policy::detection::Detector;
use crate::state::carry::CarryError;
use crate::state::subscribers::{PEERS, Renamed};

const MAGIC: &[u8; 8] = b"SGSEENAT";
const VERSION: u16 = 1;
/// Octets of the SHA-256 at the end.
const DIGEST: usize = 32;

impl Shared {
    /// What was seen of subscribers, for [`Shared::import_seen`] of the next run. Only once all workers have ended.
    ///
    /// * `snapshot`: the last one, by which peers and places are known; `now_ms`: milliseconds since 1970
    pub fn export_seen(&self, snapshot: &Snapshot, now_ms: u64) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&now_ms.to_be_bytes());
        self.detection.looking_since().iter().for_each(|since| out.extend_from_slice(&since.to_be_bytes()));
        let peers = snapshot.peers.get(..snapshot.peers.len().min(PEERS)).unwrap_or_default();
        out.extend_from_slice(&(peers.len() as u16).to_be_bytes());
        for peer in peers {
            // A name has at most 32 characters of one octet each.
            let name = if peer.gone { &[] } else { peer.name.as_bytes() };
            out.push(name.len() as u8);
            out.extend_from_slice(name);
        }
        let places: Vec<_> = snapshot.detection.geo.said().collect();
        out.extend_from_slice(&(places.len() as u16).to_be_bytes());
        for (latitude, longitude, radius_km) in places {
            out.extend_from_slice(&latitude.to_be_bytes());
            out.extend_from_slice(&longitude.to_be_bytes());
            out.extend_from_slice(&radius_km.to_be_bytes());
        }
        self.detection.subscribers.export(now_ms, &mut out);
        let digest = sha256(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// Goes on with what the run before has seen of subscribers. Returns when that was left, milliseconds since 1970.
    ///
    /// * `snapshot`: the one that this run begins with
    /// # Errors
    /// [`CarryError`]; nothing was changed.
    pub fn import_seen(&mut self, octets: &[u8], snapshot: &Snapshot, now_ms: u64) -> Result<u64, CarryError> {
        let (body, digest) = octets.split_at_checked(octets.len().saturating_sub(DIGEST)).ok_or(CarryError::Magic)?;
        let mut reader = Reader::new(body);
        if reader.array() != Some(MAGIC) {
            return Err(CarryError::Magic);
        }
        let version = reader.be16().ok_or(CarryError::Digest)?;
        if version != VERSION {
            return Err(CarryError::Version(version));
        }
        if sha256(body) != digest {
            return Err(CarryError::Digest);
        }
        let left_ms = be64(&mut reader)?;
        if left_ms > now_ms {
            return Err(CarryError::Future);
        }
        let mut since_ms = [0; Detector::ALL.len()];
        for since in &mut since_ms {
            *since = be64(&mut reader)?;
        }
        let renamed = renamed(&mut reader, snapshot)?;
        let rest = reader.take(body.len() - reader.at()).ok_or(CarryError::Malformed(reader.at()))?;
        if !self.detection.subscribers.is_empty(now_ms) {
            return Err(CarryError::InUse);
        }
        let entries = self.detection.subscribers.read(rest, left_ms, now_ms)?;
        self.detection.subscribers.apply(&entries, &renamed);
        self.detection.look_since(since_ms);
        Ok(left_ms)
    }
}

/// The numbers of today by those of the octets.
fn renamed(reader: &mut Reader<'_>, snapshot: &Snapshot) -> Result<Renamed, CarryError> {
    // The first row is not a peer of that name.
    let peers = snapshot.peers.iter().enumerate().skip(1).filter(|(_, peer)| !peer.gone);
    let peers: HashMap<_, _> = peers.map(|(id, peer)| (peer.name.as_bytes(), id as u16)).collect();
    let places: HashMap<_, _> = snapshot.detection.geo.said().zip(1..).collect();
    let mut renamed = Renamed { peers: Vec::new(), places: vec![0] };
    for i in 0..be16(reader)? {
        let at = reader.at();
        let [len] = *reader.array().ok_or(CarryError::Malformed(at))?;
        let name = reader.take(usize::from(len)).ok_or(CarryError::Malformed(at))?;
        renamed.peers.push(if i == 0 { Some(0) } else { peers.get(name).copied() });
    }
    for _ in 0..be16(reader)? {
        let malformed = CarryError::Malformed(reader.at());
        let mut number = || reader.array().map(|octets| i32::from_be_bytes(*octets)).ok_or(malformed);
        let (latitude, longitude) = (number()?, number()?);
        let radius_km = be16(reader)?;
        renamed.places.push(places.get(&(latitude, longitude, radius_km)).copied().unwrap_or(0));
    }
    Ok(renamed)
}

fn be16(reader: &mut Reader<'_>) -> Result<u16, CarryError> {
    reader.be16().ok_or(CarryError::Malformed(reader.at()))
}

fn be64(reader: &mut Reader<'_>) -> Result<u64, CarryError> {
    reader.array().map(|octets| u64::from_be_bytes(*octets)).ok_or(CarryError::Malformed(reader.at()))
}
