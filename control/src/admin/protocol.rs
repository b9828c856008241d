//! What is said at the operator's door.

use sealgate_dataplane::pipeline::tap::{Filter, ReasonSet};
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::rules::tag_of;
use sealgate_dataplane::policy::snapshot::{LinkId, PeerId};
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Version of requests and answers.
pub const VERSION: u32 = 1;
/// The longest request, octets.
pub(super) const MAX_REQUEST: usize = 4096;

/// A request. Unknown fields are refused: they would be a wish that goes unheard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// [`VERSION`].
    pub v: u32,
    /// `show`, `trace`, `repository`, `log-level`, `drain` or `stop`.
    pub cmd: String,
    /// Of what, where the command has more than one: a word of [`What::ALL`](crate::report::What::ALL), `look`, a level.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// How many verdicts a trace shows; left out: until the caller goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Which verdicts are meant; left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Words>,
    /// Refused messages with the octets of their frames, in base64.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frames: bool,
}

impl Request {
    /// A request of this version.
    pub fn new(cmd: &str, what: &str) -> Self {
        Self { v: VERSION, cmd: cmd.to_owned(), what: what.to_owned(), ..Self::default() }
    }
}

/// Which verdicts are meant, in words: those for which all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// Name of the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// `in` or `out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// Name of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Names of reasons, one of which it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Only what is refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// First digits of the calling Global Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling: Option<String>,
    /// First digits of the called Global Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// Local code of one of its operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<i32>,
    /// Name of the operator rule that decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Words {
    /// The reasons that are named, `None` for any.
    /// # Errors
    /// A name that is none.
    pub fn reasons(&self) -> Result<Option<Vec<Reason>>, String> {
        let one = |name: &String| {
            Reason::from_name(name).ok_or(format!("\"{name}\" is not a reason; sealgate show reasons has their names"))
        };
        let reasons = self.reasons.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        Ok((!reasons.is_empty()).then_some(reasons))
    }

    /// What a worker can compare with.
    /// # Errors
    /// A name that nobody has, or digits that are none.
    pub fn compile(&self, snapshot: &Snapshot) -> Result<Filter, String> {
        let named = |what: &str, name: &Option<String>, place: Option<usize>| match (name, place) {
            (None, _) => Ok(None),
            (Some(_), Some(place)) => Ok(u16::try_from(place).ok()),
            (Some(name), None) => Err(format!("there is no {what} \"{name}\"")),
        };
        let wanted = self.peer.as_deref();
        let peer: Option<PeerId> =
            named("peer", &self.peer, snapshot.peers.iter().position(|peer| Some(peer.name.as_str()) == wanted))?;
        let wanted = self.link.as_deref();
        let link: Option<LinkId> =
            named("link", &self.link, snapshot.links.iter().position(|link| Some(link.name.as_str()) == wanted))?;
        let way = match self.direction.as_deref() {
            None => None,
            Some("in") => Some(Direction::In),
            Some("out") => Some(Direction::Out),
            Some(other) => return Err(format!("\"{other}\" is not a direction; there are: in, out")),
        };
        let digits = |text: &Option<String>| -> Result<Option<Digits>, String> {
            let Some(text) = text else { return Ok(None) };
            let digits = text.parse().ok().filter(Digits::is_decimal);
            digits.map(Some).ok_or(format!("\"{text}\" are not the first digits of a Global Title"))
        };
        let reasons = self.reasons()?.map(ReasonSet::of).or(self.refused.then(ReasonSet::refusals));
        let (calling, called) = (digits(&self.calling)?, digits(&self.called)?);
        let rule = self.rule.as_deref().map(tag_of);
        if let (Some(tag), Some(name)) = (rule, &self.rule)
            && snapshot.ruleset.name_of(tag) != Some(name)
        {
            return Err(format!("there is no rule \"{name}\""));
        }
        Ok(Filter { peer, way, link, reasons, calling, called, operation: self.operation, rule })
    }
}

/// An answer.
pub(super) fn answer(what: &str, data: Value) -> Value {
    json!({ "v": VERSION, "ok": true, "what": what, "data": data })
}

/// A refusal.
pub(super) fn failure(why: &str) -> Value {
    json!({ "v": VERSION, "ok": false, "error": why })
}
