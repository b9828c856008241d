//! `sealgate tsca numbering`, `invite`, `enrol`, `approve` and `audit`: the authority's side of enrolment.

use super::super::table::Table;
use super::CliError;
use crate::authority::enrol::{Answer, Ticket, TicketState};
use crate::authority::{Authority, Changes, Entry, MAX_FILE, Numbering, notation};
use clap::Subcommand;
use sealgate_crypto::pki::{Identifiers, MAX_REQUEST};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;

/// Changes that are listed; of more only their number is shown.
const MAX_LISTED: usize = 20;
/// How long a command waits for the server, which works in the same directory.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Load numbering records, or show them: which operator has which numbers and names.
    ///
    /// FILE has the header `operator,kind,value` and a line for each record; config/examples/numbering.csv shows each kind:
    /// gt (99902, e214:99902), plmn (00102), ispc (4128-4143, 4128, 2-4-0), realm, sip_domain (both cover the labels below
    /// them), tn (999020000000+10000000, the first and how many). Lines that begin with # are comments. The file replaces all
    /// records of before, and says what changed. What overlaps another operator's is an error. Nothing is certified for an
    /// operator that its records do not have; certificates of before stay, those beyond the records are named.
    Numbering {
        /// Directory of the authority.
        dir: PathBuf,
        /// The records; without it those in force are shown.
        file: Option<PathBuf>,
    },
    /// Make an invitation: a client certificate and its key, with which an operator asks for its first certificate.
    ///
    /// Carry the file to the operator on a way that others do not see; `sealgate enrol --credential FILE` uses it. One that the
    /// operator had before is withdrawn.
    Invite {
        /// Directory of the authority.
        dir: PathBuf,
        /// Name of the operator in the numbering records.
        operator: String,
        /// Days until it is over.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=60))]
        days: u16,
    },
    /// Take a PKCS#10 request that came as a file, with the same checks as over https.
    Enrol {
        /// Directory of the authority.
        dir: PathBuf,
        /// Who asks; you know from whom you have the file.
        operator: String,
        /// The request, DER or PEM.
        request: PathBuf,
        /// Certify it at once.
        #[arg(long)]
        approve: bool,
    },
    /// List the requests that wait, or decide one.
    Approve {
        /// Directory of the authority.
        dir: PathBuf,
        /// The ticket to certify; without it the waiting ones are listed.
        ticket: Option<String>,
        /// List decided requests too.
        #[arg(long, conflicts_with_all = ["ticket", "refuse"])]
        list: bool,
        /// Refuse it, for this reason; the operator is told.
        #[arg(long, value_name = "REASON", requires = "ticket")]
        refuse: Option<String>,
    },
    /// Print the audit log: each certificate issued or revoked, each request, approval and refusal.
    Audit {
        /// Directory of the authority.
        dir: PathBuf,
    },
}

/// Does the work at `now`; answers in words and in JSON.
pub(super) fn execute(verb: Verb, now: OffsetDateTime) -> Result<(String, Value), CliError> {
    let open = |dir: &Path| Authority::open_after(dir, PATIENCE);
    match verb {
        Verb::Numbering { dir, file: None } => {
            let records = open(&dir)?.numbering()?;
            let mut table = Table::new(&["operator", "has"]);
            let all: Value = records.iter().map(|(name, has)| (name.clone(), document(has))).collect();
            for (name, has) in records {
                table.row([name, words(&has)]);
            }
            Ok((table.show().trim_end().to_owned(), all))
        }
        Verb::Numbering { dir, file: Some(file) } => {
            let numbering = read_numbering(&file)?;
            let changes = open(&dir)?.set_numbering(&numbering, now)?;
            Ok((changes_text(&changes), json!(changes)))
        }
        Verb::Invite { dir, operator, days } => {
            let made = open(&dir)?.invite(&operator, days, now)?;
            let text = format!(
                "invited {operator} until {}\n\
                 \x20 {} (mode 0600: whoever has it may ask as {operator})\n\
                 next, on the gateway: sealgate enrol --credential {operator}.pem ...",
                notation::show(made.not_after),
                made.file.display()
            );
            Ok((text, json!(made)))
        }
        Verb::Enrol { dir, operator, request, approve } => {
            let octets = read_bounded(&request, MAX_REQUEST * 3 / 2)?;
            let mut authority = open(&dir)?;
            let asker = authority.asker_in_person(&operator)?;
            let answer = match authority.enrol(&asker, &octets, now)? {
                Answer::Waiting(ticket) if approve => authority.approve(&ticket, now)?.1,
                answer => answer,
            };
            Ok(answer_text(&operator, &answer))
        }
        Verb::Approve { dir, ticket: None, list, .. } => {
            let tickets = open(&dir)?.tickets(list)?;
            let mut table = Table::new(&["ticket", "operator", "since", "state", "role", "asks for"]);
            for one in &tickets {
                table.row(row(one)?);
            }
            let text = match tickets.is_empty() {
                true => "no request waits".to_owned(),
                false => table.show().trim_end().to_owned(),
            };
            let each = |one: &Ticket| -> Result<Value, CliError> {
                let (has, role) = one.asks_for()?;
                let mut shown = json!(one);
                (shown["role"], shown["identifiers"]) = (json!(role.name()), document(&has));
                Ok(shown)
            };
            Ok((text, tickets.iter().map(each).collect::<Result<_, _>>()?))
        }
        Verb::Approve { dir, ticket: Some(ticket), refuse: Some(why), .. } => {
            let refused = open(&dir)?.refuse(&ticket, &why, now)?;
            Ok((
                format!("refused {ticket} of {}: {why}", refused.operator),
                json!({ "refused": ticket, "reason": why }),
            ))
        }
        Verb::Approve { dir, ticket: Some(ticket), .. } => {
            let (ticket, answer) = open(&dir)?.approve(&ticket, now)?;
            Ok(answer_text(&ticket.operator, &answer))
        }
        Verb::Audit { dir } => {
            let log = open(&dir)?.audit()?;
            let mut table = Table::new(&["when", "what", "operator", "#serial", "who", "reason"]);
            for one in &log {
                table.row(line(one));
            }
            Ok((table.show().trim_end().to_owned(), json!(log)))
        }
    }
}

fn read_bounded(path: &Path, most: usize) -> Result<Vec<u8>, CliError> {
    let mut octets = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut octets));
    let shown = path.display();
    read.map_err(|fault| CliError::new(format!("{shown}: {fault}"), "give a file that can be read"))?;
    match octets.len() > most {
        true => Err(CliError::new(format!("{shown}: longer than {most} octets"), "give a shorter file")),
        false => Ok(octets),
    }
}

fn read_numbering(file: &Path) -> Result<Numbering, CliError> {
    let shown = file.display();
    let text = String::from_utf8(read_bounded(file, MAX_FILE)?);
    let text = text.map_err(|_| CliError::new(format!("{shown}: not UTF-8"), "save it as UTF-8, or in plain ASCII"))?;
    Numbering::parse(&text).map_err(|faults| {
        let lines: Vec<_> = faults.iter().map(|fault| format!("{shown}:{fault}")).collect();
        CliError::new(
            lines.join("\n  "),
            "nothing was changed; config/examples/numbering.csv shows each kind of record",
        )
        .with_code(CliError::CONFIGURATION)
    })
}

fn changes_text(changes: &Changes) -> String {
    let Changes { operators, records, added, removed, outside } = changes;
    let mut text = format!("{records} records of {operators} operators: {} new, {} gone", added.len(), removed.len());
    for (sign, list) in [('+', added), ('-', removed)] {
        for (operator, kind, value) in list.iter().take(MAX_LISTED) {
            text += &format!("\n  {sign} {operator},{kind},{value}");
        }
        if let Some(more) = list.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
            text += &format!("\n  {sign} and {more} more");
        }
    }
    for (name, identifier) in outside {
        text += &format!("\n  certificate {name} speaks for what is not recorded: {identifier}");
    }
    text
}

fn answer_text(operator: &str, answer: &Answer) -> (String, Value) {
    match answer {
        Answer::Waiting(ticket) => {
            let text = format!("the request of {operator} waits: sealgate tsca approve DIR {ticket}");
            (text, json!({ "state": "waiting", "ticket": ticket }))
        }
        Answer::Issued { serial, chain } => {
            let text = format!("issued to {operator}: serial {serial}\n{}", chain.trim_end());
            (text, json!({ "state": "issued", "serial": serial, "chain": chain }))
        }
    }
}

fn row(ticket: &Ticket) -> Result<Vec<String>, CliError> {
    let (has, role) = ticket.asks_for()?;
    let state = match &ticket.state {
        TicketState::Waiting => "waiting".to_owned(),
        TicketState::Issued(serial) => format!("issued {serial}"),
        TicketState::Refused(why) => format!("refused: {why}"),
    };
    let since = notation::show(ticket.made);
    Ok(vec![ticket.ticket.clone(), ticket.operator.clone(), since, state, role.to_string(), words(&has)])
}

fn line(entry: &Entry) -> Vec<String> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let serial = entry.serial.map(|serial| serial.to_string()).unwrap_or_default();
    let when = notation::show(entry.at);
    vec![when, entry.what.name().to_owned(), text(&entry.operator), serial, entry.who.clone(), text(&entry.reason)]
}

/// Identifiers as on the command line.
fn document(has: &Identifiers) -> Value {
    let gt = |(plan, digits): &(u8, String)| if *plan == 7 { format!("e214:{digits}") } else { digits.clone() };
    json!({
        "gt": has.gt_prefixes.iter().map(gt).collect::<Vec<_>>(),
        "plmn": has.plmns,
        "ispc": has.ispcs.iter().map(|(first, last)| format!("{first}-{last}")).collect::<Vec<_>>(),
        "realm": has.realms,
        "sip_domain": has.sip_domains,
        "tn": has.tn_ranges.iter().map(|(first, count)| format!("{first}+{count}")).collect::<Vec<_>>(),
    })
}

fn words(has: &Identifiers) -> String {
    let document = document(has);
    let kinds = document.as_object().into_iter().flatten();
    let lists = kinds.filter_map(|(kind, list)| {
        let all: Vec<_> = list.as_array()?.iter().filter_map(Value::as_str).collect();
        (!all.is_empty()).then(|| format!("{kind} {}", all.join(",")))
    });
    lists.collect::<Vec<_>>().join("; ")
}
