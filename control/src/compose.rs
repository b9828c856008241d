//! Messages made from what they say: for demonstrations, and for the examples by which a policy is checked.

use sealgate_crypto::sign::SigningKey;
use sealgate_wire::addr::{GlobalTitle, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::sec::{Header, tcap1};
use sealgate_wire::{map, sccp, tcap};

/// What cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It does not fit into its layer.
    #[error("a message does not fit into its layer")]
    Room,
    /// The key does not sign.
    #[error("a key does not sign")]
    Key,
}

/// What is put into SCCP: who speaks to whom, and the TCAP message without signature.
#[derive(Clone)]
pub struct Plain {
    /// Who speaks.
    pub calling: (GlobalTitle, Ssn),
    /// To whom.
    pub called: (GlobalTitle, Ssn),
    /// One whole TCAP message.
    pub tcap: Vec<u8>,
    /// Name of the operation.
    pub operation: &'static str,
}

impl Plain {
    /// A BEGIN that invokes one operation of MAP.
    ///
    /// * `context`: number and version of the application context (TS 29.002 §17.3)
    /// # Errors
    /// [`Unfit::Room`].
    pub fn begin(
        calling: (GlobalTitle, Ssn),
        called: (GlobalTitle, Ssn),
        transaction: u32,
        context: (u8, u8),
        operation: i32,
        argument: &[u8],
    ) -> Result<Self, Unfit> {
        let (mut component, mut tcap) = (Vec::new(), Vec::new());
        let id = tcap::Tid::new(&transaction.to_be_bytes()).ok_or(Unfit::Room)?;
        tcap::emit_invoke(1, operation, argument, &mut component);
        tcap::emit_begin(id, Some(&oid(context)), &component, &mut tcap);
        Ok(Self { calling, called, tcap, operation: map::operation_name(operation).unwrap_or("") })
    }

    /// Called and calling address as in SCCP.
    pub fn addresses(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut called, mut calling) = (Vec::new(), Vec::new());
        sccp::emit_address(&self.called.0, self.called.1, 0, &mut called);
        sccp::emit_address(&self.calling.0, self.calling.1, 0, &mut calling);
        (called, calling)
    }

    /// The security component of SG-TCAP-1 over it (formats 4.2, 4.3).
    ///
    /// * `opcodes`: of the component, in MAP dialogues
    /// # Errors
    /// [`Unfit`].
    pub fn component(&self, key: &SigningKey, header: &Header<'_>, opcode: u8) -> Result<Vec<u8>, Unfit> {
        let (mut covered, mut tbs, mut component) = (Vec::new(), Vec::new(), Vec::new());
        header.emit(&mut covered);
        let parsed = tcap::Message::parse(&self.tcap, Rules::Strict).map_err(|_| Unfit::Room)?;
        let subject = tcap1::Subject { calling: self.calling, called: self.called, tag: parsed.kind as u8 };
        let elements = parsed.elements.iter().copied();
        let components = parsed.components.iter().map(|component| component.raw);
        tcap1::write_tbs(&covered, None, &subject, elements, components, &mut tbs);
        let mut signature = [0; 256];
        let len = key.sign(&tbs, &mut signature).map_err(|_| Unfit::Key)?;
        let signature = signature.get(..len).ok_or(Unfit::Key)?;
        tcap1::emit_component(INVOKE_ID, opcode, header.sai, &covered, signature, &mut component);
        Ok(component)
    }

    /// It in a UDT, or what it became: `tcap`.
    /// # Errors
    /// [`Unfit::Room`].
    pub fn udt(&self, tcap: &[u8]) -> Result<Vec<u8>, Unfit> {
        let (called, calling) = self.addresses();
        let mut udt = Vec::new();
        sccp::emit(sccp::Kind::Udt, 0, None, &called, &calling, tcap, None, None, &mut udt).map_err(|_| Unfit::Room)?;
        Ok(udt)
    }
}

/// Invoke identifier of the security component.
const INVOKE_ID: u8 = 127;

/// Application context of MAP with this number and version.
pub const fn oid((number, version): (u8, u8)) -> [u8; 7] {
    [4, 0, 0, 1, 0, number, version]
}

/// A TCAP message with a security component as its last.
/// # Errors
/// [`Unfit::Room`].
pub fn attached(tcap: &[u8], component: &[u8]) -> Result<Vec<u8>, Unfit> {
    let parsed = tcap::Message::parse(tcap, Rules::Strict).map_err(|_| Unfit::Room)?;
    let mut out = Vec::new();
    tcap::rebuild(&parsed, None, Some(component), false, &mut out);
    Ok(out)
}
