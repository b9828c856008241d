//! Enrolment over loopback https: from an invitation to a certificate that a gateway loads, renewal, and who is refused why.

mod common;
#[path = "enrol/credentials.rs"]
mod credentials;
#[path = "enrol/forms.rs"]
mod forms;
#[path = "enrol/install.rs"]
mod install;
#[path = "enrol/killed.rs"]
mod killed;
#[path = "enrol/renewer.rs"]
mod renewer;

use sealgate_control::authority::enrol::{Answer, Refusal};
use sealgate_control::authority::serve::{self, Server};
use sealgate_control::authority::{Authority, AuthorityError, Entry, Numbering, Reason, Request, Setup};
use sealgate_control::enrol::{
    Client, Credential, EnrolError, Places, Reply, Step, Wish, anchors, certification_request, roots, step,
};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Anchor, CertState, Identifiers, Kind, Options, Role, load, objects_from_dir};
use sealgate_crypto::sign::SigningKey;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

const RECORDS: &str = "operator,kind,value
home,gt,99901
home,gt,e214:99901
home,plmn,00101
home,ispc,4112-4127
home,realm,home.example
home,sip_domain,home.example
home,tn,999010000000+10000000
other,gt,99902
other,plmn,00102
";

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// An authority with numbering records, its server, and a gateway's directories.
struct Lab {
    dir: PathBuf,
    server: Option<Server>,
    port: u16,
}

impl Lab {
    fn new(test: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("sealgate-enrol-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a directory");
        let tsca = dir.join("tsca");
        let mut authority = Authority::init(&tsca, &Setup::default(), now()).expect("an authority");
        let numbering = Numbering::parse(RECORDS).expect("good records");
        authority.set_numbering(&numbering, now()).expect("loaded");
        drop(authority);
        let (tls, _) = serve::identity(&tsca, &["localhost".to_owned()]).expect("an identity");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start_with_desk(listen, &tsca, tls).expect("a server");
        let port = server.address().port();
        Self { dir, server: Some(server), port }
    }

    fn tsca(&self) -> PathBuf {
        self.dir.join("tsca")
    }

    fn authority(&self) -> Authority {
        Authority::open_after(&self.tsca(), std::time::Duration::from_secs(10)).expect("an authority")
    }

    fn invite(&self, operator: &str) -> PathBuf {
        self.authority().invite(operator, 7, now()).expect("invited").file
    }

    /// A gateway that wants a certificate, and asks with what it has.
    fn gateway(&self, name: &str, identifiers: Identifiers) -> Wish {
        let place = |kind: &str| {
            let dir = self.dir.join(format!("{name}-{kind}"));
            fs::create_dir_all(&dir).expect("a directory");
            dir
        };
        Wish {
            places: Places { name: name.to_owned(), certificates: place("own"), keys: place("keys") },
            url: format!("https://localhost:{}/", self.port),
            roots: roots(&[self.tsca().join("https/cert.pem")]).expect("roots"),
            anchors: anchors(&[self.tsca().join("anchors/root.pem")]).expect("anchors"),
            identifiers: Some(identifiers),
            role: None,
            alg: None,
            credential: Credential::Current,
        }
    }

    fn invited(&self, name: &str, identifiers: Identifiers) -> Wish {
        Wish { credential: Credential::Invitation(self.invite(name)), ..self.gateway(name, identifiers) }
    }

    /// A gateway with a certificate.
    fn enrolled(&self, name: &str, identifiers: Identifiers) -> Wish {
        let wish = self.invited(name, identifiers);
        let ticket = waiting(&wish);
        self.authority().approve(&ticket, now()).expect("approved");
        assert!(matches!(step(&wish, unix()), Ok(Step::Installed { .. })));
        Wish { credential: Credential::Current, ..wish }
    }

    /// What the audit log says, without what `init` and the loading of records left there.
    fn log(&self) -> Vec<Entry> {
        let all = self.authority().audit().expect("a log");
        all.into_iter().skip(3).collect()
    }

    /// The last line of the audit log: what, of whom, why.
    fn last(&self) -> (&'static str, Option<String>, String) {
        let last = self.log().pop().expect("a line");
        (last.what.name(), last.operator, last.reason.unwrap_or_default())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.server = None;
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn unix() -> i64 {
    now().unix_timestamp()
}

fn gt(digits: &str) -> Identifiers {
    Identifiers { gt_prefixes: vec![(1, digits.to_owned())], ..Identifiers::default() }
}

fn waiting(wish: &Wish) -> String {
    match step(wish, unix()) {
        Ok(Step::Waiting { ticket, retry_s: 30 }) => ticket,
        other => panic!("not waiting: {other:?}"),
    }
}

/// Status and reason of a refusal.
fn refused(wish: &Wish) -> (u16, String) {
    match step(wish, unix()) {
        Err(EnrolError::Refused { status, why, remedy }) => {
            assert!(!remedy.is_empty());
            (status, why)
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn from_an_invitation_to_a_certificate_that_loads_and_its_renewal() {
    let lab = Lab::new("way");
    let everything = Identifiers {
        gt_prefixes: vec![(1, "9990100".into()), (7, "99901".into())],
        plmns: vec!["00101".into()],
        ispcs: vec![(4112, 4120)],
        realms: vec!["epc.home.example".into()],
        sip_domains: vec!["home.example".into()],
        tn_ranges: vec![("999010000000".into(), 5)],
        any: false,
    };
    let wish = lab.invited("home", everything.clone());
    let ticket = waiting(&wish);
    let key = fs::read(wish.places.key()).expect("the key is made first");
    assert_eq!(fs::metadata(wish.places.key()).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(!wish.places.certificate().exists());
    // Again, and after what was sent got lost: the same key, the same ticket.
    assert_eq!(waiting(&wish), ticket);
    fs::remove_file(wish.places.keys.join("home.ticket")).expect("removed");
    assert_eq!(waiting(&wish), ticket);
    let open = lab.authority().tickets(false).expect("tickets");
    assert_eq!(
        open.iter().map(|one| one.asks_for().expect("a request")).collect::<Vec<_>>(),
        [(everything.clone(), Role::Csp)]
    );
    lab.authority().approve(&ticket, now()).expect("approved");
    let Ok(Step::Installed { certificate, not_after, .. }) = step(&wish, unix()) else { panic!("not installed") };
    assert_eq!((certificate, fs::read(wish.places.key()).expect("there")), (wish.places.certificate(), key));
    assert!(not_after > unix() + 390 * 86_400);
    assert!(lab.authority().tickets(false).expect("tickets").is_empty());
    let left: Vec<_> =
        fs::read_dir(&wish.places.keys).expect("a directory").flatten().map(|one| one.file_name()).collect();
    assert_eq!(left, ["home.key.pem"], "nothing of the request is left");
    let first = wish.places.current().expect("read").expect("there");

    // Renewal: by the certificate, at once, with another key; the pair before stays.
    let wish = Wish { credential: Credential::Current, identifiers: None, ..wish };
    let Ok(Step::Installed { serial, .. }) = step(&wish, unix()) else { panic!("not renewed") };
    let second = wish.places.current().expect("read").expect("there");
    assert!(second.serial_hex() == serial && second.key != first.key && second.identifiers == first.identifiers);
    let held = |path: &Path| SigningKey::from_file(path).expect("a key").public();
    assert_eq!(held(&wish.places.key()), second.key);
    assert_eq!(held(&wish.places.keys.join(format!("home~{}.key.pem", first.serial_hex()))), first.key);

    // What a gateway loads.
    let (objects, faults) = objects_from_dir(&wish.places.certificates, Kind::Certificate).expect("a directory");
    let (crls, more) = objects_from_dir(&lab.tsca().join("crls"), Kind::Crl).expect("lists");
    assert!(faults.is_empty() && more.is_empty());
    let anchor = Anchor { der: wish.anchors[0].clone(), limit: None };
    let trust = load(&[anchor], &objects, &crls, Options::default(), unix());
    assert!(trust.rejected.is_empty(), "{:?}", trust.rejected);
    let mut states: Vec<_> =
        trust.signers.iter().map(|one| (one.certificate.name.clone(), one.state(unix()))).collect();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    let kept = format!("home~{}", first.serial_hex());
    assert_eq!(states, [("home".to_owned(), CertState::Good), (kept.clone(), CertState::Good)]);
    assert!(trust.signers.iter().all(|one| one.certificate.identifiers == everything));

    // Once it has ended, the pair before goes.
    wish.places.sweep(first.not_after).expect("swept");
    assert!(wish.places.certificates.join(format!("{kept}.pem")).exists());
    wish.places.sweep(first.not_after + 1).expect("swept");
    assert!(!wish.places.certificates.join(format!("{kept}.pem")).exists());
    assert!(!wish.places.keys.join(format!("{kept}.key.pem")).exists());
    assert_eq!(held(&wish.places.key()), second.key);

    let log: Vec<_> = lab.log().iter().map(|one| (one.what.name(), one.serial, one.who.clone())).collect();
    let person = sealgate_control::authority::operator_of_this_process();
    let invited = "home by invitation at 127.0.0.1".to_owned();
    let renewed = "home by certificate 03 at 127.0.0.1".to_owned();
    assert_eq!(
        log,
        [
            ("invite", None, person.clone()),
            ("request", None, invited),
            ("approve", None, person.clone()),
            ("issue", Some(3), person),
            ("issue", Some(4), renewed),
        ]
    );
}

#[test]
fn every_algorithm_enrols_and_renews() {
    let lab = Lab::new("algorithms");
    for (n, alg) in [Alg::P256, Alg::P384, Alg::Ed25519, Alg::Rsa2048].into_iter().enumerate() {
        let wish = Wish { alg: Some(alg), ..lab.invited("home", gt(&format!("99901{n}"))) };
        let name = format!("home{n}");
        let wish = Wish { places: Places { name, ..wish.places }, ..wish };
        let ticket = waiting(&wish);
        lab.authority().approve(&ticket, now()).expect("approved");
        assert!(matches!(step(&wish, unix()), Ok(Step::Installed { .. })), "{alg}");
        let wish = Wish { credential: Credential::Current, alg: None, ..wish };
        let done = step(&wish, unix());
        assert!(matches!(done, Ok(Step::Installed { .. })), "{alg}: {done:?}");
        assert_eq!(wish.places.current().expect("read").expect("there").key.alg(), alg);
    }
}

#[test]
fn what_is_not_in_the_records_is_refused_by_name() {
    let lab = Lab::new("records");
    let wish = lab.invited("home", gt("99901"));
    let none = Identifiers::default;
    let cases = [
        (gt("99902"), "GT prefix 99902"),
        (gt("9990"), "GT prefix 9990"),
        (Identifiers { gt_prefixes: vec![(7, "99902".into())], ..none() }, "GT prefix E.214 99902"),
        (Identifiers { plmns: vec!["00102".into()], ..none() }, "PLMN 00102"),
        (Identifiers { ispcs: vec![(4120, 4128)], ..none() }, "point codes 4120-4128"),
        (Identifiers { realms: vec!["other.example".into()], ..none() }, "realm other.example"),
        (Identifiers { sip_domains: vec!["example".into()], ..none() }, "SIP domain example"),
        (Identifiers { tn_ranges: vec![("999019999999".into(), 2)], ..none() }, "telephone numbers 999019999999+2"),
        (Identifiers::everything(), "anyIdentifier"),
    ];
    for (identifiers, want) in cases {
        let wish = Wish { identifiers: Some(identifiers), ..wish.clone() };
        let why = format!("{want} is not in the numbering records of home");
        assert_eq!(refused(&wish), (403, why.clone()));
        assert_eq!(lab.last(), ("refuse", Some("home".to_owned()), why));
    }
    // Renewal is no way around the records.
    let wish = lab.enrolled("home", gt("99901"));
    let numbering = Numbering::parse(&RECORDS.replace("home,gt,99901\n", "home,gt,999011\n")).expect("good");
    let changes = lab.authority().set_numbering(&numbering, now()).expect("loaded");
    assert_eq!(changes.outside, [("home".to_owned(), "GT prefix 99901".to_owned())]);
    assert_eq!(refused(&wish), (403, "GT prefix 99901 is not in the numbering records of home".to_owned()));
    // Something else inside them is a person's to decide.
    let less = Wish { identifiers: Some(gt("999011")), ..wish.clone() };
    waiting(&less);
    assert_eq!(lab.last().0, "request");
    // Neither a person's word nor the other way to a certificate leads around them.
    let mut authority = lab.authority();
    let refusal = authority.issue(&Request::new("third", gt("99903")), now()).expect_err("no records");
    assert!(matches!(refusal, AuthorityError::Enrol(Refusal::OutsideRecords { .. })), "{refusal}");
    assert!(matches!(authority.invite("third", 7, now()), Err(AuthorityError::Enrol(Refusal::NoRecords(_)))));
    let ticket = authority.tickets(false).expect("tickets").remove(0).ticket;
    let none = Numbering::parse("operator,kind,value\nother,gt,99902\n").expect("good");
    authority.set_numbering(&none, now()).expect("loaded");
    let refusal = authority.approve(&ticket, now()).expect_err("the records changed meanwhile");
    assert!(matches!(refusal, AuthorityError::Enrol(Refusal::NoRecords(_))), "{refusal}");
}

#[test]
fn one_key_is_one_operators_and_one_invitation_is_for_one_key() {
    let lab = Lab::new("keys");
    let home = lab.enrolled("home", gt("99901"));
    let other = lab.invited("other", gt("99902"));
    fs::copy(home.places.key(), other.places.key()).expect("copied");
    let why = "the key asked for by other is held by another operator".to_owned();
    assert_eq!(refused(&other), (409, why.clone()));
    assert_eq!(lab.last(), ("refuse", Some("other".to_owned()), why.clone()));
    // Nor that of a renewal, for which there was no ticket.
    assert!(matches!(step(&home, unix()), Ok(Step::Installed { .. })));
    fs::copy(home.places.key(), other.places.key()).expect("copied");
    assert_eq!(refused(&other), (409, why.clone()));
    // Nor while the first still waits.
    let waits = lab.invited("home", gt("999011"));
    let elsewhere = Places { name: "waits".to_owned(), ..waits.places.clone() };
    let waits = Wish { places: elsewhere, ..waits };
    let ticket = waiting(&waits);
    fs::copy(waits.places.key(), other.places.key()).expect("copied");
    assert_eq!(refused(&other), (409, why));
    // Once it was refused, the key is free, and the invitation good for another.
    lab.authority().refuse(&ticket, "ask for all of it", now()).expect("refused");
    assert_eq!(refused(&waits), (403, "somebody there decided so: ask for all of it".to_owned()));
    fs::remove_file(waits.places.key()).expect("removed");
    let ticket = waiting(&waits);
    fs::remove_file(waits.places.key()).expect("removed");
    assert_eq!(refused(&waits), (403, "the invitation of home was used for another key".to_owned()));
    lab.authority().approve(&ticket, now()).expect("approved");
    let again = lab.authority().approve(&ticket, now()).expect_err("once");
    assert!(matches!(again, AuthorityError::Enrol(Refusal::Decided(_))), "{again}");
    // A revoked key does not come back.
    let other = lab.invited("other", gt("99902"));
    fs::remove_file(other.places.key()).expect("removed");
    let ticket = waiting(&other);
    lab.authority().approve(&ticket, now()).expect("approved");
    lab.authority().revoke("other", Reason::KeyCompromise, now()).expect("revoked");
    let why = "the certificate of the key asked for by other was revoked".to_owned();
    fs::remove_file(other.places.keys.join("other.ticket")).expect("removed");
    assert_eq!(refused(&other), (409, why));
    // Nor does a key that has a certificate get one for something else.
    let mut authority = lab.authority();
    let asker = authority.asker_in_person("home").expect("a name");
    let pem = fs::read_to_string(home.places.key()).expect("a key");
    let key = rcgen::KeyPair::from_pem(&pem).expect("a key");
    let ask = |authority: &mut Authority, has: &Identifiers| {
        let der = certification_request("home", &key, has, Role::Csp).expect("made");
        authority.enrol(&asker, &der, now())
    };
    let same = ask(&mut authority, &gt("99901")).expect("its certificate");
    assert!(matches!(same, Answer::Issued { serial: 4, .. }), "{same:?}");
    let fault = ask(&mut authority, &gt("999011")).expect_err("another");
    assert!(matches!(fault, AuthorityError::Enrol(Refusal::KeyUsed(_))), "{fault}");
}

#[test]
fn an_operator_has_few_requests_that_wait_and_sees_no_other_operators_ticket() {
    let lab = Lab::new("tickets");
    let mut authority = lab.authority();
    let asker = authority.asker_in_person("home").expect("a name");
    let ask = |authority: &mut Authority| {
        let key = rcgen::KeyPair::generate().expect("a key");
        let der = certification_request("x", &key, &gt("99901"), Role::Csp).expect("made");
        authority.enrol(&asker, &der, now())
    };
    let mut tickets = Vec::new();
    let fault = loop {
        match ask(&mut authority) {
            Ok(Answer::Waiting(ticket)) => tickets.push(ticket),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, AuthorityError::Enrol(Refusal::TooMany(_))), "{fault}");
    assert_eq!(tickets.len(), 4);
    let stranger = authority.asker_in_person("other").expect("a name");
    let fault = authority.ask_again(&stranger, &tickets[0]).expect_err("another operator's");
    assert!(matches!(fault, AuthorityError::Enrol(Refusal::UnknownTicket)), "{fault}");
    authority.refuse(&tickets[0], "no", now()).expect("refused");
    assert!(matches!(ask(&mut authority), Ok(Answer::Waiting(_))));
}

#[test]
fn one_certificate_is_asked_for_by_one_process_at_a_time() {
    let dir = std::env::temp_dir().join(format!("sealgate-enrol-hold-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("made");
    let places = |name: &str| Places { name: name.to_owned(), certificates: dir.clone(), keys: dir.clone() };
    let held = places("home").hold().expect("free");
    assert!(matches!(places("home").hold(), Err(EnrolError::Busy { .. })));
    assert!(places("other").hold().is_ok(), "another certificate is another matter");
    drop(held);
    assert!(places("home").hold().is_ok());
    fs::remove_dir_all(dir).expect("removed");
}
