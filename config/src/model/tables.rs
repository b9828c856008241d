//! Tables of the built-in checks: operations, application contexts and commands, and what GSMA says of them.

use std::path::PathBuf;
use std::sync::Arc;

/// Who may send an operation or command over interconnect (GSMA FS.11 and FS.19).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Category {
    /// No rule of these.
    #[default]
    None,
    /// Nobody.
    Cat1,
    /// Only the home network of a subscriber who is with us.
    Cat2,
    /// Only the network where our subscriber is.
    Cat3,
}

/// Tables in force: our own, or what the policy puts beside or in the place of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tables {
    /// MAP.
    pub map: Arc<Operations>,
    /// CAP.
    pub cap: Arc<Operations>,
    /// Diameter applications, in file order.
    pub diameter: Arc<Vec<Application>>,
    /// The operator's own files.
    pub files: TableFiles,
}

/// Files of the operator's own tables; `None`: ours alone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableFiles {
    /// MAP.
    pub map: Option<PathBuf>,
    /// CAP.
    pub cap: Option<PathBuf>,
    /// Diameter.
    pub diameter: Option<PathBuf>,
}

impl TableFiles {
    /// Those that are given.
    pub fn iter(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.map, &self.cap, &self.diameter].into_iter().flatten()
    }
}

/// Operations of a user of TCAP, and the application contexts in which they are invoked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operations {
    /// Operations, no code twice.
    pub operations: Vec<Operation>,
    /// Application contexts, no name twice.
    pub contexts: Vec<Context>,
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Local operation code.
    pub code: u8,
    /// Name for people.
    pub name: String,
    /// Who may send it.
    pub category: Category,
    /// Where it is defined.
    pub clause: String,
}

/// One application context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Content octets of its OBJECT IDENTIFIER, all of them.
    pub oid: Vec<u8>,
    /// Name for people, without version.
    pub name: String,
    /// Version of MAP, by which arguments are read, or phase of CAP.
    pub version: u8,
    /// Operations that the side which opened the dialogue may invoke.
    pub initiator: Vec<u8>,
    /// Operations that the other side may invoke.
    pub responder: Vec<u8>,
    /// Where it is defined.
    pub clause: String,
}

/// One Diameter application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// Application identifier.
    pub id: u32,
    /// What links call it.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// Where it is defined.
    pub clause: String,
    /// Its commands, no code twice.
    pub commands: Vec<Command>,
}

/// One Diameter command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Command code.
    pub code: u32,
    /// Name without "-Request" and "-Answer".
    pub name: String,
    /// Who may send it; the same in all applications that have the code.
    pub category: Category,
    /// Where it is defined.
    pub clause: String,
}

impl Tables {
    /// What links call an application.
    pub fn application_key(&self, id: u32) -> Option<&str> {
        self.diameter.iter().find(|application| application.id == id).map(|application| application.key.as_str())
    }
}
