//! Examples of a policy: facts of a message and the verdict that the operator means it to have.

use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;

/// A TCAP BEGIN with one MAP operation, and what must become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// What people call it.
    pub name: String,
    /// Whether it leaves our network.
    pub outbound: bool,
    /// The link it comes or leaves by; `None`: the first.
    pub link: Option<String>,
    /// Calling Global Title, E.164.
    pub calling_gt: Digits,
    /// Called Global Title, E.164.
    pub called_gt: Digits,
    /// Calling subsystem.
    pub calling_ssn: u8,
    /// Called subsystem.
    pub called_ssn: u8,
    /// MAP operation; its application context is the latest that has it.
    pub opcode: u8,
    /// Subscriber it is about; `None`: one of the first network of ours.
    pub imsi: Option<Digits>,
    /// What signature it carries.
    pub signature: ExampleSignature,
    /// The certificate it is signed by; `None`: one that is good and entitled, which is made for the purpose.
    pub signer: Option<String>,
    /// What must become of it.
    pub expect: Expect,
}

/// What signature an example carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ExampleSignature {
    /// None.
    #[default]
    Absent,
    /// One of SG-TCAP-1 that holds.
    Valid,
    /// One that does not hold.
    Invalid,
    /// One of a certificate that nobody knows.
    UnknownSigner,
}

/// What must become of an example.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// It passes.
    Pass,
    /// It is refused.
    Refuse,
    /// It passes or is refused for exactly this.
    Reason(Reason),
}
